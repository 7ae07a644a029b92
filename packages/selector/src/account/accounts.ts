import {
  addCharges,
  chargeResident,
  measurePools,
  type Charge,
  type ChargedResident,
  type Pool,
} from '@mai/memory-ledger';
import { sortByEvictability, type Evictability } from './evictability.js';
import type { Resident, SelectionInput } from '../input.js';

/**
 * The pools, the charge of each resident, and which residents may be evicted. Worked out once for each
 * decision.
 */
export interface Accounts {
  readonly pools: readonly Pool[];
  readonly charges: ReadonlyMap<Resident, ChargedResident>;
  readonly evictability: Evictability;
}

/** Works out the pools, the charge of each resident, and which residents may be evicted. */
export function openAccounts({
  candidates,
  resources,
  residents,
  policy,
}: SelectionInput): Accounts {
  const charges = new Map(
    residents.map((resident) => [resident, chargeResident(resident.footprint, resources)]),
  );
  return {
    pools: measurePools(resources, [...charges.values()], policy),
    charges,
    evictability: sortByEvictability(residents, candidates, resources, policy),
  };
}

/** The charge of something that takes no memory. */
export const NOTHING: Charge = new Map();

/** The bytes that a resident takes of each pool. */
export function chargeOf({ charges }: Accounts, resident: Resident): Charge {
  return charges.get(resident)?.full ?? NOTHING;
}

/** The bytes that several residents take together of each pool. */
export function chargesOf(accounts: Accounts, residents: readonly Resident[]): Charge {
  return residents.length === 0
    ? NOTHING
    : addCharges(residents.map((resident) => chargeOf(accounts, resident)));
}
