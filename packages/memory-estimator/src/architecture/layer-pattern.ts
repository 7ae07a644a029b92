import { itemAt } from '../item-at.js';
import type { Hyperparameters } from './hyperparameters.js';
import { haveSame, isSameShape, isSameTensor, type TensorGroups } from './tensor-groups.js';

/** A stretch: consecutive layers in which each layer equals the layer that is `period` layers earlier. */
export interface LayerPattern {
  /** First layer of the stretch. */
  readonly start: number;
  /** Number of layers after which the stretch repeats. */
  readonly period: number;
  /**
   * Index after the last layer of the stretch. No stretch contains the model's last layer, because that layer drops
   * the rows of tokens without logits.
   */
  readonly end: number;
}

/** The longest period that is searched for. Longer periods save no time. */
const LONGEST_PERIOD = 8;

/** The longest stretches of repeating layers (`null` where no layers repeat), and the layers that are unlike others. */
export interface LayerPatterns {
  /**
   * The layers may differ in the types of their weights. Types matter only where weights are copied.
   */
  readonly byShape: LayerPattern | null;
  /** The layers also have weights of equal types. */
  readonly byType: LayerPattern | null;
  /**
   * The layers without an equal layer shortly before them. What holds for the tensors and figures of these layers holds for all
   * layers of the model.
   */
  readonly distinct: ReadonlySet<number>;
}

export function findLayerPatterns(
  model: Hyperparameters,
  layers: readonly TensorGroups[],
): LayerPatterns {
  const all = layers.slice(0, model.layers);
  const facts = all.map((_, il) => factsOf(model, il));
  const isEqual = (one: number, other: number, isSame: typeof isSameShape): boolean =>
    facts[one] === facts[other] && haveSame(itemAt(all, one), itemAt(all, other), isSame);
  const byType = classesOf(all, (one, other) => isEqual(one, other, isSameTensor));
  const byShape = classesOf(
    all,
    (one, other) => byType[one] === byType[other] || isEqual(one, other, isSameShape),
  );
  return {
    byShape: longestPattern(byShape),
    byType: longestPattern(byType),
    distinct: new Set(byType),
  };
}

/**
 * Gives equal layers the same number. A layer is compared only with those of the longest period before it, because
 * farther layers make no pattern.
 */
function classesOf(
  layers: readonly TensorGroups[],
  isEqual: (one: number, other: number) => boolean,
): readonly number[] {
  const classes: number[] = [];
  for (const il of layers.keys()) {
    const recent = [...new Set(classes.slice(-LONGEST_PERIOD))];
    classes.push(recent.find((first) => isEqual(first, il)) ?? il);
  }
  return classes;
}

function longestPattern(signatures: readonly number[]): LayerPattern | null {
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

/** Number of layers in a stretch that repeat an earlier layer. */
function repeats({ start, period, end }: LayerPattern): number {
  return end - start - period;
}

/** The properties of a layer that its part of the graph depends on, besides its tensors. */
function factsOf(model: Hyperparameters, il: number): string {
  return [
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
  ].join();
}
