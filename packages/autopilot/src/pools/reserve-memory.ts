import {
  isGpuShare,
  type GpuResources,
  type ObservedResident,
  type PoolName,
  type Resources,
  type SelectionPolicy,
} from '@mai/memory-ledger';
import type { Yield } from '../journal/journal-state.js';
import { poolsWith } from './hard-limit.js';

/** The others' use of each pool when a yield began, by name of the yield. */
export type YieldBaselines = Readonly<Record<string, ReadonlyMap<PoolName, number>>>;

/** The resources without the yielded memory. */
export interface Reservation<One extends ObservedResident> {
  /**
   * Available bytes are negative if yields hold more than is available. A lower bound of 0 would offer part of
   * the yielded memory to a model.
   */
  readonly resources: Resources;
  /**
   * The residents. Yielded memory is part of the use before their load, so that it does not count as growth.
   */
  readonly residents: readonly One[];
  /** Pass these to the next call. */
  readonly baselines: YieldBaselines;
}

/**
 * Reduces the available memory by the bytes that each yield still holds free, and counts them as yielded. These are the size of the
 * yield, less the growth of the others' use since the yield began. Where the use of a pool is not measured, they are the size of the
 * yield.
 *
 * @param baselines - the others' use when each yield began, from the last call. A yield that is not in it begins now.
 */
export function reserveMemory<One extends ObservedResident>(
  {
    resources,
    residents,
    policy,
  }: {
    readonly resources: Resources;
    readonly residents: readonly One[];
    readonly policy: SelectionPolicy;
  },
  yields: readonly Yield[],
  baselines: YieldBaselines,
): Reservation<One> {
  const others = new Map(
    poolsWith(resources, residents, policy)
      // Shared GPU memory is part of RAM, so only RAM is held free.
      .filter(({ name }) => !isGpuShare(name))
      .map(({ name, othersBytes }) => [name, othersBytes]),
  );
  const kept: Record<string, ReadonlyMap<PoolName, number>> = {};
  const reserved = new Map<PoolName, number>();
  for (const one of yields) {
    const baseline = baselines[one.name] ?? others;
    kept[one.name] = baseline;
    for (const [pool, usedBytes] of others) {
      if (!concerns(one, pool)) continue;
      const grownBytes = Math.max(0, usedBytes - (baseline.get(pool) ?? usedBytes));
      const heldBytes = Math.max(0, one.bytes - grownBytes);
      reserved.set(pool, (reserved.get(pool) ?? 0) + heldBytes);
    }
  }
  const lessYielded = <Measured extends Pick<GpuResources, 'availableBytes' | 'yieldedBytes'>>(
    measured: Measured,
    pool: PoolName,
  ): Measured => {
    const yieldedBytes = reserved.get(pool) ?? 0;
    const { availableBytes } = measured;
    return yieldedBytes === 0
      ? measured
      : {
          ...measured,
          availableBytes: availableBytes === null ? null : availableBytes - yieldedBytes,
          yieldedBytes: (measured.yieldedBytes ?? 0) + yieldedBytes,
        };
  };
  return {
    baselines: kept,
    residents: residents.map((one) => ({
      ...one,
      observation: one.observation && {
        ...one.observation,
        usedBefore: one.observation.usedBefore.map(({ pool, bytes }) => ({
          pool,
          bytes: bytes + (reserved.get(pool) ?? 0),
        })),
      },
    })),
    resources: {
      ...resources,
      ram: lessYielded(resources.ram, 'ram'),
      gpus: resources.gpus.map((gpu) => lessYielded(gpu, `gpu:${gpu.deviceKey}`)),
    },
  };
}

function concerns({ pools }: Yield, pool: PoolName): boolean {
  return pools === 'all' || (pools === 'ram') === (pool === 'ram');
}
