import { homedir } from 'node:os';
import path from 'node:path';

import { type Json, record } from '../json-fields.js';
import { isDirectory, readJson, readText } from './local-files.js';
import {
  type LocalSettings,
  readEnginePreferences,
  readHardwareConfig,
  toDefaultContext,
} from './local-settings.js';

/** Where to look for LM Studio's folder. Tests replace the user's home. */
export interface HomeLookup {
  /** The user's home folder. Default: `os.homedir()`. */
  readonly userHome?: string | undefined;
  /** Environment variables. Default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** LM Studio's own folder on this machine, and the settings in it. */
export interface LMStudioHome extends LocalSettings {
  /** Absolute path. */
  readonly path: string;
  /** How `findLMStudioHome` found the folder. */
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
 * Finds LM Studio's folder: the folder that `~/.lmstudio-home-pointer` names, else the older
 * `~/.cache/lm-studio`, else `~/.lmstudio`. `null` when LM Studio was never run here, so that no
 * folder exists. Reads a few small files, and never throws.
 */
export function findLMStudioHome(lookup: HomeLookup = {}): LMStudioHome | null {
  const userHome = lookup.userHome ?? homedir();
  const env = lookup.env ?? process.env;
  const found = locate(userHome);
  if (found === null) return null;
  const settings = readSettings(found.path, userHome, env);
  const configured = downloadsFolderIn(settings);
  const downloads = configured === null ? null : expandHome(configured, userHome);
  return {
    ...found,
    modelsFolder: downloads ?? path.join(found.path, 'models'),
    modelsFolderFrom: downloads === null ? 'default' : 'settings',
    serverPort: readServerPort(found.path, env),
    headless: isDirectory(path.join(found.path, 'llmster')),
    defaultContextLengthTokens: toDefaultContext(settings[0]?.['defaultContextLength']),
    engines: readEnginePreferences(found.path),
    hardware: readHardwareConfig(found.path),
  };
}

/**
 * Reads only `serverPort` of `findLMStudioHome`. `LMS_API_SERVER_INFO_PATH` can name another file.
 */
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
  const port = record(readJson(file))?.['port'];
  return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536
    ? port
    : null;
}

/** The settings files in LM Studio's folder and, for older versions, in the app's data. */
function readSettings(
  home: string,
  userHome: string,
  env: Readonly<Record<string, string | undefined>>,
): readonly Json[] {
  const appData = [
    env['APPDATA'] ?? path.join(userHome, 'AppData', 'Roaming'),
    path.join(userHome, 'Library', 'Application Support'),
    env['XDG_CONFIG_HOME'] ?? path.join(userHome, '.config'),
  ];
  const folders = [home, ...appData.map((folder) => path.join(folder, 'LM Studio'))];
  return folders
    .map((folder) => record(readJson(path.join(folder, 'settings.json'))))
    .filter((settings) => settings !== null);
}

/** `downloadsFolder` of the first file that has it. */
function downloadsFolderIn(settings: readonly Json[]): string | null {
  for (const { downloadsFolder } of settings) {
    if (typeof downloadsFolder === 'string' && downloadsFolder.trim() !== '') {
      return downloadsFolder.trim();
    }
  }
  return null;
}

function expandHome(folder: string, userHome: string): string {
  return /^~(?=$|[\\/])/.test(folder) ? path.join(userHome, folder.slice(1)) : folder;
}
