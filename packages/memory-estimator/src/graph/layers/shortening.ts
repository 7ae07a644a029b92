import type { LayerPattern, LayerPatterns } from '../../architecture/layer-pattern.js';
import type { Reservation } from '../packing/allocate.js';
import type { Tensor } from '../tensors/tensor.js';

/** Layers of a repeating stretch that are left out: `skipFrom` is the first, and `skipTo` follows the last. */
export interface Shortening {
  readonly skipFrom: number;
  readonly skipTo: number;
  readonly period: number;
  /** The number of rounds that are left out is a multiple of this. */
  readonly step: number;
}

/** The placement of a layer. */
export interface LayerLayout {
  readonly device: number;
  /** Whether weights of the layer are copied to a GPU that takes over operations. */
  readonly copiesWeights: boolean;
}

export type LayoutOfLayer = (il: number) => LayerLayout;

/**
 * Layers are left out only if their share is at least this. For fewer layers, the attempt may cost more than it
 * saves.
 */
const WORTHWHILE_SHARE = 0.3;

/** The layers of a graph after repeating layers were left out. */
export class ShortenedLayers {
  /** The layers to build, in order. */
  readonly indices: readonly number[];
  /**
   * By stretch, the hidden states after which the state of memory is compared. The comparison shows whether layers
   * can be left out.
   */
  readonly marks: readonly Tensor[][];
  readonly #shortenings: readonly Shortening[];

  constructor(layers: number, shortenings: readonly Shortening[]) {
    this.#shortenings = shortenings;
    this.marks = shortenings.map(() => []);
    this.indices = Array.from({ length: layers }, (_, il) => il).filter(
      (il) => !shortenings.some(({ skipFrom, skipTo }) => il >= skipFrom && il < skipTo),
    );
  }

  /** Adds the hidden state after a layer to the marks, if the stretch compares memory there. */
  done(il: number, hidden: Tensor): void {
    for (const [i, { skipFrom, period, step }] of this.#shortenings.entries()) {
      const before = skipFrom - 1 - il;
      if (before === 0 || before === period || before === step * period)
        this.marks[i]?.push(hidden);
    }
  }
}

/**
 * Packs the graph without most of the layers that repeat. When one round of a stretch leaves memory in the same
 * state as the round before, all further rounds leave this state too, and can be left out. If the state of memory
 * never repeats, packs the graph again with all layers.
 */
export function runShortened(
  patterns: LayerPatterns | null,
  layers: number,
  layout: LayoutOfLayer | null,
  run: (shortenings: readonly Shortening[]) => Reservation,
): Reservation {
  const shortenings = stretches(patterns, layers, layout)
    .map(shorten)
    .filter((shortening) => shortening !== null);
  const left = shortenings.reduce((sum, { skipFrom, skipTo }) => sum + skipTo - skipFrom, 0);
  if (left > 0 && left >= layers * WORTHWHILE_SHARE) {
    const reservation = run(shortenings);
    if (reservation.settled) return reservation;
  }
  return run([]);
}

/** The repeating stretches of layers, cut where the placement of layers changes. */
function stretches(
  patterns: LayerPatterns | null,
  layers: number,
  layout: LayoutOfLayer | null,
): readonly LayerPattern[] {
  if (patterns === null || layout === null) return [];
  const result: LayerPattern[] = [];
  for (let first = 0, next: number; first < layers; first = next) {
    const { copiesWeights } = layout(first);
    next = first + 1;
    while (next < layers && isSameLayout(layout(first), layout(next))) next += 1;
    const pattern = copiesWeights ? patterns.byType : patterns.byShape;
    if (pattern === null) continue;
    const [start, end] = [Math.max(first, pattern.start), Math.min(next, pattern.end)];
    if (start < end) result.push({ ...pattern, start, end });
  }
  return result;
}

function isSameLayout(one: LayerLayout, other: LayerLayout): boolean {
  return one.device === other.device && one.copiesWeights === other.copiesWeights;
}

/**
 * The layers to leave out of a stretch. A stretch with a period of one layer settles within three rounds, or never.
 * Its hidden state may alternate between two places, so an even number of rounds is left out. Longer periods settle
 * within two rounds. The last round stays, so that every input is last used in the same place.
 */
function shorten({ start, period, end }: LayerPattern): Shortening | null {
  const [rounds, step] = period === 1 ? [3, 2] : [2, 1];
  const skipFrom = start + rounds * period;
  const left = Math.floor((end - period - skipFrom) / (step * period));
  return left < 1 ? null : { skipFrom, skipTo: skipFrom + left * step * period, period, step };
}
