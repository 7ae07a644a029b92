import type { Hyperparameters } from './hyperparameters.js';
import type { TensorGroups } from './model-index.js';

/** A stretch of layers that repeats itself. */
export interface LayerPattern {
  /** First layer of the stretch. */
  readonly start: number;
  /** Layers after which it repeats. */
  readonly period: number;
  /** The layer behind the stretch; never beyond the last layer, which drops rows and so differs. */
  readonly end: number;
}

/** Longer patterns than this save nothing. */
const LONGEST_PERIOD = 8;

/** The longest stretch of repeating layers, or null where there is none. */
export function findLayerPattern(
  model: Hyperparameters,
  layers: readonly TensorGroups[],
): LayerPattern | null {
  const signatures = Array.from({ length: model.layers }, (_, il) =>
    signatureOf(model, layers[il] as TensorGroups, il),
  );
  const last = model.layers - 1;
  let best: LayerPattern | null = null;
  for (let period = 1; period <= LONGEST_PERIOD; period += 1) {
    let start = 0;
    for (let il = 0; il + period < last; il += 1) {
      if (signatures[il] !== signatures[il + period]) start = il + 1;
      const end = il + period + 1;
      if (best === null || repeats({ start, period, end }) > repeats(best))
        best = { start, period, end };
    }
  }
  return best;
}

/** Layers that need not be looked at twice. */
function repeats({ start, period, end }: LayerPattern): number {
  return end - start - period;
}

/** All that makes one layer's part of the graph differ from another's. */
function signatureOf(model: Hyperparameters, tensors: TensorGroups, il: number): string {
  const facts = [
    model.heads[il],
    model.kvHeads[il],
    model.window?.layers[il] === true,
    model.recurrent[il] === true,
    model.attention[il] === true,
    model.expertsUsed[il],
    // Rules that count layers: SmolLM3 leaves out each fourth rotation, Gemma 3n makes the first ten sparse.
    model.architecture.name === 'smollm3' && il % 4 === 3,
    model.architecture.name === 'gemma3n' && il < 10,
  ];
  const shapes = [...tensors].map(
    ([name, { weight, bias }]) => `${name}:${weight?.shape.join('x')}:${bias?.shape.join('x')}`,
  );
  return `${facts.join()};${shapes.sort().join()}`;
}
