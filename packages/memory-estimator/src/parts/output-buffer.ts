import type { Hyperparameters } from '../architecture/hyperparameters.js';
import type { RuntimeShape } from '../settings/runtime-shape.js';

const BYTES_PER_VALUE = 4;

/** Bytes of the logits of one token of each sequence; llama-context.cpp, output_reserve. */
export function outputBytes(model: Hyperparameters, shape: RuntimeShape): number {
  return BYTES_PER_VALUE * model.vocabulary * shape.sequences;
}
