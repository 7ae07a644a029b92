import type { KvCacheType } from '@mai/memory-ledger';
import { keyWidthOf, valueWidthOf, type Hyperparameters } from '../architecture/hyperparameters.js';
import { rowBytes, TENSOR_TYPES, type TensorTypeLayout } from '../gguf/tensor-types.js';
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
  return Array.from({ length: model.layers }, (_, il) => {
    if (!model.cached || model.attention[il] !== true) return 0;
    const windowed = model.window?.layers[il] === true;
    const cells = (windowed ? shape.windowCells : shape.cells) * shape.streams;
    // Without flash attention, values are stored transposed and padded to the width of the widest layer.
    const valueWidth = settings.flashAttention ? valueWidthOf(model, il) : widest;
    const keyRow = rowBytes(keys, keyWidthOf(model, il));
    // Latent attention reads its values from its keys.
    const valueRow = model.latent === null ? rowBytes(values, valueWidth) : 0;
    return cells * (keyRow + valueRow);
  });
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
  const perSequence = recurrentBytesOfLayer(model);
  return Array.from({ length: model.layers }, (_, il) =>
    model.recurrent[il] === true ? perSequence * shape.sequences * shape.stateCopies : 0,
  );
}

/** Bytes of the recurrent state of one sequence in one recurrent layer. */
export function recurrentBytesOfLayer(model: Hyperparameters): number {
  return BYTES_PER_VALUE * (model.rollingStateSize + model.recurrentStateSize);
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
