import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { UnreadablePath, UnusableFile } from '@mai/lmstudio-adapter';
import { errorCodeOf, isRecord } from '../guards.js';
import { givenIn } from '../files/user-folders.js';
import { describeNamedFile } from './describe-files.js';
import { readSmallFile } from './read-small-file.js';
import { janFolder } from './store-places.js';
import type { StoreFinding, StoreScan, StoreSearch } from './stored-model.js';

// Jan's data folder, as jan's src-tauri/src/core/app/commands.rs and extensions/llamacpp-extension/src/index.ts
// describe it:
//
//   <app data>/Jan/settings.json              { "data_folder": "..." }; default: <app data>/Jan/data
//   <data>/llamacpp/models/<id>/model.yml     model_path and mmproj_path (relative to <data>, or absolute),
//                                             model_sha256; <id> may have several levels

const MAX_DEPTH = 6;
const MAX_FOLDERS = 10_000;

/** Lists the models that Jan has downloaded or imported. */
export async function scanJan(search: StoreSearch): Promise<StoreScan> {
  const data = await dataFolder(search);
  const root = path.join(data, 'llamacpp', 'models');
  const unreadable: UnreadablePath[] = [];
  const ids = await findModels(root, unreadable);
  const read = await Promise.all((ids ?? []).map((id) => readModel(data, root, id, search)));
  return {
    findings: read.flatMap((one) => ('model' in one ? one : [])),
    unusable: read.flatMap((one) => ('model' in one ? [] : one)),
    unreadable,
    folders: ids === null ? [] : [{ store: 'jan', folder: root }],
  };
}

async function dataFolder(search: StoreSearch): Promise<string> {
  const given = givenIn(search.env, 'JAN_DATA_FOLDER');
  if (given !== null) return given;
  const folder = janFolder(search);
  try {
    const settings: unknown = JSON.parse(
      (await readSmallFile(path.join(folder, 'settings.json'))) ?? '{}',
    );
    const named = isRecord(settings) ? settings['data_folder'] : null;
    if (typeof named === 'string' && path.isAbsolute(named)) return named;
  } catch {
    // Jan, too, uses its default folder where the settings are broken.
  }
  return path.join(folder, 'data');
}

/** The folders that have a model.yml, relative to the root; null where the root does not exist. */
async function findModels(
  root: string,
  unreadable: UnreadablePath[],
): Promise<readonly string[] | null> {
  const found: string[] = [];
  let folders: readonly string[] = [''];
  let seen = 0;
  for (let depth = 0; depth < MAX_DEPTH && folders.length > 0; depth += 1) {
    const below: string[] = [];
    for (const folder of folders) {
      try {
        const entries = await readdir(path.join(root, folder), { withFileTypes: true });
        if (entries.some(({ name }) => name === 'model.yml')) found.push(folder);
        else
          below.push(
            // Links are not followed: Jan creates none.
            ...entries
              .filter((one) => one.isDirectory())
              .map(({ name }) => path.posix.join(folder, name)),
          );
      } catch (error) {
        const code = errorCodeOf(error) ?? 'UNKNOWN';
        if (code === 'ENOENT' && folder === '') return null;
        unreadable.push({ path: path.join(root, folder), code });
      }
    }
    seen += below.length;
    if (seen > MAX_FOLDERS) {
      unreadable.push({ path: root, code: 'TOO_MANY_ENTRIES' });
      break;
    }
    folders = below;
  }
  return found.sort();
}

async function readModel(
  data: string,
  root: string,
  id: string,
  search: StoreSearch,
): Promise<StoreFinding | UnusableFile> {
  const settings = path.join(root, id, 'model.yml');
  const refuse = (why: string): UnusableFile => ({
    path: id,
    filePath: settings,
    modelKey: id,
    code: 'MANIFEST_UNREADABLE',
    why,
  });
  const text = await readSmallFile(settings).catch((error: unknown) => ({
    code: errorCodeOf(error) ?? 'UNKNOWN',
  }));
  if (text === null || typeof text !== 'string')
    return refuse(`its ${settings} cannot be read (${text?.code ?? 'ENOENT'})`);
  const modelPath = fieldIn(text, 'model_path');
  if (modelPath === null) return refuse(`its ${settings} has no model_path`);
  const projector = fieldIn(text, 'mmproj_path');
  const described = await describeNamedFile(
    {
      modelKey: id,
      displayName: fieldIn(text, 'name') ?? id,
      publisher: null,
      filePath: path.resolve(data, modelPath),
      projectorPath: projector === null ? null : path.resolve(data, projector),
    },
    search,
  );
  if (described.kind === 'unusable') return described.file;
  const sha256 = fieldIn(text, 'model_sha256')?.toLowerCase() ?? '';
  return {
    source: { store: 'jan', name: id, path: described.model.filePath },
    folder: root,
    model: described.model,
    repository: null,
    sha256: /^[0-9a-f]{64}$/.test(sha256) ? sha256 : null,
  };
}

/** A text field at the top level of a YAML file that serde_yaml wrote; null where it is absent, null or empty. */
function fieldIn(yaml: string, name: string): string | null {
  // An editor on Windows may have put a byte order mark before the first field.
  const written = new RegExp(`^\\uFEFF?${name}:[ \\t]*(.*?)[ \\t]*$`, 'm').exec(yaml)?.[1] ?? '';
  if (written === '' || written === 'null' || written === '~') return null;
  if (written.startsWith("'")) return written.slice(1, -1).replaceAll("''", "'");
  if (!written.startsWith('"')) return written;
  try {
    // The escapes that occur in paths are the same in YAML and JSON.
    return String(JSON.parse(written));
  } catch {
    return null;
  }
}
