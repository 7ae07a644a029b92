import {
  addCharges,
  charge,
  chargeResidents,
  measurePools,
  NO_CHARGE,
  subtractCharge,
  type Charge,
  type ChargedResident,
  type Pool,
  type Resources,
} from '@mai/memory-ledger';
import { sortByEvictability, type Evictability } from './evictability.js';
import type { LoadOption, Resident, SelectionInput } from '../input.js';

/**
 * The pools, the charge of each resident, and which residents may be evicted. Worked out once for each
 * decision.
 */
export interface Accounts {
  readonly pools: readonly Pool[];
  readonly charges: ReadonlyMap<Resident, ChargedResident>;
  readonly evictability: Evictability;
  /**
   * For lists of `evictability`: the bytes that all residents of the list take together. Computed once, because
   * every load option is compared with these sums.
   */
  readonly sums: ReadonlyMap<readonly Resident[], Charge>;
}

/** Works out the pools, the charge of each resident, and which residents may be evicted. */
export function openAccounts({
  candidates,
  resources,
  residents,
  policy,
  retained,
}: SelectionInput): Accounts {
  const charged = chargeResidents(residents, resources, policy.growth);
  const charges = new Map(
    residents.flatMap((resident, index) => {
      const one = charged[index];
      return one === undefined ? [] : [[resident, one] as const];
    }),
  );
  const evictability = sortByEvictability(residents, candidates, resources, policy, retained);
  const { superseded, idle, movable } = evictability;
  return {
    pools: measurePools(resources, charged, policy),
    charges,
    evictability,
    sums: new Map([superseded, idle, movable].map((list) => [list, sumOf(charges, list)])),
  };
}

/** The bytes that a resident takes of each pool. */
export function chargeOf({ charges }: Accounts, resident: Resident): Charge {
  return charges.get(resident)?.full ?? NO_CHARGE;
}

/** The part of the charge of several residents that is held for growth and not in use yet. */
export function reservedBy({ charges }: Accounts, residents: Iterable<Resident>): Charge {
  const reserved: Charge[] = [];
  for (const resident of residents) {
    const one = charges.get(resident)?.reserved;
    if (one !== undefined && one.size > 0) reserved.push(one);
  }
  return reserved.length === 0 ? NO_CHARGE : addCharges(reserved);
}

/**
 * The part of the charge of a load that is held for growth.
 *
 * @param needed - the whole charge of the load.
 */
export function reservedByLoad(
  { footprint }: LoadOption,
  resources: Resources,
  needed: Charge,
): Charge {
  if (footprint === null) return NO_CHARGE;
  return subtractCharge(needed, charge(footprint, resources, 'upper-end', 'ignore').charge);
}

/** The bytes that several residents take together of each pool. */
export function chargesOf({ charges, sums }: Accounts, residents: readonly Resident[]): Charge {
  return sums.get(residents) ?? sumOf(charges, residents);
}

function sumOf(charges: Accounts['charges'], residents: readonly Resident[]): Charge {
  return addCharges(residents.map((resident) => charges.get(resident)?.full ?? NO_CHARGE));
}
