import { LIMIT, type Limit } from '@mai/memory-ledger';
import type { Accounts } from '../account/accounts.js';
import type { Candidate, SelectionInput } from '../input.js';
import type { Current } from '../offer/current.js';
import { offersOf, type Offer } from '../offer/offers.js';
import { attemptOffer } from '../plan/attempt-offer.js';
import { planSwitch, type DrainingOffer, type FittingOffer } from '../plan/plan-switch.js';
import { upgradeLimit } from '../plan/upgrade-limit.js';
import type { RejectedCandidate, Rejection, WeighedWait } from '../selection.js';
import { findTooSlow, rejectCandidate, rejectLoad, rejectRefused } from '../offer/eligibility.js';
import { chainOrder, compareInOrder, orderSlow, type SearchOrder } from './search-order.js';
import { weighWait } from './weigh-wait.js';

/** The result of the search through the chain. */
export interface Search {
  /** The first offer that fits; `null` where no offer fits. */
  readonly picked: FittingOffer | null;
  /** The first offer that fits only after a busy instance is idle; `null` without such an offer. */
  readonly afterDrain: DrainingOffer | null;
  /** The wait for `afterDrain`, weighed against a load at once; `null` where nothing was weighed. */
  readonly weighed: WeighedWait | null;
  /** In the order of the chain. */
  readonly rejected: readonly RejectedCandidate[];
  /** The order in which the candidates were tried. */
  readonly order: SearchOrder;
}

/**
 * Walks the chain in order of preference and picks the first offer that fits and is fast enough. If no offer is both, picks the
 * first that fits. The candidates that one entry of the chain was expanded to are then tried in the order of their value.
 */
export function searchChain(
  input: SelectionInput,
  accounts: Accounts,
  current: Current | null,
): Search {
  const search = walkChain(input, accounts, current, chainOrder(input));
  if (search.picked !== null || !search.rejected.some(isTooSlow)) return search;
  // A faster model fits once a busy instance is idle. Until then the current resident serves.
  if (search.afterDrain !== null && (current !== null || search.weighed !== null)) return search;
  return walkChain(input, accounts, current, orderSlow(input, accounts));
}

function isTooSlow({ options }: RejectedCandidate): boolean {
  return options.some(({ code }) => code === 'TOO_SLOW');
}

function walkChain(
  input: SelectionInput,
  accounts: Accounts,
  current: Current | null,
  order: SearchOrder,
): Search {
  let picked: FittingOffer | null = null;
  let afterDrain: DrainingOffer | null = null;
  let weighed: WeighedWait | null = null;
  const rejected: RejectedCandidate[] = [];
  for (const candidateIndex of order.indexes) {
    const candidate = input.candidates[candidateIndex];
    if (candidate === undefined) continue;
    const { modelKey } = candidate;
    const passedOver = passOver(candidate, input, picked);
    if (passedOver !== null) {
      rejected.push({ candidateIndex, modelKey, rejection: passedOver, options: [] });
      continue;
    }
    const tried = tryCandidate(candidate, candidateIndex, {
      input,
      accounts,
      current,
      order,
      afterDrain,
    });
    ({ picked, afterDrain } = tried);
    // Report the weighed wait that led to the choice, else the first one.
    if (weighed === null || picked !== null) weighed = tried.weighed ?? weighed;
    const rejection = closest(tried.options);
    if (picked === null && rejection !== null) {
      rejected.push({ candidateIndex, modelKey, rejection, options: tried.options });
    }
  }
  rejected.sort((one, other) => one.candidateIndex - other.candidateIndex);
  return { picked, afterDrain, weighed, rejected, order };
}

/** The reason to skip the load options of a candidate; `null` to try them. */
function passOver(
  candidate: Candidate,
  { requirement, resources }: SelectionInput,
  picked: FittingOffer | null,
): Rejection | null {
  const unsuitable = rejectCandidate(candidate, requirement);
  // The tier and the capabilities of a refused file are guesses, so its refusal comes first.
  if (unsuitable !== null) return rejectRefused(candidate) ?? unsuitable;
  if (picked === null) return null;
  const preferredModelKey = picked.offer.candidate.modelKey;
  return (
    rejectLoad(candidate, resources) ?? { code: 'PREFERRED_CANDIDATE_FITS', preferredModelKey }
  );
}

