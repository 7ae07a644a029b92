import type { Charge } from './charge.js';
import type { PoolName } from './pool-name.js';
import { useOf, type Pool } from './pools.js';

/** A limit on the use of a pool. */
export type Limit =
  /** The configured share of the total. The minimum headroom also applies. */
  | { readonly kind: 'limit' }
  /**
   * The configured share less a margin, but never below a floor. The minimum headroom also applies. This limit
   * is for a step up, which must leave more room than staying. Margin and floor are ratios, 0 to 1.
   */
  | { readonly kind: 'upgrade'; readonly marginRatio: number; readonly floorRatio: number }
  /** The share above which memory is about to run out. The minimum headroom does not apply. */
  | { readonly kind: 'hard-limit' }
  /** The whole pool. Memory has run out when use is above this limit. */
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
 * The most bytes of a pool that may be in use: the share of the limit, or less if the minimum headroom does not
 * allow that share.
 */
export function allowedUse(pool: Pool, limit: Limit): number {
  const shareBytes = Math.floor(pool.totalBytes * limitRatioOf(pool, limit));
  return limit.kind === 'hard-limit' || limit.kind === 'capacity'
    ? shareBytes
    : Math.min(shareBytes, pool.totalBytes - pool.minHeadroomBytes);
}

/** Whether others and residents together use more of a pool than the limit allows. */
export function isOverLimit(pool: Pool, limit: Limit): boolean {
  return useOf(pool) > allowedUse(pool, limit);
}

/**
 * Bytes that may still be loaded into a pool; negative where use is already above the limit.
 *
 * @param freedBytes - the charge of the residents that are unloaded first. Default 0.
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
  /** Bytes that the load may take of the pool; see `room`. */
  readonly allowedBytes: number;
}

/** Options of a check whether a charge fits. */
export interface FitOptions {
  readonly limit: Limit;
  /** The charge of the residents that are unloaded before the load. Default: nothing is unloaded. */
  readonly freed?: Charge;
}

/**
 * The pool that lacks the most bytes for a charge; `null` where the charge fits.
 *
 * Only charged pools count: a full GPU does not matter to a model that does not use that GPU. A charged pool
 * that is not in `pools` has an unknown size and sets no bound. A charge of NaN bytes fits into no pool.
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

/** Whether a charge fits: use stays within the limit in every charged pool. */
export function fits(pools: readonly Pool[], needed: Charge, options: FitOptions): boolean {
  return worstShortfall(pools, needed, options) === null;
}

/**
 * Whether every charged pool is known and measured. If this is false, `fits` ignores the pools whose use is not
 * known.
 */
export function isMeasured(pools: readonly Pool[], needed: Charge): boolean {
  return [...needed].every(
    ([name, bytes]) => bytes <= 0 || pools.some((pool) => pool.name === name && pool.measured),
  );
}
