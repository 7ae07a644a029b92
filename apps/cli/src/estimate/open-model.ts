import { stat } from 'node:fs/promises';
import path from 'node:path';
import { LMStudioError } from '@mai/lmstudio-adapter';
import type { GgufHeader } from '@mai/memory-estimator';
import { ModelFileError, readGgufHeader } from '@mai/memory-estimator';
import { suggest } from '../command-line/suggest.js';
import { withLink } from '../compose/connect-lmstudio.js';
import { libraryOf } from '../compose/library.js';
import type { CommandContext } from '../context.js';
import { UsageError } from '../usage-error.js';

/** A model that is to be estimated. */
export interface OpenModel {
  /** What to call it: its key, or its file's name. */
  readonly title: string;
  /** Its key; null for a file. */
  readonly modelKey: string | null;
  /** The file that its header is from. */
  readonly file: string;
  readonly header: GgufHeader;
}

const LOOKS_LIKE_A_FILE = /\.gguf(-header)?$|^\.{0,2}[\\/]|^[a-z]:[\\/]/i;

/**
 * Opens a GGUF file, or the file of a downloaded model by its key.
 * @throws ModelFileError; LMStudioError `MODEL_NOT_FOUND` with a suggestion; UsageError for a model
 * that has no GGUF file here
 */
export async function openModel(name: string, context: CommandContext): Promise<OpenModel> {
  const { io, signal } = context;
  const asFile = path.resolve(io.cwd, name);
  const found = await stat(asFile).catch(() => null);
  const isFile = LOOKS_LIKE_A_FILE.test(name) || found !== null;
  // Opening a named pipe would wait for ever for someone to write to it.
  if (found !== null && !found.isFile()) {
    throw new ModelFileError(
      'FILE_UNREADABLE',
      `${asFile} is not a file. Name the model file in it.`,
      { path: asFile },
    );
  }
  const file = isFile ? asFile : await fileOfKey(name, context);
  const title = isFile ? path.basename(file) : name;
  return {
    title,
    modelKey: isFile ? null : name,
    file,
    header: await readGgufHeader(file, { signal }),
  };
}

function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

async function fileOfKey(key: string, context: CommandContext): Promise<string> {
  const library = await withLink(context, (link) => libraryOf(link, context));
  const model = library.models.find(({ modelKey }) => modelKey === key);
  if (model === undefined) {
    const keys = library.models.map(({ modelKey }) => modelKey);
    const guess = suggest(key, keys);
    const next =
      keys.length === 0
        ? `Nothing is downloaded here. ${library.origin}`
        : guess === null
          ? '`mai models` lists what is downloaded.'
          : `Did you mean ${guess}?`;
    throw new LMStudioError(
      'MODEL_NOT_FOUND',
      `${key} is neither a downloaded model nor a file. ${next}`,
      { modelKey: key, suggestions: guess === null ? [] : [guess] },
    );
  }
  const [file] = library.filesOf(key)?.files ?? [];
  if (file !== undefined && (await isThere(file))) return file;
  if (model.format === 'gguf') {
    throw new ModelFileError(
      'FILE_NOT_FOUND',
      `The file of ${key} is not in LM Studio's models folder on this machine. Name the file itself; \`mai models\` shows LM Studio's own estimate.`,
      { path: file ?? null },
    );
  }
  throw new UsageError(
    `${key} is no GGUF model (its format is ${model.format}): \`mai models\` shows LM Studio's own estimate of it.`,
  );
}
