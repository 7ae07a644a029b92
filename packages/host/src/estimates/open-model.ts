import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { DownloadedModel, UnusableFile } from '@mai/lmstudio-adapter';
import { looksLikeEmbedding } from '@mai/lmstudio-adapter';
import type { GgufHeader, HeaderCache, MlxModel } from '@mai/memory-estimator';
import {
  isModelFileError,
  ModelFileError,
  readGgufHeader,
  readMlxModel,
} from '@mai/memory-estimator';
import type { EngineRefusal } from '@mai/selector';
import { isRecord } from '../guards.js';
import { HostError } from '../host-error.js';
import type { HostContext } from '../host-options.js';
import type { Downloads } from '../downloads/downloads-list.js';
import { judgeMlx, weightsIn } from '../model-files/judge-file.js';
import { unusableNote } from '../downloads/left-out-notes.js';
import { modelNotFound } from '../downloads/model-not-found.js';
import { readSmallFile } from '../stores/read-small-file.js';

/** The facts for an estimate of a model: its headers, or the size of its files where there are no headers. */
export type KnownModel =
  | {
      readonly kind: 'header';
      readonly file: string;
      readonly header: GgufHeader;
      /**
       * The header of the vision projector that LM Studio loads with the model. Null where the model has no
       * projector, or the caller named a file.
       */
      readonly visionProjector: GgufHeader | null;
      /** Whether LM Studio loads it to compute embeddings. Null: only the header tells. */
      readonly isEmbedding: boolean | null;
    }
  | { readonly kind: 'mlx'; readonly model: MlxModel }
  | {
      readonly kind: 'size';
      readonly sizeBytes: number;
      readonly format: string;
      readonly isEmbedding: boolean;
      readonly architecture: string | null;
      readonly layers: number | null;
      /** Why no header was read, as a clause that follows 'because'. */
      readonly why: string;
      /**
       * Whether the model would be loaded on this machine. If not, this machine's free memory says
       * nothing about the fit.
       */
      readonly isHere: boolean;
      /** Why the model cannot be loaded from its files; null where that is not known. */
      readonly fault: EngineRefusal | null;
    };

type SizedModel = Extract<KnownModel, { readonly kind: 'size' }>;

const LOOKS_LIKE_A_FILE = /\.gguf(-header)?$|^\.{0,2}[\\/]|^[a-z]:[\\/]/i;

/**
 * Opens a GGUF file, or a folder with an MLX model. Null for any other name, which must then be a model key.
 * @throws ModelFileError
 */
export async function openModelFile(
  name: string,
  { cwd, signal }: HostContext,
): Promise<KnownModel | null> {
  const asFile = path.resolve(cwd, name);
  const found = await stat(asFile).catch(() => null);
  const mlx = found?.isDirectory() === true ? await openMlxFolder(asFile, signal) : null;
  if (mlx !== null) return mlx;
  if (found?.isFile() !== true && !LOOKS_LIKE_A_FILE.test(name)) return null;
  // Do not open a named pipe: the call would wait for a writer.
  if (found !== null && !found.isFile()) {
    throw new ModelFileError(
      'FILE_UNREADABLE',
      `${asFile} is not a regular file. Give the path of a model file.`,
      { path: asFile },
    );
  }
  const header = await readGgufHeader(asFile, { signal });
  const isEmbedding = isNamedEmbedding(asFile, header) ? true : null;
  return { kind: 'header', file: asFile, header, visionProjector: null, isEmbedding };
}

/**
 * Whether the name of a file or the name in its header says that the model makes embeddings. Files of E5 Mistral and GTE Qwen2 do
 * not state how outputs are pooled, and the lists of models go by the name, too.
 */
function isNamedEmbedding(file: string, { metadata }: GgufHeader): boolean {
  const name = metadata.get('general.name');
  const inHeader = typeof name === 'string' ? name.replaceAll(' ', '-') : '';
  return looksLikeEmbedding(path.basename(file)) || looksLikeEmbedding(inHeader);
}

/**
 * Opens a file that no list offers.
 *
 * @throws ModelFileError with the reason that the lists give, which can be about another file, such as a manifest
 */
export async function openUnusable(
  unusable: UnusableFile,
  context: HostContext,
): Promise<KnownModel | null> {
  const { filePath: file, code, why } = unusable;
  try {
    return await openModelFile(file, context);
  } catch (error) {
    if (!isModelFileError(error) || error.code === code) throw error;
    throw new ModelFileError(error.code, unusableNote(unusable), {
      path: file,
      reason: why,
      cause: error,
    });
  }
}

/**
 * Opens a downloaded model. @throws LMStudioError `MODEL_NOT_FOUND` with a suggestion; ModelFileError; HostError
 * `INVALID_REQUEST` where neither a header nor the size is known
 */
