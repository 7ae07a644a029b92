import { inexactBytesOf, totalBytesOf, type Footprint } from './footprint.js';
import type { GpuResources, Resources } from './resources.js';

/** A body of memory: system RAM, a GPU's own memory, or the system RAM that a GPU may take. */
export type PoolName = 'ram' | `gpu:${string}` | `gpu-share:${string}`;

/** Bytes that something takes of each pool. Nothing is taken of a pool without an entry. */
export type Charge = ReadonlyMap<PoolName, number>;

/** The part of a machine that decides which pools a footprint is charged to. */
export interface Devices {
  readonly unified: boolean;
  readonly gpus: readonly Pick<GpuResources, 'deviceKey' | 'memory'>[];
}

/** Which size of a footprint is charged. */
export type ChargedSize =
  /** The upper end of the interval, for a planned load. */
  | 'upper-end'
  /** The figures without the interval's margin, for a resident. */
  | 'expected';

/** The charge of a footprint, and the GPUs of the footprint that the machine does not have. */
export interface ChargedFootprint {
  readonly charge: Charge;
  /** The bytes of these GPUs are charged to RAM. */
  readonly missingDeviceKeys: readonly string[];
}

/**
 * The whole bytes that a footprint takes of each pool.
 *
 * - The interval's margin is spread in proportion over all bytes except the mapped weights, which are
 *   exact. Each share is rounded up. If all weights are mapped, the margin is charged to RAM.
 * - Bytes of a GPU that shares RAM are charged to RAM, and also to the GPU's cap (`gpu-share:`).
 * - Bytes of a GPU that the machine does not have are charged to RAM, and the GPU is named in the answer.
 */
export function charge(
  footprint: Footprint,
  devices: Devices,
  size: ChargedSize,
): ChargedFootprint {
  const pools = new Map<PoolName, number>();
  const missingDeviceKeys: string[] = [];
  const add = (pool: PoolName, bytes: number): void => {
    if (bytes !== 0) pools.set(pool, (pools.get(pool) ?? 0) + bytes);
  };
  const { ram, gpus } = footprint;
  const inexactBytes = inexactBytesOf(footprint);
  const marginBytes = size === 'upper-end' ? marginOf(footprint) : 0;
  const stretched = (bytes: number): number =>
    Math.ceil(inexactBytes > 0 ? bytes + (marginBytes * bytes) / inexactBytes : bytes);

  add('ram', ram.mappedBytes + stretched(ram.anonymousBytes));
  if (inexactBytes === 0) add('ram', Math.ceil(marginBytes));
  for (const { deviceKey, bytes } of gpus) {
    const memory = memoryOf(deviceKey, devices);
    if (memory === 'missing') missingDeviceKeys.push(deviceKey);
    if (memory === 'dedicated') add(`gpu:${deviceKey}`, stretched(bytes));
    else add('ram', stretched(bytes));
    if (memory === 'shared') add(`gpu-share:${deviceKey}`, stretched(bytes));
  }
  return { charge: pools, missingDeviceKeys };
}

/** How far the upper end of the interval lies above the expected total, in bytes; never negative. */
export function marginOf(footprint: Footprint): number {
  const { interval } = footprint;
  return interval === null ? 0 : Math.max(0, interval.highBytes - totalBytesOf(footprint));
}

/**
 * The part of a resident's charge that the OS counts as used. Subtracted from use to find what others use.
 *
 * Mapped pages are included only where the OS counts them as used (Windows). Subtracting more than the OS
 * counts would hide memory of others. The bytes of a missing GPU are left out for the same reason.
 */
export function countedAsUsed(
  footprint: Footprint,
  resources: Devices & { readonly ram: Pick<Resources['ram'], 'mappedCountsAsUsed'> },
): Charge {
  const { mappedCountsAsUsed } = resources.ram;
  const counted: Footprint = {
    ...footprint,
    ram: mappedCountsAsUsed === true ? footprint.ram : { ...footprint.ram, mappedBytes: 0 },
    gpus: footprint.gpus.filter(({ deviceKey }) => memoryOf(deviceKey, resources) !== 'missing'),
  };
  return charge(counted, resources, 'expected').charge;
}

/** The sum of several charges, pool by pool. */
export function addCharges(charges: Iterable<Charge>): Charge {
  const sum = new Map<PoolName, number>();
  for (const one of charges) {
    for (const [pool, bytes] of one) sum.set(pool, (sum.get(pool) ?? 0) + bytes);
  }
  return sum;
}

/** Whether a GPU has memory of its own, shares RAM or is missing. On a unified machine every GPU shares RAM. */
function memoryOf(
  deviceKey: string,
  { gpus, unified }: Devices,
): GpuResources['memory'] | 'missing' {
  const gpu = gpus.find((one) => one.deviceKey === deviceKey);
  if (gpu === undefined) return 'missing';
  return unified ? 'shared' : gpu.memory;
}
