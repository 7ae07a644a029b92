import type { Charge } from './charge.js';
import type { Pool } from './pools.js';
import type { PoolName, Rejection } from './selection.js';

/** Which limits a plan is held to. */
export type Strictness =
  /** The percentage limits and the minimum headroom. */
  | { readonly kind: 'limit' }
  /** Those, less a margin: stepping up asks for more than staying. */
  | { readonly kind: 'upgrade'; readonly marginRatio: number; readonly floorRatio: number }
  /** The hard limit: the last candidate of a chain may stay up to it. */
  | { readonly kind: 'hard-limit' };

/** The limit of a pool under a strictness, 0 to 1 of its total. */
export function limitRatioOf(pool: Pool, strictness: Strictness): number {
  switch (strictness.kind) {
    case 'limit':
      return pool.limitRatio;
    case 'upgrade':
      return Math.min(
        pool.limitRatio,
        Math.max(strictness.floorRatio, pool.limitRatio - strictness.marginRatio),
      );
    case 'hard-limit':
      return pool.hardLimitRatio;
  }
}

/** The most that may be in use in a pool, in bytes. */
export function allowedUseBytes(pool: Pool, strictness: Strictness): number {
  const headroom = strictness.kind === 'hard-limit' ? 0 : pool.minHeadroomBytes;
  return Math.min(
    Math.floor(pool.totalBytes * limitRatioOf(pool, strictness)),
    pool.totalBytes - headroom,
  );
}

/** A pool that would be exceeded, and by how much. */
export interface Excess {
  readonly pool: Pool;
  readonly shortfallBytes: number;
  readonly neededBytes: number;
  readonly allowedBytes: number;
}

/**
 * The pool that a model exceeds the most, or null where it fits. Only pools that the model itself takes
 * memory from count: a full GPU says nothing about a model that leaves it alone.
 *
 * @param needed what the model takes
 * @param freed what is evicted for it; its own charge too, when it is resident already
 */
export function worstExcess(
  pools: readonly Pool[],
  needed: Charge,
  freed: ReadonlyMap<PoolName, number>,
  strictness: Strictness,
): Excess | null {
  let worst: Excess | null = null;
  for (const pool of pools) {
    const neededBytes = Math.ceil(needed.get(pool.name) ?? 0);
    if (neededBytes <= 0) continue;
    const staysBytes = pool.othersBytes + pool.residentBytes - (freed.get(pool.name) ?? 0);
    const allowedBytes = allowedUseBytes(pool, strictness) - staysBytes;
    const shortfallBytes = Math.ceil(neededBytes - allowedBytes);
    if (shortfallBytes > 0 && shortfallBytes > (worst?.shortfallBytes ?? 0)) {
      worst = { pool, shortfallBytes, neededBytes, allowedBytes: Math.floor(allowedBytes) };
    }
  }
  return worst;
}

/** The reason code of a pool that is exceeded. */
export function rejectionOf({ pool, ...shortfall }: Excess): Rejection {
  if (pool.name === 'ram') return { code: 'INSUFFICIENT_RAM', ...shortfall };
  const deviceKey = pool.name.slice(pool.name.indexOf(':') + 1);
  return { code: 'INSUFFICIENT_VRAM', deviceKey, ...shortfall };
}
