import { chargeOfLoad, chargeOfResident } from './charge.js';
import { comparePositions, findCurrent, type Current } from './chain-position.js';
import { rejectCandidate, rejectLoad, rejectOption } from './eligibility.js';
import { sortByEvictability } from './evictable.js';
import type { Strictness } from './fit.js';
import type { Candidate, LoadOption, SelectionInput } from './input.js';
import {
  concludeSelection,
  outcomesOf,
  type Outcome,
  type PickedOption,
} from './conclude-selection.js';
import { planSwitch, type Attempt, type Surroundings } from './plan-switch.js';
import { chargeResidents, measurePools } from './pools.js';
import type { Plan, Rejection, RejectedCandidate, Selection } from './selection.js';
import { servesOption } from './serves.js';

/**
 * Chooses the first candidate of the chain, and the first of its load options, that meets the requirement
 * and fits, and says what to do about it and why everything before it was passed over.
 *
 * Pure: the same input always gives the same output. A plan fits when, in every pool that the model takes
 * memory from, others plus what stays plus the upper end of what is loaded keeps to the pool's limit and
 * leaves the minimum headroom. The last candidate of the chain may stay, and be stepped down to, up to the
 * hard limit. Never throws for what it is given; 'nothing fits' is a value.
 */
export function selectModel(input: SelectionInput): Selection {
  const { candidates, requirement, resources, policy } = input;
  const residents = chargeResidents(input.residents, resources);
  const surroundings: Surroundings = {
    pools: measurePools(resources, residents, policy),
    residents,
    evictability: sortByEvictability(input.residents, candidates, resources, policy),
  };
  const current = findCurrent(input.residents, candidates, requirement);
  const search = searchChain(input, surroundings, current);
  const picked = search.picked ?? lastResort(input, surroundings, current);
  const outcome: Outcome = { ...search, picked, current };
  return concludeSelection(input, surroundings, outcome);
}

interface Search {
  readonly picked: PickedOption | null;
  readonly afterDrain: PickedOption | null;
  readonly rejected: readonly RejectedCandidate[];
}

function searchChain(
  input: SelectionInput,
  surroundings: Surroundings,
  current: Current | null,
): Search {
  let picked: PickedOption | null = null;
  let afterDrain: PickedOption | null = null;
  const rejected: RejectedCandidate[] = [];
  for (const [candidateIndex, candidate] of input.candidates.entries()) {
    const { modelKey } = candidate;
    const outOfPlay =
      rejectCandidate(candidate, input.requirement) ??
      (picked === null ? null : rejectLoad(candidate, input.resources)) ??
      preferred(picked);
    if (outOfPlay !== null) {
      rejected.push({ candidateIndex, modelKey, rejection: outOfPlay, options: [] });
      continue;
    }
    const options: Rejection[] = [];
    for (const [optionIndex, option] of candidate.loadOptions.entries()) {
      const attempt = attemptOption(input, surroundings, current, { candidateIndex, optionIndex });
      // A better one is due as soon as a busy instance is done; nothing lesser is loaded meanwhile.
      const postponed = afterDrain !== null && current !== null;
      if (attempt.kind === 'fits' && !(postponed && !isResident(attempt))) {
        picked = { candidate, candidateIndex, option, optionIndex, attempt };
        break;
      }
      if (attempt.kind === 'after-drain') {
        afterDrain ??= { candidate, candidateIndex, option, optionIndex, attempt };
        options.push({ code: 'WAITS_FOR_BUSY', instanceIdentifiers: attempt.waitsFor });
      } else if (attempt.kind === 'rejected') options.push(attempt.rejection);
      else options.push(waitsForBetter(afterDrain));
    }
    const rejection = closest(options);
    if (picked === null && rejection !== undefined) {
      rejected.push({ candidateIndex, modelKey, rejection, options });
    }
  }
  return { picked, afterDrain, rejected };
}

