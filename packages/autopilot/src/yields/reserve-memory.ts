import type { Footprint, Resources } from '@mai/memory-ledger';
import type { Resident } from '@mai/selector';
import type { Yield } from '../journal/journal-state.js';

/** Key of the RAM pool beside the device keys of the GPUs. */
const RAM = 'ram';

/** What others used of each pool when a yield began, by its name. Plain data. */
export type YieldBaselines = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** The resources with what is yielded taken away, and the baselines to pass in next time. */
export interface Reservation {
  readonly resources: Resources;
  readonly baselines: YieldBaselines;
}

/**
 * Takes from what is available what each yield still holds free: its bytes less what others have come
 * to use since it began, because that is what it was held free for.
 */
export function reserveMemory(
  resources: Resources,
  residents: readonly Resident[],
  yields: readonly Yield[],
  baselines: YieldBaselines,
): Reservation {
  const others = othersByPool(resources, residents);
  const kept: Record<string, Readonly<Record<string, number>>> = {};
  const reserved: Record<string, number> = {};
  for (const one of yields) {
    const baseline = baselines[one.name] ?? others;
    kept[one.name] = baseline;
    for (const [pool, usedBytes] of Object.entries(others)) {
      if (!concerns(one, pool)) continue;
      const grownBytes = Math.max(0, usedBytes - (baseline[pool] ?? usedBytes));
      reserved[pool] = (reserved[pool] ?? 0) + Math.max(0, one.bytes - grownBytes);
    }
  }
  const less = (availableBytes: number | null, pool: string): number | null =>
    availableBytes === null ? null : Math.max(0, availableBytes - (reserved[pool] ?? 0));
  return {
    baselines: kept,
    resources: {
      ...resources,
      ram: { ...resources.ram, availableBytes: less(resources.ram.availableBytes, RAM) },
      gpus: resources.gpus.map((gpu) => ({
        ...gpu,
        availableBytes: less(gpu.availableBytes, gpu.deviceKey),
      })),
    },
  };
}

/** The yields that still hold, given the time and the processes that live. */
export function holdingYields(
  yields: readonly Yield[],
  nowMs: number,
  isProcessAlive: (processId: number, sinceMs: number) => boolean,
): Yield[] {
  return yields.filter(
    (one) =>
      (one.untilMs === null || nowMs < one.untilMs) &&
      (one.processId === null || isProcessAlive(one.processId, one.sinceMs)),
  );
}

function concerns(one: Yield, pool: string): boolean {
  return one.pools === 'all' || (one.pools === 'ram') === (pool === RAM);
}

/** What is used in each measured pool and is not ours. A shared GPU's memory is RAM's. */
function othersByPool(
  resources: Resources,
  residents: readonly Resident[],
): Record<string, number> {
  const others: Record<string, number> = {};
  const { ram } = resources;
  const footprints = residents.flatMap((one) => (one.footprint === null ? [] : [one.footprint]));
  const shared = new Set(
    resources.gpus
      .filter((gpu) => gpu.memory === 'shared' || resources.unified)
      .map((gpu) => gpu.deviceKey),
  );
  if (ram.availableBytes !== null) {
    const ours = footprints.reduce(
      (sum, footprint) =>
        sum +
        footprint.ram.anonymousBytes +
        (ram.mappedCountsAsUsed ? footprint.ram.mappedBytes : 0) +
        gpuBytes(footprint, (deviceKey) => shared.has(deviceKey)),
      0,
    );
    others[RAM] = Math.max(0, ram.totalBytes - ram.availableBytes - ours);
  }
  for (const gpu of resources.gpus) {
    if (shared.has(gpu.deviceKey) || gpu.totalBytes === null || gpu.availableBytes === null) {
      continue;
    }
    const ours = footprints.reduce(
      (sum, footprint) => sum + gpuBytes(footprint, (deviceKey) => deviceKey === gpu.deviceKey),
      0,
    );
    others[gpu.deviceKey] = Math.max(0, gpu.totalBytes - gpu.availableBytes - ours);
  }
  return others;
}

function gpuBytes(footprint: Footprint, counts: (deviceKey: string) => boolean): number {
  return footprint.gpus.reduce((sum, gpu) => (counts(gpu.deviceKey) ? sum + gpu.bytes : sum), 0);
}
