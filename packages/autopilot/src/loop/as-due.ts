import type { Selection } from '@mai/selector';

/** A switch that waits for a busy instance is due all the same: carrying it out begins with the wait. */
export function asDue(selection: Selection): Selection {
  const { decision, chosen, afterDrain } = selection;
  if (decision === 'wait') {
    return { ...selection, decision: selection.direction === null ? 'load' : 'switch' };
  }
  // What is loaded fits and stays, until it is idle and something better may take its place.
  const better =
    decision === 'keep' &&
    chosen !== null &&
    afterDrain !== null &&
    (afterDrain.candidateIndex < chosen.candidateIndex ||
      (afterDrain.candidateIndex === chosen.candidateIndex &&
        afterDrain.optionIndex < chosen.optionIndex));
  return better ? { ...selection, decision: 'switch', direction: 'up' } : selection;
}
