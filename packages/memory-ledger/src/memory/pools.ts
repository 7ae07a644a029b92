import { addCharges } from './charge.js';
import { isGpuShare, poolOfGpu, type PoolName } from './pool-name.js';
import type { ChargedResident } from './residents.js';
import type { GpuResources, Resources } from './resources.js';
import type { SelectionPolicy } from '../selection-policy.js';

/** A pool with its limits and its use, in bytes. */
export interface Pool {
  readonly name: PoolName;
  readonly totalBytes: number;
  /** Whether the available bytes are known. If not, `othersBytes` is what yields keep free. */
  readonly measured: boolean;
  /** Used by everything that is not a resident, with what yields keep free; at least 0. */
  readonly othersBytes: number;
  /** The part of `othersBytes` that yields keep free for other programs, which do not use it yet. */
  readonly yieldedBytes: number;
  /** The full charge of the residents, mapped weights included. */
  readonly residentBytes: number;
  /** The most that may be in use, 0 to 1 of the total. */
  readonly limitRatio: number;
  /** Hard limit: above this share of the total, 0 to 1, memory is about to run out. */
  readonly hardLimitRatio: number;
  /** Bytes that must be left free after a load. */
  readonly minHeadroomBytes: number;
}

/** The limits of one pool. */
export type PoolLimits = Pick<Pool, 'limitRatio' | 'hardLimitRatio' | 'minHeadroomBytes'>;

/**
 * Works out the use and the limits of every pool whose total is known. RAM comes first, then the GPUs in the
 * order of `resources`.
 */
export function measurePools(
  resources: Resources,
  residents: readonly ChargedResident[],
  policy: SelectionPolicy,
): readonly Pool[] {
  const full = addCharges(residents.map((one) => one.full));
  const counted = addCharges(residents.map((one) => one.counted));
  const pool = (
    name: PoolName,
    totalBytes: number,
    { availableBytes, yieldedBytes = 0 }: Pick<GpuResources, 'availableBytes' | 'yieldedBytes'>,
    limits: PoolLimits,
  ): Pool => {
    const othersBytes =
      availableBytes === null
        ? yieldedBytes
        : others(totalBytes, availableBytes, counted.get(name) ?? 0);
    return {
      name,
      totalBytes,
      measured: availableBytes !== null,
      othersBytes,
      yieldedBytes: Math.min(yieldedBytes, othersBytes),
      residentBytes: full.get(name) ?? 0,
      ...limits,
    };
  };

  const { ram, unified, gpus } = resources;
  return [
    pool('ram', ram.totalBytes, ram, ramLimits(policy, unified)),
    ...gpus.flatMap((gpu) => {
      const { totalBytes } = gpu;
      if (totalBytes === null) return [];
      const name = poolOfGpu(gpu, resources);
      const limits = isGpuShare(name) ? CAP_LIMITS : vramLimits(policy);
      return pool(name, totalBytes, gpu, limits);
    }),
  ];
}

/**
 * Bytes of a pool that others use, that is, everything except the residents:
 * `max(0, total - available - counted)`.
 *
 * @param countedBytes - the part of the residents that the OS counts as used; see `chargeResidents`.
 */
export function others(totalBytes: number, availableBytes: number, countedBytes: number): number {
  return Math.max(0, totalBytes - availableBytes - countedBytes);
}

/** Bytes of a pool in use: others plus the full charge of the residents. */
export function useOf({ othersBytes, residentBytes }: Pool): number {
  return othersBytes + residentBytes;
}

/** A pool of a fixed size that others do not use, and that may be used up to its last byte. */
export function fixedPool(name: PoolName, totalBytes: number): Pool {
  return {
    name,
    totalBytes,
    measured: true,
    othersBytes: 0,
    yieldedBytes: 0,
    residentBytes: 0,
    limitRatio: 1,
    hardLimitRatio: 1,
    minHeadroomBytes: 0,
  };
}

/** The limits of RAM, or of a unified pool. */
export function ramLimits(policy: SelectionPolicy, unified: boolean): PoolLimits {
  return {
    limitRatio: policy.memoryLimitRatio,
    hardLimitRatio: unified ? policy.unifiedHardLimitRatio : policy.hardLimitRatio,
    minHeadroomBytes: policy.minHeadroomBytes,
  };
}

/** The limits of a GPU's own memory. */
export function vramLimits(policy: SelectionPolicy): PoolLimits {
  return {
    limitRatio: policy.vramLimitRatio,
    hardLimitRatio: policy.hardLimitRatio,
    minHeadroomBytes: policy.minHeadroomBytes,
  };
}

/**
 * The limits of a pool that is a cap: the most RAM that a GPU without memory of its own may take. The whole cap may be used,
 * because the configured limits and the minimum headroom apply to RAM, where the bytes are.
 */
const CAP_LIMITS: PoolLimits = { limitRatio: 1, hardLimitRatio: 1, minHeadroomBytes: 0 };
