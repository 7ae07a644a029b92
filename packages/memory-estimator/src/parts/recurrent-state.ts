import type { Hyperparameters } from '../architecture/hyperparameters.js';
import type { RuntimeShape } from '../settings/runtime-shape.js';

const BYTES_PER_VALUE = 4;

/** Bytes of the recurrent state of each layer, whatever the context; llama-memory-recurrent.cpp. */
export function recurrentBytesByLayer(model: Hyperparameters, shape: RuntimeShape): number[] {
  const perSequence = BYTES_PER_VALUE * (model.rollingStateSize + model.recurrentStateSize);
  return Array.from({ length: model.layers }, (_, il) =>
    model.recurrent[il] === true ? perSequence * shape.sequences : 0,
  );
}