function attemptOption(
  input: SelectionInput,
  surroundings: Surroundings,
  current: Current | null,
  position: { readonly candidateIndex: number; readonly optionIndex: number },
): Attempt {
  const better = current !== null && comparePositions(position, current.position) < 0;
  const strictness: Strictness =
    better && input.upgradeMarginRatio != null
      ? {
          kind: 'upgrade',
          marginRatio: input.upgradeMarginRatio,
          floorRatio: input.policy.upgradeBelowRatioMin,
        }
      : { kind: 'limit' };
  return attemptWithin(input, surroundings, position, strictness);
}

function attemptWithin(
  { candidates, requirement, resources, residents }: SelectionInput,
  surroundings: Surroundings,
  {
    candidateIndex,
    optionIndex,
  }: { readonly candidateIndex: number; readonly optionIndex: number },
  strictness: Strictness,
): Attempt {
  const candidate = candidates[candidateIndex] as Candidate;
  const option = candidate.loadOptions[optionIndex] as LoadOption;
  const resident =
    residents.find((one) => servesOption(one, candidate.modelKey, option, requirement)) ?? null;
  if (resident === null) {
    const rejection =
      rejectLoad(candidate, resources) ?? rejectOption(candidate, option, requirement);
    if (rejection !== null) return { kind: 'rejected', rejection };
  }
  const needed =
    resident !== null
      ? chargeOfResident(resident.footprint, resources)
      : option.footprint === null
        ? new Map<never, number>()
        : chargeOfLoad(option.footprint, resources).full;
  const target = { modelKey: candidate.modelKey, needed, resident, loadOption: option };
  return planSwitch(target, surroundings, strictness);
}

/** A switch that leaves a pool above its limit is worth it only where it frees this share of one. */
const MIN_RELIEF_RATIO = 0.02;

/**
 * Nothing keeps to the limits: the last candidate of the chain may stay up to the hard limit, and be stepped
 * down to. With nothing resident, and nothing that was, a limit is a limit.
 */
function lastResort(
  input: SelectionInput,
  surroundings: Surroundings,
  current: Current | null,
): PickedOption | null {
  if (current === null && input.steppingDown !== true) return null;
  const { candidates, requirement } = input;
  for (let candidateIndex = candidates.length - 1; candidateIndex >= 0; candidateIndex -= 1) {
    const candidate = candidates[candidateIndex] as Candidate;
    if (rejectCandidate(candidate, requirement) !== null) continue;
    for (const [optionIndex, option] of candidate.loadOptions.entries()) {
      const position = { candidateIndex, optionIndex };
      // Above the limit nothing is made larger than it is.
      if (current !== null && comparePositions(position, current.position) < 0) continue;
      const attempt = attemptWithin(input, surroundings, position, { kind: 'hard-limit' });
      if (attempt.kind !== 'fits') continue;
      if (current === null || isWorthIt(attempt.plan, input, surroundings)) {
        return { candidate, candidateIndex, option, optionIndex, attempt };
      }
    }
    return null;
  }
  return null;
}

/** Whether a plan loads nothing, helps against a hard limit, or frees enough of what is above its limit. */
function isWorthIt(plan: Plan, input: SelectionInput, surroundings: Surroundings): boolean {
  if (plan.steps.every(({ action }) => action === 'unload')) return true;
  return outcomesOf(input, surroundings, plan).some(
    ({ totalBytes, useBeforeBytes, useAfterBytes, limitRatio, hardLimitRatio }) =>
      useBeforeBytes > hardLimitRatio * totalBytes ||
      (useBeforeBytes > limitRatio * totalBytes &&
        useBeforeBytes - useAfterBytes >= MIN_RELIEF_RATIO * totalBytes),
  );
}

function preferred(picked: PickedOption | null): Rejection | null {
  return picked === null
    ? null
    : { code: 'PREFERRED_CANDIDATE_FITS', preferredModelKey: picked.candidate.modelKey };
}

function isResident({ plan }: Extract<Attempt, { kind: 'fits' }>): boolean {
  return plan.steps.every(({ action }) => action === 'unload');
}

function waitsForBetter(afterDrain: PickedOption | null): Rejection {
  const attempt = afterDrain?.attempt;
  return {
    code: 'WAITS_FOR_BUSY',
    instanceIdentifiers: attempt?.kind === 'after-drain' ? attempt.waitsFor : [],
  };
}

/** Of several reasons the one that is nearest to fitting. */
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
