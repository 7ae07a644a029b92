import { isOverLimit, LIMIT, valueOf } from '@mai/memory-ledger';
import type { Accounts } from '../account/accounts.js';
import type { SelectionInput } from '../input.js';
import type { Offer } from '../offer/offers.js';
import { loadTimeMs } from '../plan/load-time.js';
import type { DrainingOffer } from '../plan/plan-switch.js';
import type { WeighedModel, WeighedWait } from '../selection.js';

/**
 * Weighs the wait for a preferred model, whose memory busy residents take, against a less preferred model that can be loaded now.
 * Both sides are losses, in milliseconds at the full value of the preferred model:
 *
 * - Waiting loses the whole value until the residents are idle and the preferred model is loaded.
 * - Loading the other model loses the whole value during that load, and then the difference of the two values for as long as the
 *   other model serves the callers.
 *
 * @returns null where nothing is weighed: no caller waits, a pool is above its limit, or a wait or a value is not known.
 */
export function weighWait(
  { offer: preferred, waitsFor }: DrainingOffer,
  other: Offer,
  { callersWait = null, residents, policy }: SelectionInput,
  { pools }: Accounts,
): WeighedWait | null {
  if (callersWait === null || pools.some((pool) => isOverLimit(pool, LIMIT))) return null;
  const waitMs = longestOf(
    residents
      .filter(({ instanceIdentifier }) => waitsFor.includes(instanceIdentifier))
      .map(({ idleInMs }) => idleInMs),
  );
  const value = valueOf(preferred.option, policy);
  const otherValue = valueOf(other.option, policy);
  if (waitMs === null || value === null || otherValue === null) return null;
  const { longestMs, servesMs } = callersWait;
  const loadMs = loadTimeMs(preferred.option);
  const otherLoadMs = loadTimeMs(other.option);
  const lostByWaiting = value * (waitMs + loadMs);
  const lostByLoading = value * otherLoadMs + Math.max(0, value - otherValue) * servesMs;
  return {
    code: 'WEIGHED_WAIT',
    outcome: waitMs <= longestMs && lostByWaiting <= lostByLoading ? 'wait' : 'load',
    waitsFor,
    waitMs,
    servesMs,
    preferred: weighed(preferred, value, loadMs),
    other: weighed(other, otherValue, otherLoadMs),
  };
}

/** Null where one of the times is not known. */
function longestOf(times: readonly (number | null)[]): number | null {
  return times.reduce<number | null>(
    (longest, ms) => (longest === null || ms === null ? null : Math.max(longest, ms)),
    0,
  );
}

function weighed({ candidate }: Offer, value: number, loadMs: number): WeighedModel {
  return { modelKey: candidate.modelKey, value, loadMs };
}
