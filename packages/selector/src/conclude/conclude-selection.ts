import { NO_CHARGE, type Charge } from '@mai/memory-ledger';
import { chargeOf, type Accounts } from '../account/accounts.js';
import type { ChainPosition } from '../offer/chain-position.js';
import type { Candidate, LoadOption, Resident, SelectionInput } from '../input.js';
import type { Current } from '../offer/current.js';
import { rejectCandidate } from '../offer/eligibility.js';
import { unloadStep, type DrainingOffer } from '../plan/plan-switch.js';
import { outcomesOf } from '../plan/pool-outcomes.js';
import type { Chosen, OptionCost, Plan, PoolOutcome, Selection } from '../selection.js';
import type { Search } from '../search/search-chain.js';
import { compareInOrder, type SearchOrder } from '../search/search-order.js';
import { noteSelection, poolsUsedBy } from './selection-notes.js';

/** The results of all steps before the conclusion. */
export interface Outcome extends Search {
  /** Residents to release because memory is about to run out and nothing fits. */
  readonly released: readonly Resident[];
  readonly current: Current | null;
}

const NO_PLAN: Plan = { steps: [], order: null };

/** Turns the results of the other steps into a decision. */
export function concludeSelection(
  input: SelectionInput,
  accounts: Accounts,
  outcome: Outcome,
): Selection {
  const { afterDrain } = outcome;
  const decided = decide(input, outcome);
  const { chosen, plan } = decided;
  const needed = neededBy(outcome, accounts);
  const pools = outcomesOf(input, accounts, plan, needed);
  const selection = {
    ...decided,
    pools,
    headroomBytes: chosen === null ? null : tightest(pools, needed),
    rejected: outcome.rejected.filter(
      ({ candidateIndex }) => candidateIndex !== chosen?.candidateIndex,
    ),
    afterDrain: afterDrain === null ? null : describeDrain(afterDrain),
  };
  const notes = noteSelection(input, selection, needed, outcome.order);
  const { weighed } = outcome;
  return { ...selection, notes: weighed === null ? notes : [...notes, weighed] };
}

type Decided = Pick<Selection, 'decision' | 'direction' | 'chosen' | 'plan'>;

function decide(
  input: SelectionInput,
  { picked, afterDrain, released, current, order }: Outcome,
): Decided {
  if (picked !== null) {
    const { offer, plan } = picked;
    const chosen = describe(offer, offer.candidate, offer.option, offer.resident);
    return offer.resident !== null
      ? { decision: 'keep', direction: null, chosen, plan }
      : {
          decision: current === null ? 'load' : 'switch',
          direction: directionFrom(current, offer, order),
          chosen,
          plan,
        };
  }
  const kept = current === null ? null : describeCurrent(current, input);
  if (afterDrain !== null) {
    const direction = directionFrom(current, afterDrain.offer, order);
    return { decision: 'wait', direction, chosen: kept, plan: NO_PLAN };
  }
  if (released.length > 0) {
    const steps = released.map((resident) => unloadStep(resident, 'make-room'));
    return { decision: 'release', direction: 'down', chosen: null, plan: { steps, order: null } };
  }
  // Skip a step down that leaves a pool above its limit. Such a step would only lose the better model.
  return {
    decision: kept === null ? 'none' : 'keep',
    direction: null,
    chosen: kept,
    plan: NO_PLAN,
  };
}

function directionFrom(
  current: Current | null,
  to: ChainPosition,
  order: SearchOrder,
): 'up' | 'down' | null {
  if (current === null) return null;
  return compareInOrder(to, current.position, order) < 0 ? 'up' : 'down';
}

/** The current resident as the chosen model; `null` where it does not meet the requirement. */
function describeCurrent(
  { resident, position, option }: Current,
  { candidates, requirement }: SelectionInput,
): Chosen | null {
  const candidate = candidates[position.candidateIndex];
  if (candidate === undefined || option === null) return null;
  if (rejectCandidate(candidate, requirement) !== null) return null;
  return describe(position, candidate, option, resident);
}

function describe(
  { candidateIndex, optionIndex }: ChainPosition,
  { modelKey, displayName, tier, loadOptions }: Candidate,
  loadOption: LoadOption,
  resident: Resident | null,
): Chosen {
  return {
    candidateIndex,
    modelKey,
    displayName,
    tier,
    optionIndex,
    loadOption,
    instanceIdentifier: resident?.instanceIdentifier ?? null,
    footprint: resident === null ? loadOption.footprint : resident.footprint,
    cost: optionIndex === 0 ? null : costOf(loadOption, loadOptions[0]),
  };
}

function costOf(option: LoadOption, first: LoadOption | undefined): OptionCost {
  const lost = (most: number | null | undefined, left: number | null | undefined): number | null =>
    most == null || left == null ? null : most - left;
  return {
    quality: lost(first?.quality, option.quality),
    tokensPerSecond: lost(
      first?.speed?.decodeTokensPerSecond.expected,
      option.speed?.decodeTokensPerSecond.expected,
    ),
  };
}

function describeDrain({ offer, waitsFor, plan }: DrainingOffer): Selection['afterDrain'] {
  const { candidate, candidateIndex, optionIndex } = offer;
  return { candidateIndex, modelKey: candidate.modelKey, optionIndex, waitsFor, plan };
}

function tightest(pools: readonly PoolOutcome[], needed: Charge): number {
  return Math.min(...poolsUsedBy(needed, pools).map(({ headroomBytes }) => headroomBytes));
}

/** The bytes that the chosen model takes of each pool. */
function neededBy({ picked, current }: Outcome, accounts: Accounts): Charge {
  if (picked !== null) return picked.offer.needed;
  return current === null ? NO_CHARGE : chargeOf(accounts, current.resident);
}
