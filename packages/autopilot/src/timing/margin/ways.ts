import { charge, valueOf, type PoolName } from '@mai/memory-ledger';
import { loadTimeMs, type PoolOutcome, type Selection, type SelectionInput } from '@mai/selector';

/** One way to load one model of the chain. */
export interface Way {
  /** Bytes that the load takes, by pool. */
  readonly needed: ReadonlyMap<PoolName, number>;
  readonly value: number;
  readonly loadMs: number;
  /** The place of the model among those in play; 0 is the most preferred. */
  readonly place: number;
  /** Whether this is the last load option of its model, which takes the least memory. */
  readonly isCheapest: boolean;
  /** The last model of the chain may stay up to the hard limit. */
  readonly isLast: boolean;
}

/** Used where values are not known: the value relative to the candidate, or the load option, before it. */
const ASSUMED = { candidate: 0.8, option: 0.98 };

/** Rejections that do not depend on the use of memory. A candidate with one of them is not in play. */
const OUT_OF_PLAY: ReadonlySet<string> = new Set([
  'NOT_DOWNLOADED',
  'ENGINE_REFUSES',
  'MISSING_CAPABILITY',
  'OUTSIDE_TIER',
  'COOLING_DOWN_AFTER_FAILURE',
  'FOOTPRINT_UNKNOWN',
  'CONTEXT_TOO_SMALL',
  'GUARDRAILS',
]);

/** The ways to load the models of the chain that are in play, in order of preference. */
export function waysOf(
  { candidates, resources, policy }: SelectionInput,
  { rejected }: Selection,
): readonly Way[] {
  const out = new Set(
    rejected.flatMap((one) => (OUT_OF_PLAY.has(one.rejection.code) ? [one.candidateIndex] : [])),
  );
  const inPlay = candidates.filter((_, index) => !out.has(index));
  const ways = inPlay.flatMap(({ loadOptions }, place) => {
    const loadable = loadOptions.flatMap((option, index) => {
      const { footprint, guardrails } = option;
      return footprint === null || guardrails === 'refuse' ? [] : [{ option, footprint, index }];
    });
    return loadable.map(({ option, footprint, index }) => ({
      needed: charge(footprint, resources, 'upper-end', 'ignore').charge,
      value: valueOf(option, policy),
      assumed: ASSUMED.candidate ** place * ASSUMED.option ** index,
      loadMs: loadTimeMs(option),
      place,
      isCheapest: index === loadable.at(-1)?.index,
      isLast: place === inPlay.length - 1,
    }));
  });
  const known = ways.every(({ value }) => value !== null);
  return ways.map(({ value, assumed, ...way }) => ({
    ...way,
    value: known && value !== null ? value : assumed,
  }));
}

/**
 * The margin with which a step up takes the cheapest way of each model before `cheapestBefore`. This is the given margin, unless a
 * way that takes more memory would fit with the given margin, too. Then it is a larger margin, halfway between the room that the
 * larger way leaves and the room that the cheapest way leaves. So a small change of the others' use before the decision does not
 * matter.
 */
export function marginFor(
  marginRatio: number,
  cheapestBefore: number,
  ways: readonly Way[],
  pools: readonly PoolOutcome[],
): number {
  const first = ways.find((way) => headroomRatio(way, pools) >= marginRatio);
  if (first === undefined || first.isCheapest || first.place >= cheapestBefore) return marginRatio;
  const cheapest = ways.find(({ place, isCheapest }) => isCheapest && place === first.place);
  const ratios = ways
    .filter((way) => way.place === first.place && !way.isCheapest)
    .map((way) => headroomRatio(way, pools));
  const most = cheapest === undefined ? 0 : headroomRatio(cheapest, pools);
  const largest = Math.max(...ratios);
  return largest < most ? (largest + most) / 2 : marginRatio;
}

/** The room that is left below the limit while only this way is loaded, in the tightest pool, as a share of that pool. */
function headroomRatio({ needed }: Way, pools: readonly PoolOutcome[]): number {
  return pools.reduce((least, { pool, othersBytes, limitBytes, totalBytes }) => {
    const bytes = needed.get(pool) ?? 0;
    return bytes === 0 ? least : Math.min(least, (limitBytes - othersBytes - bytes) / totalBytes);
  }, Number.POSITIVE_INFINITY);
}