export async function openDownloaded(
  key: string,
  downloads: Downloads,
  headers: HeaderCache,
  { signal }: HostContext,
): Promise<KnownModel> {
  const { link } = downloads;
  const found = await downloads.find(key);
  if (found === null) return openLinked(key, downloads);
  const { model, files } = found;
  const { sizeBytes, format, kind } = model;
  const isHere = link.kind === 'off' || link.client.host.isLocal;
  const bySize = (why: string) => sizeOnly(model, why, isHere);
  const [file] = files?.files ?? [];
  if (format !== 'gguf') {
    const mlx = file === undefined ? null : await openMlxFolder(path.dirname(file), signal);
    if (mlx !== null) return mlx;
    if (sizeBytes > 0) return bySize('it is not a GGUF model');
    throw new HostError(
      'INVALID_REQUEST',
      `${key} is not a GGUF model (its format is ${format}), and its size is not known. See LM Studio's own estimate with \`mai models\`.`,
    );
  }
  if (file === undefined || !(await exists(file))) {
    const isMissing =
      downloads.origin.kind === 'stores'
        ? `cannot be read any more${file === undefined ? '' : `: ${file}`}`
        : "is not in LM Studio's models folder on this machine";
    if (sizeBytes > 0) return bySize(`its file ${isMissing}`);
    throw new ModelFileError(
      'FILE_NOT_FOUND',
      `The file of ${key} ${isMissing}. Name the path of the file, or see the runtime's own estimate with \`mai models\`.`,
      { path: file ?? null },
    );
  }
  const projector = (await files?.findProjector()) ?? null;
  return {
    kind: 'header',
    file,
    header: await headers.read(file, { signal }),
    visionProjector: projector === null ? null : await headers.read(projector, { signal }),
    isEmbedding: kind === 'embedding',
  };
}

/** A model on another machine of LM Link. @throws LMStudioError `MODEL_NOT_FOUND` where no machine has the key */
function openLinked(key: string, downloads: Downloads): KnownModel {
  const model = linkedModel(key, downloads.linked);
  if (model === undefined) throw modelNotFound(key, downloads);
  return sizeOnly(model, 'it is on another machine of LM Link', false);
}

/** A model of which only the size is known, and not whether its files can be loaded. */
function sizeOnly(
  {
    sizeBytes,
    format,
    architecture,
    kind,
  }: Pick<DownloadedModel, 'sizeBytes' | 'format' | 'architecture' | 'kind'>,
  why: string,
  isHere: boolean,
): SizedModel {
  return {
    kind: 'size',
    sizeBytes,
    format,
    isEmbedding: kind === 'embedding',
    architecture,
    layers: null,
    why,
    isHere,
    fault: null,
  };
}

/** The model of another machine that a key or the key of a variant names. */
export function linkedModel(
  key: string,
  linked: Downloads['linked'],
): Downloads['linked'][number] | undefined {
  return (
    linked.find(({ modelKey }) => modelKey === key) ??
    linked.find(({ variants }) => variants.includes(key))
  );
}

/**
 * Opens a folder with an MLX model: safetensors files and a config.json. Null for any other folder.
 */
async function openMlxFolder(folder: string, signal: AbortSignal): Promise<KnownModel | null> {
  const names = await readdir(folder).catch(() => []);
  const weights = weightsIn(names);
  if (weights.length === 0) return null;
  const model = await readMlxModel(folder, { signal }).catch(asModelFileError);
  if (!(model instanceof ModelFileError)) return { kind: 'mlx', model };
  const sizes = await Promise.all(
    weights.map(async (name) => {
      // A link to a drive that is not mounted has no size.
      const found = await stat(path.join(folder, name)).catch(() => null);
      if (found === null) throw model;
      return found.size;
    }),
  );
  const sizeBytes = sizes.reduce((sum, size) => sum + size, 0);
  const { architecture, layers } = await readMlxConfig(folder);
  const judgement = await judgeMlx(folder, signal);
  return {
    kind: 'size',
    sizeBytes,
    format: 'mlx',
    isEmbedding: false,
    architecture,
    layers,
    why: `${path.basename(model.path ?? folder)} cannot be read`,
    isHere: true,
    fault: judgement.kind === 'unusable' ? { code: judgement.code, reason: judgement.why } : null,
  };
}

/** Returns an error about the model's files, and throws any other error. */
function asModelFileError(error: unknown): ModelFileError {
  if (isModelFileError(error)) return error;
  throw error;
}

/** Reads a model's config.json. A missing field is null. */
async function readMlxConfig(
  folder: string,
): Promise<{ readonly architecture: string | null; readonly layers: number | null }> {
  // The size of the weights is known without config.json, so that a file that cannot be read is not an error.
  const text = await readSmallFile(path.join(folder, 'config.json')).catch(() => null);
  const config = parseObject(text ?? '{}');
  // A vision model stores the fields of its language model in a nested object.
  const language = { ...config, ...asObject(config['text_config']) };
  const { model_type: architecture, num_hidden_layers: layers } = language;
  return {
    architecture: typeof architecture === 'string' ? architecture : null,
    layers:
      typeof layers === 'number' && Number.isSafeInteger(layers) && layers > 0 ? layers : null,
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    return asObject(JSON.parse(text));
  } catch {
    // The size of the weights is known without config.json, so a damaged config.json is not an error.
    return {};
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
