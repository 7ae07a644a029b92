import {
  allowedUse,
  fixedPool,
  isGpuShare,
  LIMIT,
  ramLimits,
  vramLimits,
  type PoolLimits,
  type PoolName,
  type SelectionPolicy,
} from '@mai/memory-ledger';
import type { PoolOutcome } from '@mai/selector';
import { suffixMinima } from './suffix-minima.js';

/** The total use and the use by others of each pool over the last seconds, oldest first. Plain data. */
export type UseSamples = readonly {
  readonly atMs: number;
  readonly pools: readonly Pick<PoolOutcome, 'pool' | 'othersBytes' | 'useBeforeBytes'>[];
}[];

/**
 * How long samples are kept: long enough to tell a ramp (a steady rise) from noise, and short enough to see a
 * ramp that has just begun.
 */
const WINDOW_MS = 15_000;
const SAMPLES_MIN = 5;
const SAMPLES_MAX = 32;
/** On a ramp, use rises by at least this share of the pool within the window. */
const RISE_MIN_RATIO = 0.02;
/** On a ramp, use falls in at most this share of the pairs of unequal samples. */
const FALLING_PAIRS_MAX = 0.2;
/** On a ramp, one step makes up at most this share of the rise. One or two large steps are programs that have started. */
const STEP_MAX_RATIO = 0.45;

/** Adds a sample, and drops the samples that are older than the window. */
export function addUse(
  samples: UseSamples,
  atMs: number,
  pools: readonly PoolOutcome[],
): UseSamples {
  const last = samples.at(-1);
  // After the clock was set back, the age of the samples is unknown.
  if (last !== undefined && last.atMs >= atMs) return [{ atMs, pools }];
  const fresh = samples.findIndex((one) => one.atMs > atMs - WINDOW_MS);
  const from = fresh === -1 ? samples.length : Math.max(fresh, samples.length - SAMPLES_MAX + 1);
  return [...samples.slice(from), { atMs, pools }];
}

/** The forecast of use. */
export interface Forecast {
  /** Time until the first pool reaches its hard limit; null when no pool's use is on a ramp. */
  readonly timeToHardLimitMs: number | null;
  /** Growth of the others in bytes per millisecond, for each pool with a ramp. */
  readonly slopes: ReadonlyMap<PoolName, number>;
}

/**
 * Forecasts use by the median of the slopes between all pairs of samples (Theil-Sen estimator). A single spike
 * changes this median little. Null when the samples show no ramp.
 *
 * The time until the hard limit includes the growth of our residents. The slopes do not include it, because the
 * growth of a resident ends with its unload.
 */
export function forecastUse(samples: UseSamples, pools: readonly PoolOutcome[]): Forecast | null {
  if (samples.length < SAMPLES_MIN) return null;
  let soonestMs = Number.POSITIVE_INFINITY;
  const slopes = new Map<PoolName, number>();
  for (const pool of pools) {
    const othersSlope = slopeOf(samples, pool, 'othersBytes');
    if (othersSlope !== null) slopes.set(pool.pool, othersSlope);
    const slope = slopeOf(samples, pool, 'useBeforeBytes');
    if (slope === null) continue;
    const leftBytes = Math.max(0, pool.hardLimitBytes - pool.useBeforeBytes);
    soonestMs = Math.min(soonestMs, leftBytes / slope);
  }
  const isRamp = Number.isFinite(soonestMs);
  if (!isRamp && slopes.size === 0) return null;
  return { timeToHardLimitMs: isRamp ? Math.round(soonestMs) : null, slopes };
}

/**
 * The policy with its limits lowered by the memory that the others will take within `horizonMs`. A model that
 * is chosen on a ramp must still fit when it is loaded.
 *
 * Where the minimum headroom sets the limit of a pool, that limit is lowered. All GPUs have the same limit, so
 * the lowest limit of any GPU is used.
 */
export function limitsAfter(
  policy: SelectionPolicy,
  { slopes }: Forecast,
  pools: readonly PoolOutcome[],
  horizonMs: number,
): SelectionPolicy {
  const ratioAfter = (
    { limitRatio, ...limits }: PoolLimits,
    concerns: (pool: PoolName) => boolean,
  ): number =>
    pools.reduce((least, { pool: name, totalBytes }) => {
      const slope = slopes.get(name);
      if (slope === undefined || !concerns(name)) return least;
      const pool = { ...fixedPool(name, totalBytes), ...limits, limitRatio };
      const allowedBytes = allowedUse(pool, LIMIT) - slope * horizonMs;
      return Math.min(least, Math.max(0, allowedBytes / totalBytes));
    }, limitRatio);
  return {
    ...policy,
    memoryLimitRatio: ratioAfter(ramLimits(policy, false), (pool) => pool === 'ram'),
    vramLimitRatio: ratioAfter(vramLimits(policy), (pool) => pool !== 'ram' && !isGpuShare(pool)),
  };
}

/** One reading of the use of one pool. */
interface Point {
  readonly atMs: number;
  readonly bytes: number;
}

/** Growth of a pool in bytes per millisecond; null when its use is not on a ramp. */
function slopeOf(
  samples: UseSamples,
  { pool, totalBytes }: PoolOutcome,
  figure: 'othersBytes' | 'useBeforeBytes',
): number | null {
  const points = samples.flatMap<Point>(({ atMs, pools }) => {
    const found = pools.find((one) => one.pool === pool);
    return found === undefined ? [] : [{ atMs, bytes: found[figure] }];
  });
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined || points.length < SAMPLES_MIN) return null;
  // Checked first, because it is cheap and usually shows that there is no ramp.
  const riseBytes = last.bytes - first.bytes;
  if (riseBytes < RISE_MIN_RATIO * totalBytes) return null;
  if (largestStep(points) > STEP_MAX_RATIO * riseBytes) return null;
  const slopes: number[] = [];
  let falling = 0;
  for (const [index, from] of points.entries()) {
    for (const to of points.slice(index + 1)) {
      const change = to.bytes - from.bytes;
      if (change < 0) falling += 1;
      // Skip equal pairs: a monitor that reads less often than we observe repeats its reading.
      if (change !== 0) slopes.push(change / (to.atMs - from.atMs));
    }
  }
  if (falling > FALLING_PAIRS_MAX * slopes.length) return null;
  slopes.sort((one, other) => one - other);
  return slopes[Math.floor(slopes.length / 2)] ?? null;
}

/** The largest rise from one point to the next that was not followed by a fall. */
function largestStep(points: readonly Point[]): number {
  const lowestFrom = suffixMinima(points.map(({ bytes }) => bytes));
  let highest = points[0]?.bytes ?? 0;
  let largest = 0;
  for (const [index, { bytes }] of points.entries()) {
    largest = Math.max(largest, (lowestFrom[index] ?? bytes) - highest);
    highest = Math.max(highest, bytes);
  }
  return largest;
}
