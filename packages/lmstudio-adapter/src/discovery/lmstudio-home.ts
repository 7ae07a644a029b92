// Read at once, not asynchronously: most of these small files are not there, and to learn so through a
// thread takes longer than all else that a connection does.
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/** Where to look; every root can be replaced, so that tests need no real home folder. */
export interface HomeLookup {
  /** The user's home folder; `os.homedir()` unless given. */
  readonly userHome?: string | undefined;
  /** Environment variables; `process.env` unless given. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** LM Studio's own folder on this machine and what it says. */
export interface LMStudioHome {
  readonly path: string;
  /** How it was found. */
  readonly foundBy: 'pointer-file' | 'cache-folder' | 'default';
  /** Folder of the model files; follows `downloadsFolder` of settings.json, else `models` inside. */
  readonly modelsFolder: string;
  readonly modelsFolderFrom: 'settings' | 'default';
  /** Port of LM Studio's API server as its own notes say; `null` when there is no note. */
  readonly serverPort: number | null;
  /** The headless LM Studio (llmster) is installed here. */
  readonly headless: boolean;
}

/**
 * Finds LM Studio's home: the folder named in `~/.lmstudio-home-pointer`, else the older
 * `~/.cache/lm-studio`, else `~/.lmstudio`. `null` when none of them exists, that is when LM
 * Studio was never run here. Reads a few small files; never throws.
 */
export function findLMStudioHome(lookup: HomeLookup = {}): LMStudioHome | null {
  const userHome = lookup.userHome ?? homedir();
  const env = lookup.env ?? process.env;
  const found = locate(userHome);
  if (found === null) return null;
  const settings = readSettings(found.path, userHome, env);
  const downloads = settings === null ? null : expandHome(settings, userHome);
  return {
    ...found,
    modelsFolder: downloads ?? path.join(found.path, 'models'),
    modelsFolderFrom: downloads === null ? 'default' : 'settings',
    serverPort: readServerPort(found.path, env),
    headless: isDirectory(path.join(found.path, 'llmster')),
  };
}

/** Port noted in LM Studio's `http-server.json` (or in `LMS_API_SERVER_INFO_PATH`), without the rest. */
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

/** settings.json lies in LM Studio's home; older versions kept it with the app's own data. */
function readSettings(
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

function readJson(file: string): Record<string, unknown> | null {
  const text = readText(file);
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function readText(file: string): string | null {
  try {
    // An error for each file that is not there would cost a hundred times as much as this answer.
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
