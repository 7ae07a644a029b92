import { inexactBytesOf, totalBytesOf, type Footprint, type FootprintGrowth } from './footprint.js';
import { isGpuShare, poolOfGpu, type PoolName } from './pool-name.js';
import type { GpuResources, Resources } from './resources.js';
import { GROWTH_RESERVE_RATIO, type GrowthPolicy } from '../selection-policy.js';

/** Bytes that something takes of each pool. Nothing is taken of a pool without an entry. */
export type Charge = ReadonlyMap<PoolName, number>;

/** The charge of something that takes no memory. */
export const NO_CHARGE: Charge = new Map();

/** Bytes of one pool, as plain data. */
export interface PoolBytes {
  readonly pool: PoolName;
  readonly bytes: number;
}

/** The part of a machine that decides which pools a footprint is charged to. */
export interface Devices {
  readonly unified: boolean;
  readonly gpus: readonly Pick<GpuResources, 'deviceKey' | 'memory' | 'totalBytes'>[];
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
 * - A planned load (`upper-end`) takes no bytes of a GPU with memory of its own whose size is not known. They are
 *   charged to RAM, because nobody can say how many fit on the GPU.
 *
 * @param growth - how much of the growth is charged too, each part rounded up. Growth that is not known is
 *   not charged. Growth that the upper end includes is not charged again.
 */
export function charge(
  footprint: Footprint,
  devices: Devices,
  size: ChargedSize,
  growth: GrowthPolicy,
): ChargedFootprint {
  const sum = new PoolSum(devices, size);
  const { ram, gpus } = footprint;
  const inexactBytes = inexactBytesOf(footprint);
  const marginBytes = size === 'upper-end' ? marginOf(footprint) : 0;
  const stretched = (bytes: number): number =>
    Math.ceil(inexactBytes > 0 ? bytes + (marginBytes * bytes) / inexactBytes : bytes);

  sum.add('ram', ram.mappedBytes + stretched(ram.anonymousBytes));
  if (inexactBytes === 0) sum.add('ram', Math.ceil(marginBytes));
  for (const { deviceKey, bytes } of gpus) sum.addToGpu(deviceKey, stretched(bytes));
  const rest = size === 'upper-end' ? splitGrowth(footprint).rest : footprint.growth;
  sum.addGrowth(rest, CHARGED_SHARE[growth]);
  return { charge: sum.pools, missingDeviceKeys: sum.missingDeviceKeys };
}

/**
 * The charge of a planned load: the upper end of the interval, and the growth under the policy.
 *
 * @param observed - the growth of earlier copies of the model. Each pool is charged the larger of this growth
 *   and the growth under the policy. Default: nothing.
 */
export function chargeLoad(
  footprint: Footprint,
  devices: Devices,
  growth: GrowthPolicy,
  observed: readonly PoolBytes[] = [],
): Charge {
  const planned = charge(footprint, devices, 'upper-end', growth).charge;
  if (observed.length === 0) return planned;
  const withoutGrowth = charge(footprint, devices, 'upper-end', 'ignore').charge;
  const pools = new Map(planned);
  const included = new PoolSum(devices, 'upper-end');
  included.addGrowth(splitGrowth(footprint).inUpperEnd, 1);
  for (const { pool, bytes } of observed) {
    const beyond = Math.max(0, bytes - (included.pools.get(pool) ?? 0));
    const least = (withoutGrowth.get(pool) ?? 0) + beyond;
    if (least > (planned.get(pool) ?? 0)) pools.set(pool, least);
  }
  return pools;
}

/** The most bytes that a model may grow by in each pool. Growth on a missing GPU is left out. */
export function mostGrowth(footprint: Footprint, devices: Devices): Charge {
  const sum = new PoolSum(devices, 'expected');
  sum.addGrowth(withoutMissing(footprint, devices).growth, 1);
  return sum.pools;
}

const CHARGED_SHARE: Readonly<Record<GrowthPolicy, number>> = {
  charge: 1,
  'reserve-share': GROWTH_RESERVE_RATIO,
  ignore: 0,
};

/** Adds up bytes by the pools that they are charged to. */
class PoolSum {
  readonly pools = new Map<PoolName, number>();
  readonly missingDeviceKeys: string[] = [];
  readonly #devices: Devices;
  readonly #size: ChargedSize;

  constructor(devices: Devices, size: ChargedSize) {
    this.#devices = devices;
    this.#size = size;
  }

