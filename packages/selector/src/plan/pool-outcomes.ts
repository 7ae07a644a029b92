import {
  allowedUse,
  HARD_LIMIT,
  LIMIT,
  NO_CHARGE,
  useOf,
  type Charge,
  type Pool,
} from '@mai/memory-ledger';
import { chargesOf, reservedBy, reservedByLoad, type Accounts } from '../account/accounts.js';
import type { Resident, SelectionInput } from '../input.js';
import type { Plan, PoolOutcome } from '../selection.js';

/** Works out each pool before and after a plan. `needed` is the charge of the model that the plan loads. */
export function outcomesOf(
  { residents, resources }: SelectionInput,
  accounts: Accounts,
  { steps }: Plan,
  needed: Charge,
): readonly PoolOutcome[] {
  const unloaded = new Set(
    steps.flatMap((step) => (step.action === 'unload' ? [step.instanceIdentifier] : [])),
  );
  const isUnloaded = ({ instanceIdentifier }: Resident): boolean =>
    unloaded.has(instanceIdentifier);
  const freed = chargesOf(accounts, residents.filter(isUnloaded));
  const kept = reservedBy(
    accounts,
    residents.filter((one) => !isUnloaded(one)),
  );
  const load = steps.find((step) => step.action === 'load');
  const loaded = load === undefined ? NO_CHARGE : needed;
  const growth =
    load === undefined ? NO_CHARGE : reservedByLoad(load.loadOption, resources, needed);
  return accounts.pools.map((pool) => ({
    ...outcomeOf(pool, freed.get(pool.name) ?? 0, loaded.get(pool.name) ?? 0),
    growthBytes: (kept.get(pool.name) ?? 0) + (growth.get(pool.name) ?? 0),
  }));
}

function outcomeOf(
  pool: Pool,
  reclaimableBytes: number,
  loadedBytes: number,
): Omit<PoolOutcome, 'growthBytes'> {
  const { name, totalBytes, othersBytes, yieldedBytes, hardLimitRatio } = pool;
  const useBeforeBytes = useOf(pool);
  const useAfterBytes = useBeforeBytes - reclaimableBytes + loadedBytes;
  return {
    pool: name,
    totalBytes,
    othersBytes,
    ...(yieldedBytes > 0 && { yieldedBytes }),
    useBeforeBytes,
    useAfterBytes,
    headroomBytes: totalBytes - useAfterBytes,
    // Both are 0 where the pool is smaller than the minimum headroom.
    limitRatio: Math.max(0, Math.min(pool.limitRatio, 1 - pool.minHeadroomBytes / totalBytes)),
    limitBytes: Math.max(0, allowedUse(pool, LIMIT)),
    hardLimitRatio,
    hardLimitBytes: allowedUse(pool, HARD_LIMIT),
    reclaimableBytes,
  };
}
