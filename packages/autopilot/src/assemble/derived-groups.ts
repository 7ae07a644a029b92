import { orderByValue, type Candidate, type EmptyMachine } from '@mai/selector';
import type { CandidateProfile } from '../ports/catalog-port.js';

/** Indexes in the chain of models that follow each other and come from the same derived entry. */
export type DerivedGroup = readonly number[];

/** Finds the groups of at least two models that are ordered by value. */
export function derivedGroups(
  chain: readonly Pick<CandidateProfile, 'derivedFrom'>[],
): readonly DerivedGroup[] {
  const groups: number[][] = [];
  let before: string | null = null;
  for (const [index, { derivedFrom = null }] of chain.entries()) {
    if (derivedFrom === null || derivedFrom !== before) groups.push([index]);
    else groups.at(-1)?.push(index);
    before = derivedFrom;
  }
  return groups.filter((group) => group.length > 1);
}

/** The indexes of the chain, with the models of each group in the order of their value. */
export function orderGroups(
  candidates: readonly Candidate[],
  groups: readonly DerivedGroup[],
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
