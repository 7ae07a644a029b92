import type { Candidate, Requirement, Resident } from './input.js';
import { servesOption } from './serves.js';

/** A place in the fallback chain: the candidate, and which of its load options. */
export interface ChainPosition {
  readonly candidateIndex: number;
  /** The number of load options where a resident is of this model but of none of them. */
  readonly optionIndex: number;
}

/** Negative where `a` is preferred to `b`. */
export function comparePositions(a: ChainPosition, b: ChainPosition): number {
  return a.candidateIndex - b.candidateIndex || a.optionIndex - b.optionIndex;
}

/** A resident of ours in the chain, and where it stands. */
export interface Current {
  readonly resident: Resident;
  readonly position: ChainPosition;
}

/** The most preferred resident of ours that is in the chain; null when there is none. */
export function findCurrent(
  residents: readonly Resident[],
  candidates: readonly Candidate[],
  requirement: Requirement,
): Current | null {
  let best: Current | null = null;
  for (const resident of residents) {
    if (resident.foreign) continue;
    const candidateIndex = candidates.findIndex(({ modelKey }) => modelKey === resident.modelKey);
    const candidate = candidates[candidateIndex];
    if (candidate === undefined) continue;
    const served = candidate.loadOptions.findIndex((option) =>
      servesOption(resident, candidate.modelKey, option, requirement),
    );
    const position = {
      candidateIndex,
      optionIndex: served === -1 ? candidate.loadOptions.length : served,
    };
    if (best === null || comparePositions(position, best.position) < 0)
      best = { resident, position };
  }
  return best;
}
