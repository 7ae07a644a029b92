import { LIMIT, valueOf } from '@mai/memory-ledger';
import type { Accounts } from '../account/accounts.js';
import type { Candidate, SelectionInput } from '../input.js';
import { comparePositions, type ChainPosition } from '../offer/chain-position.js';
import { offersOf } from '../offer/offers.js';
import { attemptOffer } from '../plan/attempt-offer.js';
import type { ValueComparison } from '../selection.js';

/** A candidate that Mai put into the chain and that fits, but only with a load option that is too slow. */
interface SlowCandidate {
  readonly modelKey: string;
  readonly candidateIndex: number;
  /** `null` where its quality is not known. */
  readonly value: number | null;
}

/** The order in which candidates are tried. */
export interface SearchOrder {
  /** Whether offers below the minimum speed may be chosen. */
  readonly anySpeed: boolean;
  /** Indexes of all candidates, the first one to try first. */
  readonly indexes: readonly number[];
  /** The place of each candidate in `indexes`, by its index. */
  readonly places: readonly number[];
  /** The groups of candidates that are ordered by value. Each group lists its candidates in that order. */
  readonly slowGroups: readonly (readonly SlowCandidate[])[];
}

/** The order of the chain. Only offers that are fast enough may be chosen. */
export function chainOrder({ candidates }: SelectionInput): SearchOrder {
  const indexes = candidates.map((_, index) => index);
  return { anySpeed: false, indexes, places: indexes, slowGroups: [] };
}

/**
 * The order in which candidates are tried where no offer is fast enough. Candidates that one entry of the chain was
 * expanded to are tried in the order of their value: that of the first load option that fits now. Those of unknown quality
 * come last, and equal values keep their order. Candidates that do not fit cannot be chosen. They come first, so that
 * each is rejected for what it lacks. A candidate that a person named keeps its place.
 */
export function orderSlow(input: SelectionInput, accounts: Accounts): SearchOrder {
  const slowGroups: (readonly SlowCandidate[])[] = [];
  const indexes = groupsOf(input.candidates).flatMap((group) => {
    // One candidate alone has nothing to be compared with.
    if (group.length === 1) return group;
    const judged = group.map((candidateIndex) => judge(candidateIndex, input, accounts));
    const fitting = judged.flatMap(({ slow }) => slow ?? []);
    fitting.sort((one, other) => (other.value ?? -1) - (one.value ?? -1));
    slowGroups.push(fitting);
    return [
      ...judged.flatMap(({ candidateIndex, slow }) => (slow === null ? candidateIndex : [])),
      ...fitting.map(({ candidateIndex }) => candidateIndex),
    ];
  });
  const places = [...indexes];
  for (const [place, index] of indexes.entries()) places[index] = place;
  return { anySpeed: true, indexes, places, slowGroups };
}

/** Negative where `a` is preferred to `b`. */
export function compareInOrder(
  a: ChainPosition,
  b: ChainPosition,
  { places }: SearchOrder,
): number {
  const placed = ({ candidateIndex, optionIndex }: ChainPosition): ChainPosition => ({
    candidateIndex: places[candidateIndex] ?? candidateIndex,
    optionIndex,
  });
  return comparePositions(placed(a), placed(b));
}

/** The value of a candidate beside that of the next in its group; `null` where the value did not decide. */
export function compareValues(
  candidateIndex: number,
  { slowGroups }: SearchOrder,
): ValueComparison | null {
  for (const group of slowGroups) {
    const place = group.findIndex((one) => one.candidateIndex === candidateIndex);
    if (place === -1) continue;
    const value = group[place]?.value ?? null;
    const next = group[place + 1];
    const nextValue = next?.value ?? null;
    return value === null || next === undefined || nextValue === null
      ? null
      : { value, next: { modelKey: next.modelKey, value: nextValue } };
  }
  return null;
}

/** Indexes of candidates that follow each other and that one entry of the chain was expanded to. */
function groupsOf(candidates: readonly Candidate[]): readonly (readonly number[])[] {
  const groups: number[][] = [];
  let before: string | null = null;
  for (const [index, candidate] of candidates.entries()) {
    const { expandedFrom } = candidate;
    if (expandedFrom !== null && expandedFrom === before) groups.at(-1)?.push(index);
    else groups.push([index]);
    before = expandedFrom;
  }
  return groups;
}

function judge(
  candidateIndex: number,
  input: SelectionInput,
  accounts: Accounts,
): { readonly candidateIndex: number; readonly slow: SlowCandidate | null } {
  const candidate = input.candidates[candidateIndex];
  if (candidate === undefined) return { candidateIndex, slow: null };
  for (const offer of offersOf(candidate, candidateIndex, input, accounts)) {
    if (attemptOffer(offer, input, accounts, LIMIT).kind === 'rejected') continue;
    const value = valueOf(offer.option, input.policy);
    return { candidateIndex, slow: { modelKey: candidate.modelKey, candidateIndex, value } };
  }
  return { candidateIndex, slow: null };
}
