import { keyWidthOf, valueWidthOf, type Hyperparameters } from '../architecture/hyperparameters.js';
import { tensorTypeLayout, type TensorTypeLayout } from '../gguf/tensor-types.js';
import type { ResolvedSettings } from '../settings/estimate-settings.js';
import type { KvCacheType } from '../settings/load-config.js';
import type { RuntimeShape } from '../settings/runtime-shape.js';

/** ggml_type numbers of the cache types. */
const CACHE_TYPES: Readonly<Record<KvCacheType, number>> = {
  f32: 0,
  f16: 1,
  bf16: 30,
  q8_0: 8,
  q5_1: 7,
  q5_0: 6,
  q4_1: 3,
  q4_0: 2,
  iq4_nl: 20,
};

/** Every type that a cache can have. */
export function cacheTypes(): readonly string[] {
  return Object.keys(CACHE_TYPES);
}

/** How a cache type is stored. */
export function cacheLayout(type: KvCacheType): TensorTypeLayout {
  return tensorTypeLayout(CACHE_TYPES[type]) as TensorTypeLayout;
}

/** Bytes of the KV cache of each layer; 0 for layers without one. Source: llama-kv-cache.cpp. */
export function kvCacheBytesByLayer(
  model: Hyperparameters,
  settings: ResolvedSettings,
  shape: RuntimeShape,
): number[] {
  const keys = cacheLayout(settings.kvCacheTypeK);
  const values = cacheLayout(settings.kvCacheTypeV);
  const widest = widestValue(model);
  return Array.from({ length: model.layers }, (_, il) => {
    if (!model.cached || model.attention[il] !== true) return 0;
    const windowed = model.window?.layers[il] === true;
    const cells = (windowed ? shape.windowCells : shape.cells) * shape.streams;
    // Transposed values (no flash attention) are padded to the widest layer's width.
    const valueWidth = settings.flashAttention ? valueWidthOf(model, il) : widest;
    const keyRow = rowBytes(keys, keyWidthOf(model, il));
    // Latent attention finds its values inside its keys.
    const valueRow = model.latent === null ? rowBytes(values, valueWidth) : 0;
    return cells * (keyRow + valueRow);
  });
}

function widestValue(model: Hyperparameters): number {
  let widest = 0;
  for (let il = 0; il < model.layersInFile; il += 1)
    widest = Math.max(widest, valueWidthOf(model, il));
  return widest;
}

export function rowBytes(layout: TensorTypeLayout, elements: number): number {
  return Math.floor(elements / layout.blockElements) * layout.blockBytes;
}
