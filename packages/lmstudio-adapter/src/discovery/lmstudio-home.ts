// Reads synchronously: most of the files are absent, and asking for each through Node's thread
// pool would take longer than the rest of connecting.
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/** Where to look for LM Studio's folder; tests replace the user's home. */
export interface HomeLookup {
  /** The user's home folder; `os.homedir()` unless given. */
  readonly userHome?: string | undefined;
  /** Environment variables; `process.env` unless given. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** LM Studio's own folder on this machine, and the settings in it. */
export interface LMStudioHome {
  /** Absolute path. */
  readonly path: string;
  /** Which of the three candidates the folder is; see `findLMStudioHome`. */
  readonly foundBy: 'pointer-file' | 'cache-folder' | 'default';
  /** Folder of the model files: `downloadsFolder` of settings.json, else `models` in this folder. */
  readonly modelsFolder: string;
  readonly modelsFolderFrom: 'settings' | 'default';
  /** Port of the API server in LM Studio's `http-server.json`; `null` without that file. */
  readonly serverPort: number | null;
  /** Whether the headless LM Studio (llmster) is installed here. */
  readonly headless: boolean;
}

/**
 * Finds LM Studio's folder: the one that `~/.lmstudio-home-pointer` names, else the older
 * `~/.cache/lm-studio`, else `~/.lmstudio`. `null` when LM Studio was never run here, so that no
 * folder exists. Reads a few small files, and never throws.
 */
export function findLMStudioHome(lookup: HomeLookup = {}): LMStudioHome | null {
  const userHome = lookup.userHome ?? homedir();
  const env = lookup.env ?? process.env;
  const found = locate(userHome);
  if (found === null) return null;
  const configured = readDownloadsFolder(found.path, userHome, env);
  const downloads = configured === null ? null : expandHome(configured, userHome);
  return {
    ...found,
    modelsFolder: downloads ?? path.join(found.path, 'models'),
    modelsFolderFrom: downloads === null ? 'default' : 'settings',
    serverPort: readServerPort(found.path, env),
    headless: isDirectory(path.join(found.path, 'llmster')),
  };
}

/** The `serverPort` of `findLMStudioHome` alone; the file can also be named by `LMS_API_SERVER_INFO_PATH`. */
export function readNotedPort(lookup: HomeLookup = {}): number | null {
  const env = lookup.env ?? process.env;
  const found = locate(lookup.userHome ?? homedir());
  return readServerPort(found?.path ?? null, env);
}

function locate(userHome: string): Pick<LMStudioHome, 'path' | 'foundBy'> | null {
  const pointer = readText(path.join(userHome, '.lmstudio-home-pointer'));
  const target = pointer?.split(/\r?\n/, 1)[0]?.trim() ?? '';
  if (target !== '' && isDirectory(target)) {
    return { path: target, foundBy: 'pointer-file' };
  }
  const older = path.join(userHome, '.cache', 'lm-studio');
  if (isDirectory(older)) return { path: older, foundBy: 'cache-folder' };
  const usual = path.join(userHome, '.lmstudio');
  return isDirectory(usual) ? { path: usual, foundBy: 'default' } : null;
}

function readServerPort(
  home: string | null,
  env: Readonly<Record<string, string | undefined>>,
): number | null {
  const override = env['LMS_API_SERVER_INFO_PATH'];
  const file =
    override !== undefined && override !== ''
      ? override
      : home === null
        ? null
        : path.join(home, '.internal', 'http-server.json');
  if (file === null) return null;
  const port = readJson(file)?.['port'];
  return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536
    ? port
    : null;
}

/** `downloadsFolder` of settings.json, in LM Studio's folder or, as older versions had it, in the app's data. */
function readDownloadsFolder(
  home: string,
  userHome: string,
  env: Readonly<Record<string, string | undefined>>,
): string | null {
  const appData = [
    env['APPDATA'] ?? path.join(userHome, 'AppData', 'Roaming'),
    path.join(userHome, 'Library', 'Application Support'),
    env['XDG_CONFIG_HOME'] ?? path.join(userHome, '.config'),
  ];
  const files = [home, ...appData.map((folder) => path.join(folder, 'LM Studio'))];
  for (const folder of files) {
    const downloads = readJson(path.join(folder, 'settings.json'))?.['downloadsFolder'];
    if (typeof downloads === 'string' && downloads.trim() !== '') return downloads.trim();
  }
  return null;
}

function expandHome(folder: string, userHome: string): string {
  return /^~(?=$|[\\/])/.test(folder) ? path.join(userHome, folder.slice(1)) : folder;
}

function readJson(file: string): Readonly<Record<string, unknown>> | null {
  const text = readText(file);
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function readText(file: string): string | null {
  try {
    // Checks first: that is a hundred times as fast as an exception, and most files are absent.
    if (statSync(file, { throwIfNoEntry: false }) === undefined) return null;
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function isDirectory(folder: string): boolean {
  try {
    return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}
