import {
  charge,
  countedAsUsed,
  mostGrowth,
  NO_CHARGE,
  subtractCharge,
  type Charge,
  type PoolBytes,
} from './charge.js';
import type { Footprint } from './footprint.js';
import { poolOfGpu, type PoolName } from './pool-name.js';
import type { Resources } from './resources.js';
import type { GrowthPolicy } from '../selection-policy.js';

/** Observations of a resident's memory since its load. Plain data, so that it can be logged. */
export interface ResidentObservation {
  /** When it was loaded or first seen, in milliseconds. Only the order of the residents matters. */
  readonly loadedAtMs: number;
  /**
   * Anonymous RAM of the engine's process, without memory of GPUs, in bytes; `null` when the process is not
   * known.
   */
  readonly processBytes: number | null;
  /**
   * Use of each pool just before the load, by the programs and residents that are still there. A pool without
   * an entry was not measured.
   */
  readonly usedBefore: readonly PoolBytes[];
}

/** The facts about a resident that its charge depends on. */
export interface ObservedResident {
  /** `null` when it is not known. */
  readonly footprint: Footprint | null;
  /** `null` when nothing was observed. */
  readonly observation: ResidentObservation | null;
}

/** The charge of a resident, in bytes of each pool. */
export interface ChargedResident {
  /**
   * The whole charge, with mapped weights and with growth under the policy. It is at least the observed use.
   */
  readonly full: Charge;
  /** The part of the resident that the OS counts as used: expected, or as observed. */
  readonly counted: Charge;
  /** The part of `counted` above the expected size; positive entries only. */
  readonly grown: Charge;
  /** The part of `full` that is held for growth and not in use yet; positive entries only. */
  readonly reserved: Charge;
}

/**
 * Works out the charges of all residents, in the order given.
 *
 * The part of a resident that the OS counts as used is, in each pool:
 *
 * 1. In RAM, where the engine's process is known: the measured RAM of the process, and the expected bytes of
 *    GPUs that share RAM.
 * 2. Else, where the use before the load is known: the rise of use since then, less the bytes of residents that
 *    were loaded later. This is at least the expected size, and at most the expected size plus all growth.
 * 3. Else the expected size.
 *
 * So the growth of a resident is not counted as the use of others. A resident without an observation counts as
 * loaded last. A resident without a footprint is charged only the RAM of its process.
 */
export function chargeResidents(
  residents: readonly ObservedResident[],
  resources: Resources,
  growth: GrowthPolicy,
): readonly ChargedResident[] {
  const known = residents.map((resident) => boundsOf(resident, resources));
  const counted = countTogether(residents, known, resources);
  return residents.map(({ footprint }, index) => {
    const own = counted[index] ?? NO_CHARGE;
    const { expected } = known[index] ?? NO_BOUNDS;
    const grown = excess(own, expected);
    return footprint === null
      ? { full: own, counted: own, grown, reserved: NO_CHARGE }
      : { ...fullCharge(footprint, resources, growth, own, expected), counted: own, grown };
  });
}

/** The bytes in use of every pool that is measured: its total less the available bytes. */
export function usedBytes(resources: Resources): readonly PoolBytes[] {
  const { ram, gpus } = resources;
  const used: PoolBytes[] = [];
  const add = (pool: PoolName, totalBytes: number | null, availableBytes: number | null): void => {
    if (totalBytes !== null && availableBytes !== null) {
      used.push({ pool, bytes: totalBytes - availableBytes });
    }
  };
  add('ram', ram.totalBytes, ram.availableBytes);
  for (const gpu of gpus) add(poolOfGpu(gpu, resources), gpu.totalBytes, gpu.availableBytes);
  return used;
}

/** The least and the most that the OS may count as used by one resident. */
interface Bounds {
  /** The expected size. */
  readonly expected: Charge;
  /** The expected size, or the measured size of the process. */
  readonly least: Charge;
  /** How far the resident may be above `least`. */
  readonly spread: Charge;
}

const NO_BOUNDS: Bounds = { expected: NO_CHARGE, least: NO_CHARGE, spread: NO_CHARGE };

