import type { SelectionPolicy } from '@mai/memory-ledger';
import type { PoolOutcome } from '@mai/selector';

/** What others used of each pool over the last seconds. Plain data. */
export type UseSamples = readonly {
  readonly atMs: number;
  readonly pools: readonly Pick<PoolOutcome, 'pool' | 'othersBytes'>[];
}[];

/** Long enough to tell a ramp from noise, short enough to see one that has just begun. */
const WINDOW_MS = 15_000;
const SAMPLES_MIN = 5;
const SAMPLES_MAX = 32;
/** Others must have grown by this share of the pool within the window to count as a ramp at all. */
const RISE_MIN_RATIO = 0.02;
/** ... fallen in at most this share of the pairs of samples that differ: noise is not a ramp. */
const FALLING_PAIRS_MAX = 0.2;
/** ... and not by one step: what rises at once may be all that comes. */
const STEP_MAX_RATIO = 0.7;

/** The samples with one more, old ones dropped. */
export function addUse(
  samples: UseSamples,
  atMs: number,
  pools: readonly PoolOutcome[],
): UseSamples {
  const last = samples[samples.length - 1];
  // A clock that was put back: nothing is known of how long ago the samples were.
  if (last !== undefined && last.atMs >= atMs) return [{ atMs, pools }];
  const fresh = samples.findIndex((one) => one.atMs > atMs - WINDOW_MS);
  const from = fresh === -1 ? samples.length : Math.max(fresh, samples.length - SAMPLES_MAX + 1);
  return [...samples.slice(from), { atMs, pools }];
}

/** Where others are going. */
export interface Forecast {
  /** Until the first pool reaches its hard limit if others go on as they do. */
  readonly timeToHardLimitMs: number;
  /** Bytes per millisecond that others take of each pool that they climb in. */
  readonly slopes: ReadonlyMap<PoolOutcome['pool'], number>;
}

/**
 * How others go on, by the median of the slopes between all pairs of samples (Theil and Sen), which a
 * single spike does not bend. Null when the samples do not show a ramp.
 */
export function forecastUse(samples: UseSamples, pools: readonly PoolOutcome[]): Forecast | null {
  if (samples.length < SAMPLES_MIN) return null;
  let soonestMs = Number.POSITIVE_INFINITY;
  const slopes = new Map<PoolOutcome['pool'], number>();
  for (const pool of pools) {
    const slope = slopeOf(samples, pool);
    if (slope === null) continue;
    slopes.set(pool.pool, slope);
    const leftBytes = pool.totalBytes * pool.hardLimitRatio - pool.useBeforeBytes;
    soonestMs = Math.min(soonestMs, Math.max(0, leftBytes / slope));
  }
  return slopes.size === 0 ? null : { timeToHardLimitMs: Math.round(soonestMs), slopes };
}

/**
 * The policy with its limits lowered by what others will have taken of each kind of pool after so long:
 * what is loaded into a ramp has to fit when it is there, not when it is asked for.
 */
export function limitsAfter(
  policy: SelectionPolicy,
  { slopes }: Forecast,
  pools: readonly PoolOutcome[],
  horizonMs: number,
): SelectionPolicy {
  const growth = (concerns: (pool: PoolOutcome['pool']) => boolean): number =>
    pools.reduce(
      (most, { pool, totalBytes }) =>
        concerns(pool) ? Math.max(most, ((slopes.get(pool) ?? 0) * horizonMs) / totalBytes) : most,
      0,
    );
  return {
    ...policy,
    memoryLimitRatio: Math.max(0, policy.memoryLimitRatio - growth((pool) => pool === 'ram')),
    vramLimitRatio: Math.max(0, policy.vramLimitRatio - growth((pool) => pool.startsWith('gpu:'))),
  };
}

/** Bytes per millisecond; null when it is not a ramp upwards. */
function slopeOf(samples: UseSamples, pool: PoolOutcome): number | null {
  const bytesAt = ({ pools }: UseSamples[number]): number | null =>
    pools.find((one) => one.pool === pool.pool)?.othersBytes ?? null;
  const points = samples.filter((sample) => bytesAt(sample) !== null);
  const [first] = points;
  const last = points[points.length - 1];
  if (first === undefined || last === undefined || points.length < SAMPLES_MIN) return null;
  // On a machine that rests this is all that is looked at.
  const rose = (bytesAt(last) ?? 0) - (bytesAt(first) ?? 0);
  if (rose < RISE_MIN_RATIO * pool.totalBytes) return null;
  const bytes = points.map((point) => bytesAt(point) ?? 0);
  if (largestStep(bytes) > STEP_MAX_RATIO * rose) return null;
  const slopes: number[] = [];
  let falling = 0;
  for (const [index, from] of points.entries()) {
    for (let later = index + 1; later < points.length; later += 1) {
      const to = points[later] as UseSamples[number];
      const change = (bytes[later] as number) - (bytes[index] as number);
      if (change < 0) falling += 1;
      // Where readings are rarer than looks, memory seems to rise in stairs; the flights between are none.
      if (change !== 0) slopes.push(change / (to.atMs - from.atMs));
    }
  }
  if (falling > FALLING_PAIRS_MAX * slopes.length) return null;
  slopes.sort((one, other) => one - other);
  return slopes[Math.floor(slopes.length / 2)] ?? null;
}

/** The most that was gained at once and kept: a spike that is over is no step. */
function largestStep(bytes: readonly number[]): number {
  const lowestFrom: number[] = [];
  let lowest = Number.POSITIVE_INFINITY;
  for (let index = bytes.length - 1; index >= 0; index -= 1) {
    lowest = Math.min(lowest, bytes[index] as number);
    lowestFrom[index] = lowest;
  }
  let highest = bytes[0] ?? 0;
  let largest = 0;
  for (let index = 1; index < bytes.length; index += 1) {
    largest = Math.max(largest, (lowestFrom[index] as number) - highest);
    highest = Math.max(highest, bytes[index] as number);
  }
  return largest;
}
