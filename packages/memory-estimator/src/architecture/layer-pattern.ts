import { itemAt } from '../item-at.js';
import type { Hyperparameters } from './hyperparameters.js';
import type { TensorGroups } from './tensor-groups.js';

/** A stretch of layers in which every layer equals the one a period before. */
export interface LayerPattern {
  /** First layer of the stretch. */
  readonly start: number;
  /** Number of layers after which the stretch repeats. */
  readonly period: number;
  /** Index after the last layer of the stretch. The model's last layer drops rows, so no stretch contains it. */
  readonly end: number;
}

/** Longer periods save no time. */
const LONGEST_PERIOD = 8;

/** The longest stretches of layers that repeat; `null` where no layers do. */
export interface LayerPatterns {
  /**
   * Stretches whose layers may differ in the types of their weights. Types matter only where weights are
   * copied.
   */
  readonly byShape: LayerPattern | null;
  /** Stretches whose layers also have weights of equal types. */
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
    byType: longestPattern(all.map((tensors, il) => itemAt(shapes, il) + typesOf(tensors))),
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

/** Layers of a stretch that repeat an earlier one. */
function repeats({ start, period, end }: LayerPattern): number {
  return end - start - period;
}

/** The properties of a layer, except types, that its part of the graph depends on. */
function shapeOf(model: Hyperparameters, tensors: TensorGroups, il: number): string {
  const facts = [
    model.heads[il],
    model.kvHeads[il],
    model.window?.layers[il] === true,
    model.recurrent[il] === true,
    model.attention[il] === true,
    model.expertsUsed[il],
    // Some rules depend on the layer's number: SmolLM3 does not rotate in each fourth layer, and the first
    // ten layers of Gemma 3n are sparse.
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
