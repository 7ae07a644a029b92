import {
  chargeResidents,
  HARD_LIMIT,
  isOverLimit,
  measurePools,
  type ObservedResident,
  type Pool,
  type PoolName,
  type Resources,
  type SelectionPolicy,
} from '@mai/memory-ledger';

/** The pools whose total is known, with the charge of the residents. */
export function poolsWith(
  resources: Resources,
  residents: readonly ObservedResident[],
  policy: SelectionPolicy,
): readonly Pool[] {
  return measurePools(resources, chargeResidents(residents, resources, policy.growth), policy);
}

/** The pools whose total and available bytes are measured. */
export function measuredPools(
  resources: Resources,
  residents: readonly ObservedResident[],
  policy: SelectionPolicy,
): readonly Pool[] {
  return poolsWith(resources, residents, policy).filter((pool) => pool.measured);
}

/** The measured pools in which others and residents together use more than the hard limit. */
export function poolsOverHardLimit(
  resources: Resources,
  residents: readonly ObservedResident[],
  policy: SelectionPolicy,
): readonly PoolName[] {
  return measuredPools(resources, residents, policy)
    .filter((pool) => isOverLimit(pool, HARD_LIMIT))
    .map(({ name }) => name);
}
