import { readSmallFile } from './read-small-file.js';
import { scanFolder } from './scan-folder.js';
import { gpt4AllPlaces } from './store-places.js';
import { joinScans, type StoreScan, type StoreSearch } from './stored-model.js';

/**
 * Lists the models of GPT4All and of its Python package. GPT4All lists every GGUF file below the folder that its
 * settings name as `modelPath` (gpt4all-chat/src/modellist.cpp, `processModelDirectory`).
 */
export async function scanGpt4All(search: StoreSearch): Promise<StoreScan> {
  const { settings, folder, pythonFolder } = gpt4AllPlaces(search);
  const folders = new Set([(await readModelPath(settings)) ?? folder, pythonFolder]);
  return joinScans(
    await Promise.all([...folders].map((one) => scanFolder('gpt4all', one, search))),
  );
}

/** The folder that the settings name; null where they name none, or cannot be read. */
async function readModelPath(settings: string): Promise<string | null> {
  const text = await readSmallFile(settings).catch(() => null);
  const written = /^modelPath=(.*?)[ \t\r]*$/m.exec(text ?? '')?.[1] ?? '';
  const folder = written.replace(/^"(.*)"$/, '$1').replaceAll('\\\\', '\\');
  return folder === '' ? null : folder;
}
