import type { Footprint, Resources } from './input.js';
import type { PoolName } from './selection.js';

/** Bytes by pool. */
export type Charge = ReadonlyMap<PoolName, number>;

const NOTHING: Charge = new Map();

/** What a footprint takes of each pool, and which of its GPUs this machine does not have. */
export interface FootprintCharge {
  readonly full: Charge;
  readonly unknownDevices: readonly string[];
}

/**
 * What a model takes when it is loaded: the upper end of its interval. Mapped weights are exact, so the
 * margin is spread over everything else in proportion.
 */
export function chargeOfLoad(footprint: Footprint, resources: Resources): FootprintCharge {
  return chargeOf(footprint, resources, marginFactor(footprint));
}

/**
 * What a resident takes: it is there already, so its expected size and no margin. What it had on a GPU
 * that is gone is nowhere now.
 */
export function chargeOfResident(footprint: Footprint | null, resources: Resources): Charge {
  if (footprint === null) return NOTHING;
  const gpus = footprint.gpus.filter(({ deviceKey }) =>
    resources.gpus.some((gpu) => gpu.deviceKey === deviceKey),
  );
  return chargeOf({ ...footprint, gpus }, resources, 1).full;
}

/**
 * The part of a resident's charge that the OS counts as used. Where mapped pages count as available
 * (Linux), only the rest does; subtracting all of it from what is used would hide as much of the others.
 */
export function countedAsUsed(footprint: Footprint | null, resources: Resources): Charge {
  const full = chargeOfResident(footprint, resources);
  if (footprint === null || resources.ram.mappedCountsAsUsed) return full;
  return new Map(full).set('ram', (full.get('ram') ?? 0) - footprint.ram.mappedBytes);
}

function chargeOf(footprint: Footprint, resources: Resources, factor: number): FootprintCharge {
  const full = new Map<PoolName, number>();
  const unknownDevices: string[] = [];
  const add = (pool: PoolName, bytes: number): void => {
    full.set(pool, (full.get(pool) ?? 0) + bytes);
  };
  add('ram', footprint.ram.mappedBytes + footprint.ram.anonymousBytes * factor);
  for (const { deviceKey, bytes } of footprint.gpus) {
    const gpu = resources.gpus.find((one) => one.deviceKey === deviceKey);
    // Without the GPU the layers land in RAM.
    if (gpu === undefined) {
      unknownDevices.push(deviceKey);
      add('ram', bytes * factor);
    } else if (gpu.memory === 'shared') {
      add('ram', bytes * factor);
      add(`gpu-share:${deviceKey}`, bytes * factor);
    } else add(`gpu:${deviceKey}`, bytes * factor);
  }
  return { full, unknownDevices };
}

function marginFactor({ ram, gpus, interval }: Footprint): number {
  if (interval === null) return 1;
  const uncertain = ram.anonymousBytes + gpus.reduce((sum, { bytes }) => sum + bytes, 0);
  const margin = interval.highBytes - (ram.mappedBytes + uncertain);
  return uncertain > 0 && margin > 0 ? (uncertain + margin) / uncertain : 1;
}
