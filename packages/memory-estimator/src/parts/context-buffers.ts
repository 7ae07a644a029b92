import type { KvCacheType } from '@mai/memory-ledger';
import { compressorValues, overlaps, ratioOf } from '../architecture/compression.js';
import {
  keyWidthOf,
  valueLengthOf,
  valueWidthOf,
  type Hyperparameters,
} from '../architecture/hyperparameters.js';
import { rowBytes, TENSOR_TYPES, type TensorTypeLayout } from '../gguf/tensor-types.js';
import { pad } from '../pad.js';
import type { EngineSettings } from '../settings/estimate-settings.js';
import { runtimeShape, type RuntimeShape } from './runtime-shape.js';

/** Bytes of one number (F32) in states and logits. */
const BYTES_PER_VALUE = 4;

const CACHE_LAYOUTS: Readonly<Record<KvCacheType, TensorTypeLayout>> = {
  f32: TENSOR_TYPES.F32,
  f16: TENSOR_TYPES.F16,
  bf16: TENSOR_TYPES.BF16,
  q8_0: TENSOR_TYPES.Q8_0,
  q5_1: TENSOR_TYPES.Q5_1,
  q5_0: TENSOR_TYPES.Q5_0,
  q4_1: TENSOR_TYPES.Q4_1,
  q4_0: TENSOR_TYPES.Q4_0,
  iq4_nl: TENSOR_TYPES.IQ4_NL,
};

/** How a cache type is stored. */
export function cacheLayout(type: KvCacheType): TensorTypeLayout {
  return CACHE_LAYOUTS[type];
}

/** Bytes of the KV cache of each layer; 0 for layers without a KV cache. Source: llama-kv-cache.cpp. */
export function kvCacheBytesByLayer(
  model: Hyperparameters,
  settings: EngineSettings,
  shape: RuntimeShape,
): number[] {
  const keys = cacheLayout(settings.kvCacheTypeK);
  const values = cacheLayout(settings.kvCacheTypeV);
  const widest = widestValue(model);
  const cachesNextToken =
    model.architecture.nextTokenCache === 'always' ||
    (model.architecture.nextTokenCache === 'by-engine' && settings.cachesNextToken);
  return Array.from({ length: model.layersInFile }, (_, il) => {
    const isCached = il < model.layers ? model.attention[il] === true : cachesNextToken;
    if (!model.cached || !isCached) return 0;
    const windowed = model.window?.layers[il] === true;
    const cells = (windowed ? shape.windowCells : shape.cells) * shape.streams;
    // Without flash attention, values are stored transposed and padded to the width of the widest layer.
    const valueWidth = settings.flashAttention ? valueWidthOf(model, il) : widest;
    const keyRow = rowBytes(keys, keyWidthOf(model, il));
    // Latent attention reads its values from its keys.
    const hasValues =
      model.latent === null ? model.compression === null : settings.cachesLatentValues;
    const valueRow = hasValues ? rowBytes(values, valueWidth) : 0;
    const own = cells * (keyRow + valueRow);
    return model.loops * own + sparseCacheBytes(model, il, { keys, values }, shape);
  });
}

/** Bytes of the caches that a layer has beside its own: the keys of its indexer, and its compressed tokens. */
function sparseCacheBytes(
  model: Hyperparameters,
  il: number,
  { keys, values }: { readonly keys: TensorTypeLayout; readonly values: TensorTypeLayout },
  { cells, streams }: RuntimeShape,
): number {
  const { indexer, compression, latent } = model;
  if (compression !== null) {
    const ratio = ratioOf(compression, il);
    if (ratio === null) return 0;
    const indexed = overlaps(ratio) ? rowBytes(keys, indexer?.keyLength ?? 0) : 0;
    const rows = pad(Math.max(1, Math.ceil(cells / ratio)), 256) * streams;
    return rows * (rowBytes(keys, keyWidthOf(model, il)) + indexed);
  }
  if (indexer?.layers[il] !== true) return 0;
  // Without latent attention, llama.cpp also reserves one head of values, which nothing uses.
  const unused = latent === null ? rowBytes(values, valueLengthOf(model, il)) : 0;
  return cells * streams * (rowBytes(keys, indexer.keyLength) + unused);
}

/** The largest number of values that a layer keeps for one token. */
export function widestValue(model: Hyperparameters): number {
  let widest = 0;
  for (let il = 0; il < model.layersInFile; il += 1)
    widest = Math.max(widest, valueWidthOf(model, il));
  return widest;
}

/** Bytes of the recurrent state of each layer, for any context length. Source: llama-memory-recurrent.cpp. */
export function recurrentBytesByLayer(model: Hyperparameters, shape: RuntimeShape): number[] {
  return stateBytesByLayer(model).map((bytes) => bytes * shape.sequences * shape.stateCopies);
}

/** Bytes of the state of one sequence in each layer: that of a recurrent layer, or of the compressor of a compressed cache. */
export function stateBytesByLayer(model: Hyperparameters): number[] {
  const { rollingStateSize, recurrentStateSize, compression, keyLength, indexer } = model;
  return Array.from({ length: model.layers }, (_, il) => {
    const recurrent = model.recurrent[il] === true ? rollingStateSize + recurrentStateSize : 0;
    const lengths = { layer: keyLength, indexer: indexer?.keyLength ?? 0 };
    return BYTES_PER_VALUE * (recurrent + compressorValues(ratioOf(compression, il), lengths));
  });
}

/** Bytes of the logits of one token of each sequence. Source: output_reserve in llama-context.cpp. */
export function outputBytes(
  model: Hyperparameters,
  settings: EngineSettings,
  shape: RuntimeShape,
): number {
  return outputBytesOf(model, settings, shape.sequences);
}

/**
 * Bytes that the output buffer of an embedding model grows by when an input fills a batch; 0 for other models and
 * other engines.
 */
export function outputGrowthBytes(model: Hyperparameters, settings: EngineSettings): number {
  if (!settings.isEmbedding || !settings.embeddingLogits) return 0;
  const { sequences, graphOutputs } = runtimeShape(model, settings);
  return outputBytesOf(model, settings, graphOutputs) - outputBytesOf(model, settings, sequences);
}

function outputBytesOf(model: Hyperparameters, settings: EngineSettings, tokens: number): number {
  const embedding = settings.isEmbedding && settings.embeddingLogits ? model.embedding : 0;
  return BYTES_PER_VALUE * (model.vocabulary + embedding) * tokens;
}
