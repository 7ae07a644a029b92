import type { GgufHeader } from '../gguf/gguf-header.js';
import { MAX_TOKENS } from '../settings/estimate-settings.js';
import { findArchitecture, readsNextToken, type Architecture } from './architectures.js';
import { MetadataReader } from './metadata-reader.js';
import { readCompression, type Compression } from './compression.js';
import { readIndexer, type Indexer } from './indexer.js';
import { readStateSpace, stateSizes, type StateSizes, type StateSpace } from './state-space.js';
import { slidingWindow, type SlidingWindow } from './sliding-window.js';

/** Maximum number of layers in llama.cpp (LLAMA_MAX_LAYERS). */
const MAX_LAYERS = 512;

/** Maximum width of a layer. The widest known layer has 2^14 values for each token, and keys of 2^15 values. */
const MAX_WIDTH = 2 ** 20;
const MAX_VOCABULARY = 2 ** 28;
/** Maximum number of columns of a convolution's rolling state. */
const MAX_KERNEL = 64;

/** The figures that a model's memory depends on (hparams in llama.cpp). */
export interface Hyperparameters extends StateSizes {
  readonly architecture: Architecture;
  /** Number of layers that run. Layers for multi-token prediction, at the end of the file, are not counted. */
  readonly layers: number;
  /** Number of all layers in the file. */
  readonly layersInFile: number;
  /** In tokens; `null` if the metadata does not state the trained context. */
  readonly trainedContext: number | null;
  readonly embedding: number;
  readonly vocabulary: number;
  readonly heads: readonly number[];
  readonly kvHeads: readonly number[];
  readonly keyLength: number;
  readonly valueLength: number;
  readonly keyLengthWindowed: number;
  readonly valueLengthWindowed: number;
  readonly window: SlidingWindow | null;
  /** By layer: whether it keeps a recurrent state. */
  readonly recurrent: readonly boolean[];
  /** By layer: whether it keeps a KV cache. */
  readonly attention: readonly boolean[];
  readonly stateSpace: StateSpace | null;
  readonly experts: number;
  /** By layer: number of experts that each token uses. */
  readonly expertsUsed: readonly number[];
  /** Sizes of latent attention, whose cache holds keys only; `null` for other attention. */
  readonly latent: { readonly keyLength: number; readonly valueLength: number } | null;
  readonly indexer: Indexer | null;
  readonly compression: Compression | null;
  /** How many times the layers run for each token. Each run has its own KV cache. */
  readonly loops: number;
  /** `false` for encoders and diffusion models, which run without a cache. */
  readonly cached: boolean;
}

/**
 * Reads the figures of a header; `null` where the header lacks figures that the caches depend on, or has figures
 * that no model can have.
 */
export function readHyperparameters(header: GgufHeader): Hyperparameters | null {
  const model = readFigures(header);
  return model !== null && isPlausible(model) ? model : null;
}

function isPlausible(model: Hyperparameters): boolean {
  const { stateSpace, rollingStateSize, recurrentStateSize } = model;
  const widths = [
    model.embedding,
    rollingStateSize / MAX_KERNEL,
    recurrentStateSize / MAX_WIDTH,
    stateSpace?.innerSize ?? 0,
    stateSpace?.stateSize ?? 0,
    stateSpace?.timeStepRank ?? 0,
    stateSpace?.groupCount ?? 0,
    ...Array.from({ length: model.layers }, (_, il) => keyWidthOf(model, il)),
    ...Array.from({ length: model.layers }, (_, il) => valueWidthOf(model, il)),
    ...model.heads.map((heads) => heads * model.keyLength),
  ];
  return (
    model.layers > 0 &&
    model.vocabulary <= MAX_VOCABULARY &&
    widths.every((width) => width <= MAX_WIDTH)
  );
}

function readFigures(header: GgufHeader): Hyperparameters | null {
  const read = new MetadataReader(header);
  const layersInFile = read.count('block_count');
  const embedding = read.count('embedding_length');
  if (
    layersInFile === null ||
    layersInFile === 0 ||
    layersInFile > MAX_LAYERS ||
    embedding === null
  )
    return null;
  const architecture = asStated(findArchitecture(header.architecture), read, layersInFile);
  const nextToken = readsNextToken(architecture)
    ? Math.min(read.count('nextn_predict_layers') ?? 0, layersInFile)
    : 0;
  const layers = layersInFile - nextToken;
  const heads =
    read.perLayer('attention.head_count', layersInFile) ?? new Array<number>(layersInFile).fill(0);
  const kvHeads = read.perLayer('attention.head_count_kv', layersInFile) ?? heads;
  const firstHeads = heads[0] ?? 0;
  const headDefault = firstHeads > 0 ? Math.floor(embedding / firstHeads) : 0;
  // Without attention heads in the first layer there are no keys, even where the metadata states a length. Only PLaMo 2, whose
  // first layer is recurrent, reads the lengths again.
  const hasKeys = firstHeads > 0 || (architecture.name === 'plamo2' && heads.some((n) => n > 0));
  const keyLength = hasKeys ? (read.count('attention.key_length') ?? headDefault) : 0;
  const valueLength = hasKeys ? (read.count('attention.value_length') ?? headDefault) : 0;
  const recurrent = recurrentLayers(architecture, read, layersInFile, layers, kvHeads);
  const stateSpace = readStateSpace(read);
  const kind = architecture.memory;
  const kept = cachedFromStart(architecture, read, layersInFile);
  return {
    architecture,
    layers,
    layersInFile,
    trainedContext: trainedContext(read.count('context_length')),
    embedding,
    vocabulary: vocabularySize(header, read),
    heads,
    kvHeads,
    keyLength,
    valueLength,
    keyLengthWindowed: read.count('attention.key_length_swa') ?? keyLength,
    valueLengthWindowed: read.count('attention.value_length_swa') ?? valueLength,
    window: slidingWindow(architecture, read, layersInFile, layers, recurrent),
    recurrent: recurrent.map((is, il) => is && il < layers),
    attention: recurrent.map(
      (is, il) =>
        il < layers &&
        il < kept &&
        kind !== 'recurrent' &&
        (kind !== 'hybrid' || architecture.everyLayerBoth || !is) &&
        !isFeedForwardOnly(architecture, read, layersInFile, il),
    ),
    stateSpace,
    ...stateSizes(read, embedding, firstHeads, stateSpace),
    experts: read.count('expert_count') ?? 0,
    expertsUsed:
      read.perLayer('expert_used_count', layersInFile) ?? new Array<number>(layersInFile).fill(0),
    latent: latentAttention(architecture, read),
    indexer: readIndexer(architecture, read, layers),
    compression: architecture.name === 'deepseek4' ? readCompression(read) : null,
    loops: architecture.name === 'nanbeige' ? Math.max(1, read.count('num_loops') ?? 1) : 1,
    cached: kind !== 'none',
  };
}

