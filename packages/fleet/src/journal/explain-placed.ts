import { sentencesOfPlacement } from '../placement/explain/explain-placement.js';
import {
  linesOf,
  sentence,
  type ExplainedSentence,
} from '../placement/explain/explained-sentence.js';
import type { PlacedRequest, PlacementAttempt } from './placed-request.js';

/** Explains the choice among the hosts, and the answers of the hosts that were asked. One sentence a line. */
export function explainPlaced(placed: PlacedRequest): string {
  return linesOf(sentencesOfPlaced(placed)).join('\n');
}

/** The sentences of `explainPlaced`, with their lists. */
export function sentencesOfPlaced({
  placement,
  attempts,
}: PlacedRequest): readonly ExplainedSentence[] {
  const last = attempts.at(-1);
  const served =
    last?.outcome === 'granted'
      ? `${last.host} gave the request a lease on ${last.modelKey ?? 'a model'} after ${seconds(last.tookMs)}.`
      : 'No host gave the request a lease.';
  const failed = attempts.filter(({ outcome }) => outcome !== 'granted').map(describeFailed);
  return [...[served, ...failed].map(sentence), ...sentencesOfPlacement(placement)];
}

function describeFailed({
  host,
  outcome,
  reason,
  message,
  figures,
  tookMs,
}: PlacementAttempt): string {
  const why = message ?? reason ?? 'no reason was given';
  const numbers = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  const verb = outcome === 'refused' ? 'refused' : 'gave no lease';
  return `${host} ${verb} after ${seconds(tookMs)}: ${why}${numbers.length === 0 ? '' : ` (${numbers.join(', ')})`}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 9950 ? 1 : 0)} s`;
}
