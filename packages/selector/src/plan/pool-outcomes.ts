import { allowedUse, HARD_LIMIT, LIMIT, useOf, type Charge, type Pool } from '@mai/memory-ledger';
import { chargesOf, type Accounts } from '../account/accounts.js';
import type { SelectionInput } from '../input.js';
import type { Plan, PoolOutcome } from '../selection.js';

/** Works out each pool before and after a plan. `needed` is the charge of the model that the plan loads. */
export function outcomesOf(
  { residents }: SelectionInput,
  accounts: Accounts,
  { steps }: Plan,
  needed: Charge,
): readonly PoolOutcome[] {
  const unloaded = new Set(
    steps.flatMap((step) => (step.action === 'unload' ? [step.instanceIdentifier] : [])),
  );
  const freed = chargesOf(
    accounts,
    residents.filter(({ instanceIdentifier }) => unloaded.has(instanceIdentifier)),
  );
  const loads = steps.some(({ action }) => action === 'load');
  return accounts.pools.map((pool) =>
    outcomeOf(pool, freed.get(pool.name) ?? 0, loads ? (needed.get(pool.name) ?? 0) : 0),
  );
}

function outcomeOf(pool: Pool, reclaimableBytes: number, loadedBytes: number): PoolOutcome {
  const { name, totalBytes, othersBytes, hardLimitRatio } = pool;
  const useBeforeBytes = useOf(pool);
  const useAfterBytes = useBeforeBytes - reclaimableBytes + loadedBytes;
  return {
    pool: name,
    totalBytes,
    othersBytes,
    useBeforeBytes,
    useAfterBytes,
    headroomBytes: totalBytes - useAfterBytes,
    limitRatio: Math.min(pool.limitRatio, 1 - pool.minHeadroomBytes / totalBytes),
    limitBytes: allowedUse(pool, LIMIT),
    hardLimitRatio,
    hardLimitBytes: allowedUse(pool, HARD_LIMIT),
    reclaimableBytes,
  };
}
