import { HARD_LIMIT, isOverLimit, LIMIT, type Limit } from '@mai/memory-ledger';
import { chargeOf, openAccounts, type Accounts } from './accounts.js';
import { comparePositions } from './chain-position.js';
import { concludeSelection, type Outcome } from './conclude-selection.js';
import { rejectCandidate, rejectLoad, rejectOption } from './eligibility.js';
import type { Candidate, Resident, SelectionInput } from './input.js';
import { findCurrent, Offers, type Current, type Offer } from './offer.js';
import { planSwitch, type Attempt, type DrainingOffer, type FittingOffer } from './plan-switch.js';
import { outcomesOf } from './pool-outcomes.js';
import type { Rejection, RejectedCandidate, Selection } from './selection.js';

/**
 * Chooses the best model that fits. Returns the plan that makes it resident, and a reason for each
 * candidate that was passed over.
 *
 * 1. Work out what each resident takes of each pool, what others use, and which residents may be evicted.
 * 2. Find the current resident: ours, and the most preferred in the chain.
 * 3. Walk the chain in order of preference. Pass over a candidate that lacks a capability, is outside of
 *    the allowed tiers, is not downloaded or cools down after a failed load.
 * 4. For each load option of a candidate, find the resident that matches it, and its charge. Plan
 *    the switch to it with the fewest evictions. It fits when, in every pool that it takes memory from,
 *    use after the plan keeps to the limit and leaves the minimum headroom. A step up keeps to the limit
 *  less the upgrade margin. The first option that fits is picked. An option that fits only after a busy
 * instance is idle is remembered; while a model of ours is resident, no less preferred model is loaded.
 * 5. If nothing was picked, the last eligible candidate of the chain may stay or be loaded up to the hard
 *    limit, where that frees memory.
 * 6. If still nothing fits and a pool is over its hard limit, release our idle residents in that pool.
 * 7. Conclude: decision, direction, the pools before and after the plan, the rejections and the notes.
 *
 * Pure: the same input always gives the same output. Does not throw: 'nothing fits' is a value.
 */
export function selectModel(input: SelectionInput): Selection {
  const accounts = openAccounts(input);
  const current = findCurrent(input);
  const offers = new Offers(input, accounts);
  const search = searchChain(input, accounts, offers, current);
  const picked = search.picked ?? lastResort(input, accounts, offers, current);
  const released = picked === null ? releasable(accounts) : [];
  const outcome: Outcome = { ...search, picked, released, current };
  return concludeSelection(input, accounts, outcome);
}

interface Search {
  readonly picked: FittingOffer | null;
  readonly afterDrain: DrainingOffer | null;
  readonly rejected: readonly RejectedCandidate[];
}

/** Steps 3 and 4. */
function searchChain(
  input: SelectionInput,
  accounts: Accounts,
  offers: Offers,
  current: Current | null,
): Search {
  let picked: FittingOffer | null = null;
  let afterDrain: DrainingOffer | null = null;
  const rejected: RejectedCandidate[] = [];
  for (const [candidateIndex, candidate] of input.candidates.entries()) {
    const { modelKey } = candidate;
    const passedOver =
      rejectCandidate(candidate, input.requirement) ??
      (picked === null ? null : (rejectLoad(candidate, input.resources) ?? preferred(picked)));
    if (passedOver !== null) {
      rejected.push({ candidateIndex, modelKey, rejection: passedOver, options: [] });
      continue;
    }
    const options: Rejection[] = [];
    for (const offer of offers.of(candidate, candidateIndex)) {
      const attempt = attemptOffer(input, accounts, offer, limitFor(offer, input, current));
      if (attempt.kind === 'rejected') {
        options.push(attempt.rejection);
      } else if (attempt.kind === 'after-drain') {
        afterDrain ??= attempt;
        options.push({ code: 'WAITS_FOR_BUSY', instanceIdentifiers: attempt.waitsFor });
      } else if (afterDrain !== null && current !== null && offer.resident === null) {
        // A better model fits once a busy instance is idle. Until then no less preferred model is loaded.
        options.push({ code: 'WAITS_FOR_BUSY', instanceIdentifiers: afterDrain.waitsFor });
      } else {
        picked = attempt;
        break;
      }
    }
    const rejection = closest(options);
    if (picked === null && rejection !== undefined) {
      rejected.push({ candidateIndex, modelKey, rejection, options });
    }
  }
  return { picked, afterDrain, rejected };
}