/**
 * The rules of an unknown architecture with what its metadata states in the usual keys: which layers are recurrent, and that
 * attention has an indexer. The rules of a known architecture, which are from the source of llama.cpp, stay as they are.
 */
function asStated(
  architecture: Architecture,
  read: MetadataReader,
  layersInFile: number,
): Architecture {
  if (architecture.known) return architecture;
  const interval = read.count('full_attention_interval');
  const listed = read.perLayer('attention.recurrent_layers', layersInFile);
  const kvHeads = read.perLayer('attention.head_count_kv', layersInFile) ?? [];
  const isHybrid = interval !== null || listed !== null || kvHeads.includes(0);
  const hasIndexer = read.count('attention.indexer.key_length') !== null;
  return {
    ...architecture,
    memory: isHybrid ? 'hybrid' : architecture.memory,
    // With a list, the interval has no effect.
    fullAttentionInterval: interval ?? (listed === null ? null : 1),
    indexer: hasIndexer ? 'all' : null,
  };
}

/** Whether a layer has neither attention nor a state, like some layers of Nemotron-H. */
function isFeedForwardOnly(
  architecture: Architecture,
  read: MetadataReader,
  layers: number,
  il: number,
): boolean {
  if (!architecture.feedForwardLayers) return false;
  return (read.perLayer('feed_forward_length', layers)?.[il] ?? 0) > 0;
}

function recurrentLayers(
  architecture: Architecture,
  read: MetadataReader,
  layersInFile: number,
  layers: number,
  kvHeads: readonly number[],
): readonly boolean[] {
  const all = Array.from({ length: layersInFile }, (_, il) => il);
  if (architecture.memory === 'recurrent' || architecture.everyLayerBoth)
    return all.map(() => true);
  if (architecture.memory !== 'hybrid') return all.map(() => false);
  if (architecture.fullAttentionInterval === null) {
    // A layer without key-value heads is recurrent.
    return all.map(
      (il) => kvHeads[il] === 0 && !isFeedForwardOnly(architecture, read, layersInFile, il),
    );
  }
  const listed = read.perLayer('attention.recurrent_layers', layersInFile);
  if (listed !== null) return listed.map((value) => value !== 0);
  const interval = read.count('full_attention_interval') ?? architecture.fullAttentionInterval;
  return all.map((il) => il < layers && (il + 1) % interval !== 0);
}

/**
 * Number of layers at the start that have their own cache. The last layers of Gemma 3n and 4 use the caches of
 * earlier layers.
 */
function cachedFromStart(architecture: Architecture, read: MetadataReader, layers: number): number {
  if (architecture.cachedLayers === null) return Infinity;
  if (architecture.cachedLayers === 'shared')
    return layers - (read.count('attention.shared_kv_layers') ?? 0);
  return architecture.cachedLayers;
}

function latentAttention(
  architecture: Architecture,
  read: MetadataReader,
): Hyperparameters['latent'] {
  if (!architecture.latentAttention) return null;
  const keyLength = read.count('attention.key_length_mla') ?? 0;
  const valueLength = read.count('attention.value_length_mla') ?? 0;
  return keyLength > 0 && valueLength > 0 ? { keyLength, valueLength } : null;
}

function vocabularySize(header: GgufHeader, read: MetadataReader): number {
  const embedding = header.tensors.find((tensor) => tensor.name === 'token_embd.weight');
  return (
    embedding?.shape[1] ??
    read.arrayLength('tokenizer.ggml.tokens') ??
    read.count('vocab_size') ??
    0
  );
}

/** Width of one key head in a layer. */
export function keyLengthOf(model: Hyperparameters, il: number): number {
  return model.window?.layers[il] === true ? model.keyLengthWindowed : model.keyLength;
}

/** Width of one value head in a layer. */
export function valueLengthOf(model: Hyperparameters, il: number): number {
  return model.window?.layers[il] === true ? model.valueLengthWindowed : model.valueLength;
}

/** Width of all keys of a token in a layer. */
export function keyWidthOf(model: Hyperparameters, il: number): number {
  return keyLengthOf(model, il) * (model.kvHeads[il] ?? 0);
}

/** Width of all values of a token in a layer. */
export function valueWidthOf(model: Hyperparameters, il: number): number {
  return valueLengthOf(model, il) * (model.kvHeads[il] ?? 0);
}

/** Limits the trained context to the range of contexts that a caller may ask for. */
function trainedContext(tokens: number | null): number | null {
  return tokens === null || tokens < 1 ? null : Math.min(tokens, MAX_TOKENS);
}