/** The result of trying the offers of one candidate. */
interface Tried {
  readonly picked: FittingOffer | null;
  readonly afterDrain: DrainingOffer | null;
  /** The weighed wait that decided about a load of this candidate; `null` without one. */
  readonly weighed: WeighedWait | null;
  /** The reason for each load option that was rejected, in order. */
  readonly options: readonly Rejection[];
}

function tryCandidate(
  candidate: Candidate,
  candidateIndex: number,
  search: {
    readonly input: SelectionInput;
    readonly accounts: Accounts;
    readonly current: Current | null;
    readonly order: SearchOrder;
    /** The draining offer of a more preferred candidate; `null` without such an offer. */
    readonly afterDrain: DrainingOffer | null;
  },
): Tried {
  const { input, accounts, current, order } = search;
  let { afterDrain } = search;
  let weighed: WeighedWait | null = null;
  const options: Rejection[] = [];
  const reject = ({ optionIndex }: Offer, rejection: Rejection): void => {
    const before = options[optionIndex];
    options[optionIndex] = before === undefined ? rejection : closer(before, rejection);
  };
  for (const offer of offersOf(candidate, candidateIndex, input, accounts)) {
    const limit = limitFor(offer, input, current, order);
    const attempt = attemptOffer(offer, input, accounts, limit);
    if (attempt.kind === 'rejected') {
      reject(offer, attempt.rejection);
      if (lacksOnlyMargin(offer, input, accounts, limit)) break;
      continue;
    }
    const tooSlow = order.anySpeed ? null : findTooSlow(candidate, offer.option, input.policy);
    if (tooSlow !== null) {
      reject(offer, tooSlow);
      continue;
    }
    if (attempt.kind === 'after-drain') {
      afterDrain ??= attempt;
      reject(offer, { code: 'WAITS_FOR_BUSY', instanceIdentifiers: attempt.waitsFor });
      continue;
    }
    if (afterDrain === null || offer.resident !== null) {
      return { picked: attempt, afterDrain, weighed: null, options };
    }
    // A better model fits once a busy instance is idle.
    const wait = weighWait(afterDrain, offer, input, accounts);
    if (wait === null && current === null) {
      // No resident of ours can serve meanwhile.
      return { picked: attempt, afterDrain, weighed: null, options };
    }
    if (wait?.outcome === 'load') {
      // The wait would cost more than a load at once.
      return { picked: attempt, afterDrain: null, weighed: wait, options };
    }
    weighed ??= wait;
    reject(offer, { code: 'WAITS_FOR_BUSY', instanceIdentifiers: afterDrain.waitsFor });
  }
  return { picked: null, afterDrain, weighed, options };
}

/** Stepping up from the current resident asks for more room than staying. */
function limitFor(
  offer: Offer,
  input: SelectionInput,
  current: Current | null,
  order: SearchOrder,
): Limit {
  const isStepUp = current !== null && compareInOrder(offer, current.position, order) < 0;
  return isStepUp ? upgradeLimit(input) : LIMIT;
}

/**
 * Whether a resident that was rejected keeps to the limit and lacks only the upgrade margin. A cheaper load
 * option of the same model is then not loaded beside the resident.
 */
function lacksOnlyMargin(
  offer: Offer,
  input: SelectionInput,
  accounts: Accounts,
  { kind }: Limit,
): boolean {
  return (
    offer.resident !== null &&
    kind === 'upgrade' &&
    planSwitch(offer, input, accounts, LIMIT).kind === 'fits'
  );
}

/** The reason of the load option that came closest to fitting; `null` without a reason. */
function closest(options: readonly Rejection[]): Rejection | null {
  return options.reduce<Rejection | null>(
    (best, next) => (best === null ? next : closer(best, next)),
    null,
  );
}

/** The reason of two that is closer to fitting; the first where both are equally close. */
function closer(first: Rejection, second: Rejection): Rejection {
  return distanceOf(second) < distanceOf(first) ? second : first;
}

/**
 * How far a rejected offer is from fitting. A wait is the nearest, then an offer that fits but is too slow,
 * then the smallest shortfall.
 */
function distanceOf(rejection: Rejection): number {
  if (rejection.code === 'WAITS_FOR_BUSY') return -1;
  if (rejection.code === 'TOO_SLOW') return 0;
  return 'shortfallBytes' in rejection ? rejection.shortfallBytes : Infinity;
}
