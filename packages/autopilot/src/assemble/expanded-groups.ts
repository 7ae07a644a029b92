import { orderByValue, type Candidate, type EmptyMachine } from '@mai/selector';
import type { CandidateProfile } from '../ports/catalog-port.js';

/** Indexes of models that follow each other in the chain and come from the same entry. */
export type ExpandedGroup = readonly number[];

/** Finds the groups of at least two models that are ordered by value. */
export function expandedGroups(
  chain: readonly Pick<CandidateProfile, 'expandedFrom'>[],
): readonly ExpandedGroup[] {
  const groups: number[][] = [];
  let before: string | null = null;
  for (const [index, { expandedFrom }] of chain.entries()) {
    if (expandedFrom === null || expandedFrom !== before) groups.push([index]);
    else groups.at(-1)?.push(index);
    before = expandedFrom;
  }
  return groups.filter((group) => group.length > 1);
}

/** The indexes of the chain, with the models of each group in the order of their value. */
export function orderGroups(
  candidates: readonly Candidate[],
  groups: readonly ExpandedGroup[],
  machine: EmptyMachine,
): readonly number[] {
  const order = candidates.map((_, index) => index);
  for (const group of groups) {
    const members = group.flatMap((index) => candidates[index] ?? []);
    for (const [place, member] of orderByValue(members, machine).entries()) {
      const at = group[place];
      if (at !== undefined) order[at] = candidates.indexOf(member);
    }
  }
  return order;
}
