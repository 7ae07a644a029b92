import type { PoolOutcome } from '@mai/selector';

/** What others took of a pool during a few seconds, as ratios of its total. */
export interface UseBucket {
  readonly startMs: number;
  readonly minRatio: number;
  readonly maxRatio: number;
  /** The largest rise inside the bucket: the least and the most alone have lost their order. */
  readonly riseRatio: number;
}

/** What others took of each pool over the last minutes; plain data. */
export type UseHistory = Readonly<Record<string, readonly UseBucket[]>>;

/** How far back the restlessness of a machine is looked at. Builds and games come and go in minutes. */
const WINDOW_MS = 600_000;
/** Resolution of the history: bounded memory whatever the rate of observations. */
const BUCKET_MS = 5_000;

/** The history with one more observation. */
export function recordUse(
  history: UseHistory,
  atMs: number,
  pools: readonly PoolOutcome[],
): UseHistory {
  return Object.fromEntries(
    pools.map(({ pool, othersBytes, totalBytes }) => {
      const ratio = othersBytes / totalBytes;
      const kept = (history[pool] ?? []).filter(({ startMs }) => startMs > atMs - WINDOW_MS);
      const last = kept.at(-1);
      if (last === undefined || atMs - last.startMs >= BUCKET_MS) {
        const bucket = { startMs: atMs, minRatio: ratio, maxRatio: ratio, riseRatio: 0 };
        return [pool, [...kept, bucket]];
      }
      const merged = {
        startMs: last.startMs,
        minRatio: Math.min(last.minRatio, ratio),
        maxRatio: Math.max(last.maxRatio, ratio),
        riseRatio: Math.max(last.riseRatio, ratio - last.minRatio),
      };
      return [pool, [...kept.slice(0, -1), merged]];
    }),
  );
}

/**
 * The largest rise of others' use within the window, over all pools, 0 to 1: what could come again
 * while a larger model is loaded. A fall alone, as when a game ends, is no reason to hold back.
 */
export function largestRise(history: UseHistory): number {
  return Math.max(0, ...Object.values(history).map(riseOf));
}

function riseOf(buckets: readonly UseBucket[]): number {
  let lowest = Infinity;
  let rise = 0;
  for (const { minRatio, maxRatio, riseRatio } of buckets) {
    rise = Math.max(rise, riseRatio, maxRatio - lowest);
    lowest = Math.min(lowest, minRatio);
  }
  return rise;
}
