import type { ResourceSnapshot } from '../snapshot.js';

/** Between these a monitor chooses its own pace. */
export interface IntervalBounds {
  readonly minMs: number;
  readonly maxMs: number;
}

/** Where nothing calls for faster or slower. */
const USUAL_MS = 1000;
/** A pool that moved by this share of its total since the last sample is moving. */
const MOVING_RATIO = 0.005;
/** Use above this share of a total is near a limit: policies set theirs from 0.8 on. */
const NEAR_LIMIT_RATIO = 0.85;
const NEAR_LIMIT_MS = 500;
const SLOWER_BY = 1.5;

/**
 * How long to wait for the next sample: as short as allowed while a model is being loaded, short while
 * a pool moves near a limit, the usual second while anything moves, and longer step by step while
 * nothing does.
 */
export function nextIntervalMs(
  before: ResourceSnapshot | null,
  now: ResourceSnapshot,
  lastMs: number,
  loading: boolean,
  bounds: IntervalBounds,
): number {
  const within = (ms: number): number => Math.min(bounds.maxMs, Math.max(bounds.minMs, ms));
  if (loading) return bounds.minMs;
  const pools = poolsOf(now);
  const earlier = before === null ? null : new Map(poolsOf(before).map((pool) => [pool.key, pool]));
  const moving = pools.filter(({ key, usedRatio }) => {
    const last = earlier?.get(key)?.usedRatio ?? usedRatio;
    return Math.abs(usedRatio - last) > MOVING_RATIO;
  });
  if (moving.some(({ usedRatio }) => usedRatio > NEAR_LIMIT_RATIO)) return within(NEAR_LIMIT_MS);
  if (before === null || moving.length > 0) return within(USUAL_MS);
  // Near a limit the next move may be the one that matters.
  if (pools.some(({ usedRatio }) => usedRatio > NEAR_LIMIT_RATIO)) return within(USUAL_MS);
  return within(Math.max(USUAL_MS, lastMs * SLOWER_BY));
}

/** How full each pool is that can be measured. */
export function poolsOf(
  snapshot: ResourceSnapshot,
): readonly { readonly key: string; readonly usedRatio: number }[] {
  const pools = [
    { key: 'ram', ...snapshot.ram },
    ...snapshot.gpus.map(({ deviceKey, totalBytes, availableBytes }) => ({
      key: `gpu:${deviceKey}`,
      totalBytes,
      availableBytes,
    })),
  ];
  return pools.flatMap(({ key, totalBytes, availableBytes }) =>
    totalBytes === null || availableBytes === null || totalBytes <= 0
      ? []
      : [{ key, usedRatio: (totalBytes - availableBytes) / totalBytes }],
  );
}
