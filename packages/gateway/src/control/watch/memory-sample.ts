import {
  addCharges,
  chargeResidents,
  isGpuShare,
  others,
  poolOfGpu,
  type PoolName,
  type Resources,
} from '@mai/memory-ledger';
import type { ObservedModel } from '../../ports/control-facts.js';

/** The use of each measured pool at one moment. */
export interface MemorySample {
  readonly atMs: number;
  readonly pools: readonly {
    readonly pool: PoolName;
    /** With `yieldedBytes`. */
    readonly othersBytes: number;
    readonly yieldedBytes: number;
    readonly residents: readonly { readonly instanceIdentifier: string; readonly bytes: number }[];
    readonly freeBytes: number;
  }[];
}

/**
 * Divides each measured pool into others (with what yields keep free), each resident and free memory. Memory held for growth counts as
 * free.
 */
export function sampleOf(
  atMs: number,
  resources: Resources,
  residents: readonly ObservedModel[],
): MemorySample {
  const charged = chargeResidents(residents, resources, 'ignore');
  const counted = addCharges(charged.map((one) => one.counted));
  return {
    atMs,
    pools: measuredPools(resources).map(({ pool, totalBytes, availableBytes, yieldedBytes }) => {
      const othersBytes = others(totalBytes, availableBytes, counted.get(pool) ?? 0);
      const parts = residents.flatMap(({ instanceIdentifier }, index) => {
        const bytes = charged[index]?.full.get(pool) ?? 0;
        return bytes > 0 ? [{ instanceIdentifier, bytes }] : [];
      });
      const taken = parts.reduce((sum, { bytes }) => sum + bytes, othersBytes);
      return {
        pool,
        othersBytes,
        yieldedBytes: Math.min(yieldedBytes, othersBytes),
        residents: parts,
        freeBytes: Math.max(0, totalBytes - taken),
      };
    }),
  };
}

interface PoolReading<Bytes> {
  readonly pool: PoolName;
  readonly totalBytes: Bytes;
  readonly availableBytes: Bytes;
  readonly yieldedBytes: number;
}

/** The pools with a known total and known free memory. The cap of a GPU that shares RAM is left out: RAM contains it. */
function measuredPools({ ram, unified, gpus }: Resources): readonly PoolReading<number>[] {
  const pools: readonly PoolReading<number | null>[] = [
    { yieldedBytes: 0, ...ram, pool: 'ram' },
    ...gpus.map((gpu) => ({ yieldedBytes: 0, ...gpu, pool: poolOfGpu(gpu, { unified }) })),
  ];
  return pools.flatMap(({ pool, totalBytes, availableBytes, yieldedBytes }) =>
    isGpuShare(pool) || totalBytes === null || availableBytes === null
      ? []
      : [{ pool, totalBytes, availableBytes, yieldedBytes }],
  );
}
