import type { DecisionRecord } from './decision-record.js';

/**
 * The identifier of a logged decision, such as `mijq3x2k-h`: its time and its sequence number, both in base 36.
 */
export function decisionIdOf({
  atMs,
  sequence,
}: Pick<DecisionRecord, 'atMs' | 'sequence'>): string {
  return `${atMs.toString(36)}-${sequence.toString(36)}`;
}

/** Reads an identifier; null where the text is not one. */
export function parseDecisionId(text: string): Pick<DecisionRecord, 'atMs' | 'sequence'> | null {
  const match = /^([0-9a-z]{1,10})-([0-9a-z]{1,10})$/.exec(text.trim().toLowerCase());
  const [, atText, sequenceText] = match ?? [];
  if (atText === undefined || sequenceText === undefined) return null;
  const [atMs, sequence] = [parseInt(atText, 36), parseInt(sequenceText, 36)];
  return { atMs, sequence };
}
