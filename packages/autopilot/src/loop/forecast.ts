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
/** ... and in this share of all pairs of samples: a step or a spike is not a ramp. */
const RISING_PAIRS_MIN = 0.8;

/** The samples with one more, old ones dropped. */
export function addUse(
  samples: UseSamples,
  atMs: number,
  pools: readonly PoolOutcome[],
): UseSamples {
  const kept = samples.filter((one) => one.atMs > atMs - WINDOW_MS && one.atMs < atMs);
  return [...kept.slice(-(SAMPLES_MAX - 1)), { atMs, pools }];
}

/**
 * When the first pool reaches its hard limit if others go on as they do, by the median of the slopes
 * between all pairs of samples (Theil and Sen), which a single spike does not bend. Null when none is
 * in sight or the samples do not show a ramp.
 */
export function timeToHardLimitMs(
  samples: UseSamples,
  pools: readonly PoolOutcome[],
): number | null {
  if (samples.length < SAMPLES_MIN) return null;
  let soonestMs: number | null = null;
  for (const pool of pools) {
    const slope = slopeOf(samples, pool);
    if (slope === null) continue;
    const leftBytes = pool.totalBytes * pool.hardLimitRatio - pool.useBeforeBytes;
    const timeMs = Math.max(0, leftBytes / slope);
    if (soonestMs === null || timeMs < soonestMs) soonestMs = timeMs;
  }
  return soonestMs === null ? null : Math.round(soonestMs);
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
  const slopes: number[] = [];
  const bytes = points.map((point) => bytesAt(point) ?? 0);
  for (const [index, from] of points.entries()) {
    for (let later = index + 1; later < points.length; later += 1) {
      const to = points[later] as UseSamples[number];
      slopes.push(((bytes[later] as number) - (bytes[index] as number)) / (to.atMs - from.atMs));
    }
  }
  const rising = slopes.filter((slope) => slope > 0).length;
  if (rising < RISING_PAIRS_MIN * slopes.length) return null;
  slopes.sort((one, other) => one - other);
  return slopes[Math.floor(slopes.length / 2)] ?? null;
}
