import { DEFAULT_SELECTION_POLICY, measurePools, useOf } from '@mai/memory-ledger';
import type { PoolName } from '@mai/memory-ledger';
import type { ResourceSnapshot } from '../snapshot.js';

/** The range in which a monitor chooses its sampling interval. */
export interface IntervalBounds {
  readonly minMs: number;
  readonly maxMs: number;
}

/** Interval while use changes but is far from any limit. */
const USUAL_MS = 1000;
/** A pool's use counts as changing if it differs from the last sample's by more than this share of the total. */
const MOVING_RATIO = 0.005;
/**
 * A pool is near its limit if the distance from use to the default policy's limit is below this share of the
 * total.
 */
const NEAR_LIMIT_MARGIN_RATIO = 0.05;
const NEAR_LIMIT_MS = 500;
/** Factor by which the interval grows with each sample while no use changes. */
const GROWTH_FACTOR = 1.5;

/**
 * The wait before the next sample: the minimum during a load, 0.5 s while the use of a pool near its limit
 * changes, 1 s while any use changes or is near its limit, else 1.5 times the last wait.
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
  const pools = usesOf(now);
  const earlier = new Map(
    (before === null ? [] : usesOf(before)).map(({ name, useRatio }) => [name, useRatio] as const),
  );
  const moving = pools.filter(
    ({ name, useRatio }) => Math.abs(useRatio - (earlier.get(name) ?? useRatio)) > MOVING_RATIO,
  );
  if (moving.some(({ nearLimit }) => nearLimit)) return within(NEAR_LIMIT_MS);
  if (before === null || moving.length > 0) return within(USUAL_MS);
  // Near a limit, the next change can exceed the limit.
  if (pools.some(({ nearLimit }) => nearLimit)) return within(USUAL_MS);
  return within(Math.max(USUAL_MS, lastMs * GROWTH_FACTOR));
}

interface PoolUse {
  readonly name: PoolName;
  readonly useRatio: number;
  readonly nearLimit: boolean;
}

/** The use of each measured pool. */
function usesOf(snapshot: ResourceSnapshot): readonly PoolUse[] {
  return measurePools(snapshot, [], DEFAULT_SELECTION_POLICY)
    .filter(({ measured, totalBytes }) => measured && totalBytes > 0)
    .map((pool) => {
      const useRatio = useOf(pool) / pool.totalBytes;
      const nearLimit = useRatio > pool.limitRatio - NEAR_LIMIT_MARGIN_RATIO;
      return { name: pool.name, useRatio, nearLimit };
    });
}
