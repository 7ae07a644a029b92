import { HARD_LIMIT, isOverLimit } from '@mai/memory-ledger';
import { chargeOf, type Accounts } from '../account/accounts.js';
import type { Resident } from '../input.js';

/** Our idle residents that take memory of a pool above its hard limit. */
export function releasable(accounts: Accounts): readonly Resident[] {
  const { pools, evictability } = accounts;
  const over = pools.filter((pool) => isOverLimit(pool, HARD_LIMIT));
  return evictability.idle.filter(
    (resident) =>
      !resident.foreign &&
      over.some(({ name }) => (chargeOf(accounts, resident).get(name) ?? 0) > 0),
  );
}