/** Stepping up from the current resident asks for more room than staying. */
function limitFor(
  offer: Offer,
  { policy, upgradeMarginRatio }: SelectionInput,
  current: Current | null,
): Limit {
  const isStepUp = current !== null && comparePositions(offer, current.position) < 0;
  return isStepUp && upgradeMarginRatio != null
    ? { kind: 'upgrade', marginRatio: upgradeMarginRatio, floorRatio: policy.upgradeBelowRatioMin }
    : LIMIT;
}

/** A resident may stay even where it could not be loaded again. */
function attemptOffer(
  { requirement, resources }: SelectionInput,
  accounts: Accounts,
  offer: Offer,
  limit: Limit,
): Attempt {
  const { candidate, option, resident } = offer;
  const rejection =
    resident === null
      ? (rejectLoad(candidate, resources) ?? rejectOption(candidate, option, requirement))
      : null;
  return rejection === null ? planSwitch(offer, accounts, limit) : { kind: 'rejected', rejection };
}

/** A switch that leaves a pool above its limit must free at least this share of the pool. */
const MIN_RELIEF_RATIO = 0.02;

/**
 * Step 5. Skipped when nothing is resident and nothing was just unloaded: then the configured limit
 * applies.
 */
function lastResort(
  input: SelectionInput,
  accounts: Accounts,
  offers: Offers,
  current: Current | null,
): FittingOffer | null {
  if (current === null && input.steppingDown !== true) return null;
  const last = lastEligible(input);
  if (last === null) return null;
  for (const offer of offers.of(last.candidate, last.candidateIndex)) {
    // Above the limit, never switch to a more preferred load option.
    if (current !== null && comparePositions(offer, current.position) < 0) continue;
    const attempt = attemptOffer(input, accounts, offer, HARD_LIMIT);
    if (attempt.kind !== 'fits') continue;
    if (current === null || isWorthIt(attempt, input, accounts)) return attempt;
  }
  return null;
}

function lastEligible({
  candidates,
  requirement,
}: SelectionInput): { readonly candidate: Candidate; readonly candidateIndex: number } | null {
  const candidate = candidates.findLast((one) => rejectCandidate(one, requirement) === null);
  return candidate === undefined
    ? null
    : { candidate, candidateIndex: candidates.lastIndexOf(candidate) };
}

/** Whether a plan loads nothing, helps against a hard limit, or frees enough of what is above its limit. */
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

/** Step 6: our idle residents that take memory of a pool over its hard limit. */
function releasable(accounts: Accounts): readonly Resident[] {
  const { pools, evictability } = accounts;
  const over = pools.filter((pool) => isOverLimit(pool, HARD_LIMIT));
  return evictability.idle.filter(
    (resident) =>
      !resident.foreign &&
      over.some(({ name }) => (chargeOf(accounts, resident).get(name) ?? 0) > 0),
  );
}

function preferred({ offer }: FittingOffer): Rejection {
  return {
    code: 'PREFERRED_CANDIDATE_FITS',
    preferredModelKey: offer.candidate.modelKey,
  };
}

/** The reason of the option that came closest to fitting. */
function closest(options: readonly Rejection[]): Rejection | undefined {
  const rank = (rejection: Rejection): number =>
    rejection.code === 'WAITS_FOR_BUSY'
      ? -1
      : 'shortfallBytes' in rejection
        ? rejection.shortfallBytes
        : Infinity;
  return options.reduce<Rejection | undefined>(
    (best, next) => (best === undefined || rank(next) < rank(best) ? next : best),
    undefined,
  );
}
