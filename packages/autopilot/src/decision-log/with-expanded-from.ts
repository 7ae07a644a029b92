import type { Candidate } from '@mai/selector';
import type { DecisionRecord } from './decision-record.js';

/** The fields of version 4 that say whether an entry of the chain was expanded to a candidate, and which one. */
interface DerivedFields {
  readonly derived?: boolean;
  readonly derivedFrom?: string | null;
}

/** Stands for an entry that was not recorded: the first records of version 4 have no `derivedFrom`. */
const UNKNOWN_ENTRY = 'downloaded';

/**
 * Adds the field `expandedFrom` to the candidates of a record of version 1 to 4. Versions 1 to 3 say nothing about it,
 * which has the same effect as a candidate that a person named.
 *
 * @throws TypeError where the record is damaged.
 */
export function withExpandedFrom(record: DecisionRecord): DecisionRecord {
  const { input } = record;
  return { ...record, input: { ...input, candidates: input.candidates.map(candidateOf) } };
}

function candidateOf({
  derived = false,
  derivedFrom = null,
  ...candidate
}: Candidate & DerivedFields): Candidate {
  return { ...candidate, expandedFrom: derived ? (derivedFrom ?? UNKNOWN_ENTRY) : null };
}
