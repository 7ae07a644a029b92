import { opendir } from 'node:fs/promises';
import path from 'node:path';
import type { ModelShape } from '@mai/memory-ledger';
import { isJsonObject, type JsonObject } from '../files/json-object.js';
import { asModelFileError } from '../gguf/bytes/byte-source.js';
import { ModelFileError } from '../gguf/model-file-error.js';
import { cacheShapeOf, type MlxCacheShape } from './cache-shape.js';
import { mlxShape } from './mlx-shape.js';
import { countIn, readJsonFile } from './read-json-file.js';
import { readSafetensors, type Safetensor } from './safetensors.js';

/** The facts in the files of an MLX model that decide its memory. */
export interface MlxModel {
  readonly folder: string;
  /** `model_type` of the language model; `null` if config.json does not state it. */
  readonly architecture: string | null;
  readonly layers: number | null;
  /** The longest context of the model, in tokens; `null` if config.json does not state it. */
  readonly maxContextTokens: number | null;
  /** Bytes of all tensors. */
  readonly weightsBytes: number;
  /** `false`: a file of the model is missing or ends too early, so the model cannot be loaded. */
  readonly complete: boolean;
  /** `null` where config.json does not state it. */
  readonly cache: MlxCacheShape | null;
  /** The figures that decide its speed; `null` where the files do not state them. */
  readonly shape: ModelShape | null;
}

// A folder may contain anything. These limits bound the memory and the time of reading it. The largest known models
// have 200 files, 100,000 tensors and an index of 10 MiB.
const MOST_ENTRIES = 10_000;
const MOST_FILES = 1_024;
const MOST_CONFIG_BYTES = 4 * 1024 * 1024;
const MOST_INDEX_BYTES = 32 * 1024 * 1024;
/** Headers of all files of a model together. */
const MOST_HEADER_BYTES = 64 * 1024 * 1024;

/**
 * Reads config.json and the headers of the safetensors files in a folder. Weights are not read.
 *
 * The bytes of the weights are exact: the sum of the tensors in the headers. If a file is missing, the `total_size`
 * in model.safetensors.index.json is taken instead.
 *
 * @throws ModelFileError FILE_NOT_FOUND (also for a folder without config.json or safetensors files),
 * FILE_UNREADABLE or CORRUPT; `signal.reason` if the reading was cancelled.
 */
