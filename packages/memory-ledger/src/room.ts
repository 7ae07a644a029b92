import type { Charge, PoolName } from './charge.js';
import { useOf, type Pool } from './pools.js';

/** The limit that the use of a pool is compared with. */
export type Limit =
  /** The configured share of the total, and the minimum headroom. */
  | { readonly kind: 'limit' }
  /**
   * The same with the share lowered by a margin, but not below a floor: stepping up asks for more room
   * than staying. Both are ratios, 0 to 1.
   */
  | { readonly kind: 'upgrade'; readonly marginRatio: number; readonly floorRatio: number }
  /** The share above which memory is about to run out. No minimum headroom. */
  | { readonly kind: 'hard-limit' }
  /** The whole pool. Use above it is memory that has run out. */
  | { readonly kind: 'capacity' };

export const LIMIT: Limit = { kind: 'limit' };
export const HARD_LIMIT: Limit = { kind: 'hard-limit' };
export const CAPACITY: Limit = { kind: 'capacity' };

/** The share of a pool's total that may be in use, 0 to 1. */
export function limitRatioOf(pool: Pool, limit: Limit): number {
  switch (limit.kind) {
    case 'limit':
      return pool.limitRatio;
    case 'upgrade':
      return Math.min(
        pool.limitRatio,
        Math.max(limit.floorRatio, pool.limitRatio - limit.marginRatio),
      );
    case 'hard-limit':
      return pool.hardLimitRatio;
    case 'capacity':
      return 1;
  }
}

/**
 * The most bytes of a pool that may be in use: the limit's share, or less where the minimum headroom
 * requires it.
 */
export function allowedUse(pool: Pool, limit: Limit): number {
  const shareBytes = Math.floor(pool.totalBytes * limitRatioOf(pool, limit));
  return limit.kind === 'hard-limit' || limit.kind === 'capacity'
    ? shareBytes
    : Math.min(shareBytes, pool.totalBytes - pool.minHeadroomBytes);
}

/** Whether more of a pool is in use than the limit allows: others and the full charge of the residents. */
export function isOverLimit(pool: Pool, limit: Limit): boolean {
  return useOf(pool) > allowedUse(pool, limit);
}

/**
 * Bytes that may still be loaded into a pool; negative where use is above the limit already.
 *
 * @param freedBytes - the charge of what is unloaded first.
 */
export function room(pool: Pool, limit: Limit, freedBytes = 0): number {
  return allowedUse(pool, limit) - (useOf(pool) - freedBytes);
}

/** A pool that is too small for a charge. */
export interface Shortfall {
  readonly pool: PoolName;
  /** Missing bytes; at least 1. */
  readonly shortfallBytes: number;
  /** Bytes that the load takes of the pool. */
  readonly neededBytes: number;
  /** Bytes that the load may take of the pool: the room. */
  readonly allowedBytes: number;
}

/** How a charge is compared with pools. */
export interface FitOptions {
  readonly limit: Limit;
  /** The charge of what is unloaded before the load. Default: nothing. */
  readonly freed?: Charge;
}

/**
 * The pool that lacks the most bytes for a charge; `null` where the charge fits.
 *
 * Only charged pools count: a full GPU does not matter to a model that does not use it. A charged pool that
 * is not in `pools` has an unknown size and sets no bound. A charge of NaN bytes fits nowhere.
 */
export function worstShortfall(
  pools: readonly Pool[],
  needed: Charge,
  { limit, freed }: FitOptions,
): Shortfall | null {
  let worst: Shortfall | null = null;
  for (const pool of pools) {
    const neededBytes = needed.get(pool.name);
    if (neededBytes === undefined || neededBytes <= 0) continue;
    const allowedBytes = room(pool, limit, freed?.get(pool.name) ?? 0);
    if (neededBytes <= allowedBytes) continue;
    const shortfallBytes = Number.isNaN(neededBytes) ? Infinity : neededBytes - allowedBytes;
    if (worst === null || shortfallBytes > worst.shortfallBytes) {
      worst = { pool: pool.name, shortfallBytes, neededBytes, allowedBytes };
    }
  }
  return worst;
}

/** Whether a charge fits: in every pool that it is charged to, use stays within the limit. */
export function fits(pools: readonly Pool[], needed: Charge, options: FitOptions): boolean {
  return worstShortfall(pools, needed, options) === null;
}

/** Whether every charged pool is known and measured. If not, `fits` ignores use that it can't see. */
export function isMeasured(pools: readonly Pool[], needed: Charge): boolean {
  return [...needed].every(
    ([name, bytes]) => bytes <= 0 || pools.some((pool) => pool.name === name && pool.measured),
  );
}