function boundsOf({ footprint, observation }: ObservedResident, resources: Resources): Bounds {
  const processBytes = observation?.processBytes ?? null;
  if (footprint === null) {
    return processBytes === null
      ? NO_BOUNDS
      : { ...NO_BOUNDS, least: new Map([['ram', processBytes]]) };
  }
  const expected = countedAsUsed(footprint, resources);
  if (observation === null) return { expected, least: expected, spread: NO_CHARGE };
  const spread = mostGrowth(footprint, resources);
  if (processBytes === null) return { expected, least: expected, spread };
  const { ramBytes } = footprint.growth ?? { ramBytes: 0 };
  const ofOthersInRam = (expected.get('ram') ?? 0) - Math.ceil(footprint.ram.anonymousBytes);
  return {
    expected,
    least: new Map(expected).set('ram', ofOthersInRam + processBytes),
    spread: new Map(spread).set('ram', (spread.get('ram') ?? 0) - Math.ceil(ramBytes)),
  };
}

/** The part of each resident that the OS counts as used. Starts with the resident that was loaded last. */
function countTogether(
  residents: readonly ObservedResident[],
  bounds: readonly Bounds[],
  resources: Resources,
): readonly Charge[] {
  const counted = bounds.map(({ least }) => least);
  if (bounds.every(({ spread }) => spread.size === 0)) return counted;
  const used = usedBytes(resources);
  const taken = new Map<PoolName, number>();
  for (const index of lastLoadedFirst(residents)) {
    const { least, spread } = bounds[index] ?? NO_BOUNDS;
    const own = new Map(least);
    for (const { pool, bytes } of residents[index]?.observation?.usedBefore ?? []) {
      const usedNow = used.find((one) => one.pool === pool)?.bytes ?? null;
      const spreadBytes = spread.get(pool) ?? 0;
      if (usedNow === null || spreadBytes <= 0) continue;
      const leastBytes = least.get(pool) ?? 0;
      const since = usedNow - bytes - (taken.get(pool) ?? 0);
      own.set(pool, Math.min(leastBytes + spreadBytes, Math.max(leastBytes, since)));
    }
    for (const [pool, bytes] of own) taken.set(pool, (taken.get(pool) ?? 0) + bytes);
    counted[index] = own;
  }
  return counted;
}

/** The indices of the residents, the last loaded first. */
function lastLoadedFirst(residents: readonly ObservedResident[]): readonly number[] {
  const loadedAtMs = ({ observation }: ObservedResident): number =>
    observation?.loadedAtMs ?? Number.POSITIVE_INFINITY;
  return [...residents.entries()]
    .sort(([left, one], [right, other]) => {
      const [before, after] = [loadedAtMs(one), loadedAtMs(other)];
      return before === after ? right - left : before < after ? 1 : -1;
    })
    .map(([index]) => index);
}

/** The larger of the charge under the policy and the bytes in use, mapped weights included. */
function fullCharge(
  footprint: Footprint,
  resources: Resources,
  growth: GrowthPolicy,
  counted: Charge,
  expected: Charge,
): Pick<ChargedResident, 'full' | 'reserved'> {
  const size = charge(footprint, resources, 'expected', 'ignore').charge;
  const used = new Map(size);
  for (const [pool, bytes] of counted) {
    const uncounted = (size.get(pool) ?? 0) - (expected.get(pool) ?? 0);
    used.set(pool, Math.max(size.get(pool) ?? 0, bytes + uncounted));
  }
  if (growth === 'ignore' || footprint.growth === null) return { full: used, reserved: NO_CHARGE };
  const full = new Map(used);
  for (const [pool, bytes] of charge(footprint, resources, 'expected', growth).charge) {
    full.set(pool, Math.max(bytes, used.get(pool) ?? 0));
  }
  return { full, reserved: excess(full, used) };
}

/** The first charge less the second, in the pools where the first is larger. */
function excess(one: Charge, other: Charge): Charge {
  if (one === other) return NO_CHARGE;
  return new Map([...subtractCharge(one, other)].filter(([, bytes]) => bytes > 0));
}
