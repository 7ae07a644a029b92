import type { ModelShape } from '@mai/memory-ledger';
import {
  keyLengthOf,
  keyWidthOf,
  valueLengthOf,
  valueWidthOf,
  type Hyperparameters,
} from '../architecture/hyperparameters.js';
import { indexModel } from '../architecture/model-index.js';
import type { GgufHeader, GgufTensor } from '../gguf/gguf-header.js';

/** Bytes of one number of the KV cache with the cache type `f16`. */
const F16_BYTES = 2;

/**
 * The figures of a model that decide its speed. Bytes are exact sums of the tensors that llama.cpp loads.
 *
 * - A token reads one row of an embedding table, so tables count towards `weightBytes` and not towards `activeWeightBytes`. If the
 *   token embedding is also the output matrix, the token reads all of it.
 * - A token reads `expert_used_count` of the `expert_count` experts of a layer.
 * - `kvBytesPerToken` and `queryValuesPerToken` count layers that attend to the whole context. Layers with a sliding window read the same bytes for
 *   each token once the window is full.
 *
 * @returns null where the header does not describe all weights, or lacks figures that the caches depend on.
 */
export function modelShape(header: GgufHeader): ModelShape | null {
  const { model, weights, allWeights } = indexModel(header);
  if (model === null || !allWeights) return null;
  const sum = { parameters: 0, active: 0, bytes: 0, activeBytes: 0, expert: 0, activeExpert: 0 };
  for (const { tensor, place, layer, isExpert } of weights.tensors) {
    const share = isExpert
      ? usedExperts(model, layer)
      : isTable(tensor, place, weights.tied)
        ? 0
        : 1;
    const parameters = parametersOf(tensor);
    const { sizeBytes } = tensor;
    sum.parameters += parameters;
    sum.active += share * parameters;
    sum.bytes += sizeBytes;
    sum.activeBytes += share * sizeBytes;
    if (!isExpert) continue;
    sum.expert += sizeBytes;
    sum.activeExpert += share * sizeBytes;
  }
  return {
    parameters: sum.parameters,
    activeParameters: Math.round(sum.active),
    layers: model.layers,
    weightBytes: sum.bytes,
    activeWeightBytes: Math.round(sum.activeBytes),
    expertBytes: sum.expert,
    activeExpertBytes: Math.round(sum.activeExpert),
    kvBytesPerToken: kvBytesPerToken(model),
    queryValuesPerToken: queryValuesPerToken(model),
  };
}

function parametersOf({ shape }: GgufTensor): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Share of a layer's experts that one token uses. */
function usedExperts({ experts, expertsUsed }: Hyperparameters, layer: number): number {
  const used = expertsUsed[layer] ?? 0;
  // A header that does not state the experts of a token says nothing about their share, so all of them count.
  return experts > 0 && used > 0 ? Math.min(1, used / experts) : 1;
}

/** Whether a token reads only one row of the tensor. */
function isTable(tensor: GgufTensor, place: string, tied: GgufTensor | null): boolean {
  return place === 'input' && tensor !== tied;
}

function kvBytesPerToken(model: Hyperparameters): number {
  if (!model.cached) return 0;
  let values = 0;
  for (const il of layersWithWholeContext(model)) {
    // Latent attention reads its values from its keys.
    values += keyWidthOf(model, il) + (model.latent === null ? valueWidthOf(model, il) : 0);
  }
  return values * F16_BYTES;
}

function queryValuesPerToken(model: Hyperparameters): number {
  let values = 0;
  for (const il of layersWithWholeContext(model)) {
    values += ((model.heads[il] ?? 0) * (keyLengthOf(model, il) + valueLengthOf(model, il))) / 2;
  }
  return values;
}

function layersWithWholeContext(model: Hyperparameters): readonly number[] {
  return Array.from({ length: model.layers }, (_, il) => il).filter(
    (il) => model.attention[il] === true && model.window?.layers[il] !== true,
  );
}
