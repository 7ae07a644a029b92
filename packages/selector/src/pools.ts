import { chargeOfResident, countedAsUsed, type Charge } from './charge.js';
import type { Resident, Resources, SelectionPolicy } from './input.js';
import type { PoolName } from './selection.js';

/** A measured pool, with what others take of it. */
export interface Pool {
  readonly name: PoolName;
  readonly totalBytes: number;
  readonly othersBytes: number;
  /** What the residents take of it, all of it. */
  readonly residentBytes: number;
  readonly limitRatio: number;
  readonly hardLimitRatio: number;
  readonly minHeadroomBytes: number;
}

/** A resident with its charges, worked out once for a decision. */
export interface ChargedResident {
  readonly resident: Resident;
  /** What it takes. */
  readonly full: Charge;
  /** The part of that which the OS counts as used. */
  readonly counted: Charge;
}

/** The residents with what each takes; one whose footprint is unknown takes nothing that is known. */
export function chargeResidents(
  residents: readonly Resident[],
  resources: Resources,
): readonly ChargedResident[] {
  return residents.map((resident) => ({
    resident,
    full: chargeOfResident(resident.footprint, resources),
    counted: countedAsUsed(resident.footprint, resources),
  }));
}

/**
 * Every pool whose total is known: RAM first, then the GPUs in their order.
 *
 * `others = max(0, total - available - the part of the residents that the OS counts as used)`; where
 * `available` is unknown, nothing is known of others and they count as nothing.
 */
export function measurePools(
  resources: Resources,
  residents: readonly ChargedResident[],
  policy: SelectionPolicy,
): readonly Pool[] {
  const counted = residents.map((one) => one.counted);
  const full = residents.map((one) => one.full);
  const pool = (
    name: PoolName,
    totalBytes: number,
    availableBytes: number | null,
    limits: Pick<Pool, 'limitRatio' | 'hardLimitRatio' | 'minHeadroomBytes'>,
  ): Pool => ({
    name,
    totalBytes,
    othersBytes:
      availableBytes === null ? 0 : Math.max(0, totalBytes - availableBytes - sum(counted, name)),
    residentBytes: sum(full, name),
    ...limits,
  });

  const { ram, unified, gpus } = resources;
  return [
    pool('ram', ram.totalBytes, ram.availableBytes, {
      limitRatio: policy.memoryLimitRatio,
      hardLimitRatio: unified ? policy.unifiedHardLimitRatio : policy.hardLimitRatio,
      minHeadroomBytes: policy.minHeadroomBytes,
    }),
    ...gpus.flatMap((gpu) => {
      if (gpu.totalBytes === null) return [];
      // What a shared GPU may take is a cap, not a pool that others live in: RAM has the limits.
      return gpu.memory === 'shared'
        ? pool(`gpu-share:${gpu.deviceKey}`, gpu.totalBytes, gpu.availableBytes, {
            limitRatio: 1,
            hardLimitRatio: 1,
            minHeadroomBytes: 0,
          })
        : pool(`gpu:${gpu.deviceKey}`, gpu.totalBytes, gpu.availableBytes, {
            limitRatio: policy.vramLimitRatio,
            hardLimitRatio: policy.hardLimitRatio,
            minHeadroomBytes: policy.minHeadroomBytes,
          });
    }),
  ];
}

/** Bytes of a pool in several charges. */
export function sum(charges: readonly Charge[], pool: PoolName): number {
  return charges.reduce((total, charge) => total + (charge.get(pool) ?? 0), 0);
}
