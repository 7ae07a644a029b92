import { HARD_LIMIT } from '@mai/memory-ledger';
import type { Accounts } from '../account/accounts.js';
import { outcomesOf } from '../plan/pool-outcomes.js';
import type { SelectionInput } from '../input.js';
import { comparePositions } from '../offer/chain-position.js';
import type { Current } from '../offer/current.js';
import { offersOf } from '../offer/offers.js';
import { attemptOffer } from '../plan/attempt-offer.js';
import type { FittingOffer } from '../plan/plan-switch.js';
import { rejectCandidate } from '../offer/eligibility.js';

/** A switch that leaves a pool above its limit must free at least this share of the pool. */
const MIN_RELIEF_RATIO = 0.02;

/**
 * Lets the last eligible candidate of the chain stay, or be loaded, up to the hard limit. Returns `null` when
 * nothing is resident and nothing was just unloaded. The configured limit then applies.
 */
export function lastResort(
  input: SelectionInput,
  accounts: Accounts,
  current: Current | null,
): FittingOffer | null {
  if (current === null && input.steppingDown !== true) return null;
  const { candidates, requirement } = input;
  const last = candidates.findLastIndex((one) => rejectCandidate(one, requirement) === null);
  const candidate = candidates[last];
  if (candidate === undefined) return null;
  for (const offer of offersOf(candidate, last, input, accounts)) {
    // Above the limit, never switch to a more preferred load option.
    if (current !== null && comparePositions(offer, current.position) < 0) continue;
    const attempt = attemptOffer(offer, input, accounts, HARD_LIMIT);
    if (attempt.kind !== 'fits') continue;
    if (current === null || isWorthIt(attempt, input, accounts)) return attempt;
  }
  return null;
}

/**
 * Whether a plan is worth its cost: it loads nothing, or a pool is above its hard limit, or it frees enough
 * of a pool that is above its limit.
 */
function isWorthIt(
  { offer, plan }: FittingOffer,
  input: SelectionInput,
  accounts: Accounts,
): boolean {
  if (plan.steps.every(({ action }) => action === 'unload')) return true;
  return outcomesOf(input, accounts, plan, offer.needed).some(
    ({ totalBytes, useBeforeBytes, useAfterBytes, limitBytes, hardLimitBytes }) =>
      useBeforeBytes > hardLimitBytes ||
      (useBeforeBytes > limitBytes &&
        useBeforeBytes - useAfterBytes >= MIN_RELIEF_RATIO * totalBytes),
  );
}