  add(pool: PoolName, bytes: number): void {
    if (bytes !== 0) this.pools.set(pool, (this.pools.get(pool) ?? 0) + bytes);
  }

  addToGpu(deviceKey: string, bytes: number): void {
    const gpu = this.#devices.gpus.find((one) => one.deviceKey === deviceKey);
    if (gpu === undefined) {
      if (!this.missingDeviceKeys.includes(deviceKey)) this.missingDeviceKeys.push(deviceKey);
      this.add('ram', bytes);
      return;
    }
    const pool = poolOfGpu(gpu, this.#devices);
    const isShare = isGpuShare(pool);
    const isHidden = this.#size === 'upper-end' && !isShare && gpu.totalBytes === null;
    if (isShare || isHidden) this.add('ram', bytes);
    if (!isHidden) this.add(pool, bytes);
  }

  /** @param share - 0 to 1. */
  addGrowth(growth: FootprintGrowth | null, share: number): void {
    if (growth === null || share === 0) return;
    this.add('ram', Math.ceil(share * growth.ramBytes));
    for (const { deviceKey, bytes } of growth.gpus) {
      this.addToGpu(deviceKey, Math.ceil(share * bytes));
    }
  }
}

/** The growth in two parts: the bytes that the upper end of the interval includes, RAM first, and the rest. */
function splitGrowth(footprint: Footprint): {
  readonly inUpperEnd: FootprintGrowth | null;
  readonly rest: FootprintGrowth | null;
} {
  const { growth } = footprint;
  let leftBytes = Math.min(growth?.inUpperEndBytes ?? 0, marginOf(footprint));
  if (growth === null || leftBytes <= 0) return { inUpperEnd: null, rest: growth };
  const take = (bytes: number): number => {
    const taken = Math.min(bytes, leftBytes);
    leftBytes -= taken;
    return taken;
  };
  const ramBytes = take(growth.ramBytes);
  const gpus = growth.gpus.map(({ deviceKey, bytes }) => ({ deviceKey, bytes: take(bytes) }));
  return {
    inUpperEnd: { ramBytes, gpus },
    rest: {
      ramBytes: growth.ramBytes - ramBytes,
      gpus: growth.gpus.map(({ deviceKey, bytes }, index) => ({
        deviceKey,
        bytes: bytes - (gpus[index]?.bytes ?? 0),
      })),
    },
  };
}

/** How far the upper end of the interval lies above the expected total, in bytes; never negative. */
export function marginOf(footprint: Footprint): number {
  const { interval } = footprint;
  return interval === null ? 0 : Math.max(0, interval.highBytes - totalBytesOf(footprint));
}

/**
 * The part of a resident's expected size that the OS counts as used, without growth.
 *
 * Mapped pages are included only where the OS counts them as used (Windows). Subtracting more than the OS
 * counts would hide memory of others. The bytes of a missing GPU are left out for the same reason.
 */
export function countedAsUsed(
  footprint: Footprint,
  resources: Devices & { readonly ram: Pick<Resources['ram'], 'mappedCountsAsUsed'> },
): Charge {
  const { mappedCountsAsUsed } = resources.ram;
  const present = withoutMissing(footprint, resources);
  const counted: Footprint =
    mappedCountsAsUsed === true ? present : { ...present, ram: { ...present.ram, mappedBytes: 0 } };
  return charge(counted, resources, 'expected', 'ignore').charge;
}

/** A footprint without its bytes on GPUs that the machine does not have. */
function withoutMissing(footprint: Footprint, devices: Devices): Footprint {
  const isPresent = ({ deviceKey }: { readonly deviceKey: string }): boolean =>
    devices.gpus.some((one) => one.deviceKey === deviceKey);
  const { gpus, growth } = footprint;
  return {
    ...footprint,
    gpus: gpus.filter(isPresent),
    growth: growth && { ...growth, gpus: growth.gpus.filter(isPresent) },
  };
}

/** The sum of several charges, pool by pool. */
export function addCharges(charges: Iterable<Charge>): Charge {
  const sum = new Map<PoolName, number>();
  for (const one of charges) {
    for (const [pool, bytes] of one) sum.set(pool, (sum.get(pool) ?? 0) + bytes);
  }
  return sum;
}

/** The first charge less the second, in the pools of the first. */
export function subtractCharge(from: Charge, less: Charge): Charge {
  return new Map([...from].map(([pool, bytes]) => [pool, bytes - (less.get(pool) ?? 0)]));
}
