import { displayAddress, onOneLine, plural } from '../words.js';
import type { DownloadsOrigin } from './downloads-report.js';
import type { ModelSource, StoreName, StorePlace } from '../stores/stored-model.js';

/**
 * The source of the list of downloaded models, as a sentence.
 *
 * @param speedGap - why speeds are missing in the list, which a second sentence then says; null, the default: none is missing
 */
export function describeOrigin(origin: DownloadsOrigin, speedGap: string | null = null): string {
  const source = describeSource(origin);
  return speedGap === null ? source : `${source} Some speeds are not known, because ${speedGap}.`;
}

function describeSource(origin: DownloadsOrigin): string {
  if (origin.kind === 'models-folder') {
    return origin.folder === null
      ? 'LM Studio is off, and no models folder of LM Studio was found on this machine.'
      : `LM Studio is off: these are the files in its models folder, ${origin.folder}.`;
  }
  if (origin.kind === 'stores') return describePlaces(origin.places);
  const { baseUrl, elsewhere } = origin;
  const leftOut =
    elsewhere === 0
      ? ''
      : ` ${plural(elsewhere, 'model')} on other machines of LM Link ${elsewhere === 1 ? 'is' : 'are'} left out, because LM Studio does not report the free memory and the GPUs there.`;
  return `Listed by LM Studio at ${displayAddress(baseUrl)}.${leftOut}`;
}

const STORE_NAMES: Readonly<Record<StoreName, string>> = {
  lmstudio: 'LM Studio',
  ollama: 'Ollama',
  huggingface: 'the Hugging Face cache',
  'llama.cpp': 'llama.cpp',
  jan: 'Jan',
  gpt4all: 'GPT4All',
  folder: 'your folder',
};

function describePlaces(places: readonly StorePlace[]): string {
  const found = places
    .filter(({ models }) => models > 0)
    .map(({ store, folder, models }) => `${models} from ${STORE_NAMES[store]} (${folder})`);
  const text =
    found.length === 0
      ? 'No GGUF model was found in the folders of LM Studio, Ollama, the Hugging Face cache, llama.cpp, Jan and GPT4All, or in those of --models and model_folders.'
      : `GGUF models on this machine: ${found.join(', ')}.`;
  const empty = emptyFoldersNote(places);
  return empty === null ? text : `${text} ${empty}`;
}

/** A sentence about the folders of --models and model_folders in which no model was found; null where there is none. */
export function emptyFoldersNote(places: readonly StorePlace[]): string | null {
  const empty = places.filter(({ store, models }) => store === 'folder' && models === 0);
  if (empty.length === 0) return null;
  const names = empty.map(({ folder }) => onOneLine(folder)).join(' and in ');
  return `No usable GGUF model is in ${names}. Where that is on another drive, check that the drive is mounted.`;
}

/** Where a model is, such as `Ollama: llama3.2:3b`. */
export function describeModelSource({ store, name }: ModelSource): string {
  return `${STORE_NAMES[store]}: ${name}`;
}
