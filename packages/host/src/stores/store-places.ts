import path from 'node:path';
import { givenIn } from '../files/user-folders.js';
import type { StoreSearch } from './stored-model.js';

type Lookup = Pick<StoreSearch, 'userHome' | 'env' | 'platform'>;

/**
 * The folders of Ollama's store. `OLLAMA_MODELS` replaces the user's folder (ollama envconfig/config.go, `Models`).
 * On Linux, the service keeps its own store (ollama docs/faq.mdx, "Where are models stored?"). Its environment is
 * not this user's, so its default folder is always searched.
 *
 * @param serviceFolder the store of the service on Linux; tests replace it
 */
export function ollamaFolders(
  { userHome, env, platform }: Lookup,
  serviceFolder = '/usr/share/ollama/.ollama/models',
): readonly string[] {
  const given = givenIn(env, 'OLLAMA_MODELS')
    ?.trim()
    .replace(/^["']+|["']+$/g, '');
  const own =
    given === undefined || given === ''
      ? path.join(userHome, '.ollama', 'models')
      : expandHome(given, userHome);
  return platform === 'linux' ? [...new Set([own, serviceFolder])] : [own];
}

/** The Hugging Face cache (huggingface_hub constants.py, `HF_HUB_CACHE`). */
export function huggingFaceFolder({ userHome, env }: Lookup): string {
  const direct = givenIn(env, 'HF_HUB_CACHE') ?? givenIn(env, 'HUGGINGFACE_HUB_CACHE');
  if (direct !== null) return expandHome(direct, userHome);
  const home = givenIn(env, 'HF_HOME');
  if (home !== null) return path.join(expandHome(home, userHome), 'hub');
  const cache = givenIn(env, 'XDG_CACHE_HOME') ?? path.join(userHome, '.cache');
  return path.join(expandHome(cache, userHome), 'huggingface', 'hub');
}

/** llama.cpp's own cache (llama.cpp common/common.cpp, `fs_get_cache_directory`). */
export function llamaCppFolder({ userHome, env, platform }: Lookup): string {
  const given = givenIn(env, 'LLAMA_CACHE');
  if (given !== null) return given;
  if (platform === 'win32') return path.join(localAppData(userHome, env), 'llama.cpp');
  if (platform === 'darwin') return path.join(userHome, 'Library', 'Caches', 'llama.cpp');
  return path.join(givenIn(env, 'XDG_CACHE_HOME') ?? path.join(userHome, '.cache'), 'llama.cpp');
}

/** The folder in which Jan keeps its settings and, by default, its data (jan src-tauri/src/core/app/commands.rs). */
export function janFolder({ userHome, env, platform }: Lookup): string {
  return path.join(appData(userHome, env, platform), 'Jan');
}

/** GPT4All's settings file, default folder, and the folder of its Python package. */
export interface Gpt4AllPlaces {
  /** Qt's `QSettings` in INI format, for the organization nomic.ai and the application GPT4All. */
  readonly settings: string;
  /** Qt's `AppLocalDataLocation` (gpt4all-chat/src/mysettings.cpp, `defaultLocalModelsPath`). */
  readonly folder: string;
  /** gpt4all-bindings/python/gpt4all/gpt4all.py, `DEFAULT_MODEL_DIRECTORY`. */
  readonly pythonFolder: string;
}

/** Where GPT4All keeps its files. */
export function gpt4AllPlaces({ userHome, env, platform }: Lookup): Gpt4AllPlaces {
  const config =
    platform === 'win32'
      ? appData(userHome, env, platform)
      : // Also on macOS, because the settings are in INI format.
        (givenIn(env, 'XDG_CONFIG_HOME') ?? path.join(userHome, '.config'));
  const data =
    platform === 'win32' ? localAppData(userHome, env) : appData(userHome, env, platform);
  return {
    settings: path.join(config, 'nomic.ai', 'GPT4All.ini'),
    folder: path.join(data, 'nomic.ai', 'GPT4All'),
    pythonFolder: path.join(userHome, '.cache', 'gpt4all'),
  };
}

/** Replaces `~` at the start of a path. */
export function expandHome(folder: string, userHome: string): string {
  return /^~(?=$|[\\/])/.test(folder) ? path.join(userHome, folder.slice(1)) : folder;
}

function appData(userHome: string, env: Lookup['env'], platform: NodeJS.Platform): string {
  if (platform === 'win32')
    return givenIn(env, 'APPDATA') ?? path.join(userHome, 'AppData', 'Roaming');
  if (platform === 'darwin') return path.join(userHome, 'Library', 'Application Support');
  return givenIn(env, 'XDG_DATA_HOME') ?? path.join(userHome, '.local', 'share');
}

function localAppData(userHome: string, env: Lookup['env']): string {
  return givenIn(env, 'LOCALAPPDATA') ?? path.join(userHome, 'AppData', 'Local');
}
