import type { Hyperparameters } from './hyperparameters.js';
import type { TensorGroups } from './tensor-groups.js';

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

/** The longest stretches of layers that repeat, each null where there is none. */
export interface LayerPatterns {
  /** In everything but the types of their weights, which do not matter where weights stay where they are. */
  readonly byShape: LayerPattern | null;
  /** In the types of their weights too: copies of them are as large. */
  readonly byType: LayerPattern | null;
}

export function findLayerPatterns(
  model: Hyperparameters,
  layers: readonly TensorGroups[],
): LayerPatterns {
  const all = layers.slice(0, model.layers);
  const shapes = all.map((tensors, il) => shapeOf(model, tensors, il));
  return {
    byShape: longestPattern(shapes),
    byType: longestPattern(shapes.map((shape, il) => shape + typesOf(all[il] as TensorGroups))),
  };
}

function longestPattern(signatures: readonly string[]): LayerPattern | null {
  const last = signatures.length - 1;
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

/** All but types that makes one layer's part of the graph differ from another's. */
function shapeOf(model: Hyperparameters, tensors: TensorGroups, il: number): string {
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

function typesOf(tensors: TensorGroups): string {
  const types = [...tensors].map(
    ([name, { weight, bias }]) => `${name}:${weight?.type}:${bias?.type}`,
  );
  return `;${types.sort().join()}`;
}