export async function readMlxModel(
  folder: string,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<MlxModel> {
  signal?.throwIfAborted();
  const names = await filesIn(folder, signal);
  const whole = readJsonFile(path.join(folder, 'config.json'), MOST_CONFIG_BYTES);
  const config = languageConfig(whole);
  const { model_type: type } = config;
  const architecture = typeof type === 'string' && type !== '' ? type : null;
  const layers = countIn(config, 'num_hidden_layers', 'n_layers');
  const { tensors, weightsBytes, complete } = await readWeights(folder, names, signal);
  const cache = cacheShapeOf(config, architecture ?? '');
  return {
    folder,
    architecture,
    layers,
    // Kimi Linear (lmstudio-bug-tracker #1256) and Inkling state their context as `model_max_length`.
    maxContextTokens: countIn(config, 'max_position_embeddings', 'max_seq_len', 'model_max_length'),
    weightsBytes,
    complete,
    cache,
    shape: complete && layers !== null ? mlxShape(tensors, config, layers, cache) : null,
  };
}

/** A vision model keeps the fields of its language model in a nested object. */
function languageConfig(config: JsonObject): JsonObject {
  const nested = [config['text_config'], config['language_config'], config['llm_config']];
  return { ...config, ...nested.find(isJsonObject) };
}

async function filesIn(folder: string, signal?: AbortSignal): Promise<readonly string[]> {
  try {
    const names: string[] = [];
    let count = 0;
    for await (const entry of await opendir(folder)) {
      signal?.throwIfAborted();
      count += 1;
      if (count > MOST_ENTRIES) {
        throw new ModelFileError(
          'FILE_UNREADABLE',
          `${folder} has more than ${MOST_ENTRIES} files, which is too many for one model. Name the folder of a model.`,
          { path: folder, reason: `it has more than ${MOST_ENTRIES} files` },
        );
      }
      if (/\.safetensors(\.index\.json)?$/i.test(entry.name)) names.push(entry.name);
    }
    return names.sort();
  } catch (error) {
    signal?.throwIfAborted();
    throw asModelFileError(folder, error);
  }
}

async function readWeights(
  folder: string,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<
  Pick<MlxModel, 'weightsBytes' | 'complete'> & { readonly tensors: readonly Safetensor[] }
> {
  // mlx-lm loads `model*.safetensors`. Adapters and copies in another layout have other names.
  const files = names.filter((name) => /^model.*\.safetensors$/i.test(name));
  if (files.length > MOST_FILES) throw tooLarge(folder);
  const index = names.includes(INDEX)
    ? readJsonFile(path.join(folder, INDEX), MOST_INDEX_BYTES)
    : null;
  const missing = filesOf(index).filter((name) => !files.includes(name) && !isStale(name, files));
  if (files.length === 0 && index === null) {
    throw new ModelFileError(
      'FILE_NOT_FOUND',
      `${folder} has no model.safetensors file. Name the folder of an MLX model.`,
      { path: folder, reason: 'it has no model.safetensors file' },
    );
  }
  const tensors: Safetensor[] = [];
  let weightsBytes = 0;
  let headerBytes = 0;
  let complete = missing.length === 0;
  for (const name of files) {
    const facts = readSafetensors(path.join(folder, name));
    for (const tensor of facts.tensors) tensors.push(tensor);
    weightsBytes += facts.tensorBytes;
    headerBytes += facts.headerBytes;
    complete &&= facts.complete;
    if (headerBytes > MOST_HEADER_BYTES || !Number.isSafeInteger(weightsBytes))
      throw tooLarge(folder);
    // Files are read synchronously. A break lets other work run, and lets the signal fire.
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  }
  if (missing.length === 0) return { tensors, weightsBytes, complete };
  return { tensors, weightsBytes: Math.max(weightsBytes, totalOf(index, folder)), complete };
}

const INDEX = 'model.safetensors.index.json';

/** The files that an index names. */
function filesOf(index: JsonObject | null): readonly string[] {
  const map = index?.['weight_map'];
  if (!isJsonObject(map)) return [];
  return [...new Set(Object.values(map))].filter((name) => typeof name === 'string');
}

/** The name of one of several parts, with their number. */
const PART = /^model-\d{5}-of-(\d{5})\.safetensors$/i;

/**
 * Whether a missing file that an index names is a part of the weights before they were quantized. Quantized weights have fewer
 * parts, and mlx-vlm copies the old index over the new one (Blaizzy/mlx-vlm #624, ml-explore/mlx-swift-lm #554). mlx-lm and
 * mlx-vlm load the files that are there, and do not read the index.
 */
function isStale(missing: string, files: readonly string[]): boolean {
  const countOf = (name: string): number => Number(PART.exec(name)?.[1] ?? 0);
  const isWhole = (name: string): boolean =>
    name === 'model.safetensors' ||
    files.filter((other) => countOf(other) === countOf(name)).length === countOf(name);
  return PART.test(missing) && files.some(isWhole);
}

/** The size of all tensors, as an index states it. */
function totalOf(index: JsonObject | null, folder: string): number {
  const metadata = index?.['metadata'];
  const total = isJsonObject(metadata) ? metadata['total_size'] : null;
  if (typeof total === 'number' && Number.isSafeInteger(total) && total > 0) return total;
  const file = path.join(folder, INDEX);
  throw new ModelFileError(
    'CORRUPT',
    `${file} does not state the size of the missing files. Download the model again.`,
    { path: file, reason: 'it does not state the size of the missing files' },
  );
}

function tooLarge(folder: string): ModelFileError {
  return new ModelFileError(
    'CORRUPT',
    `The safetensors files in ${folder} describe more than any model has. Download the model again.`,
    { path: folder, reason: 'its safetensors files describe more than any model has' },
  );
}
