import type { Selection } from '@mai/selector';

/**
 * The selection, with a switch that waits for a busy instance treated as due. Its first step is the drain,
 * so its dwell time passes while the instance is busy.
 */
export function asDue(selection: Selection): Selection {
  const { decision, chosen, afterDrain } = selection;
  if (decision === 'wait') {
    return { ...selection, decision: selection.direction === null ? 'load' : 'switch' };
  }
  // The resident fits and stays, and a better load waits for it to become idle.
  const better =
    decision === 'keep' &&
    chosen !== null &&
    afterDrain !== null &&
    (afterDrain.candidateIndex < chosen.candidateIndex ||
      (afterDrain.candidateIndex === chosen.candidateIndex &&
        afterDrain.optionIndex < chosen.optionIndex));
  return better ? { ...selection, decision: 'switch', direction: 'up' } : selection;
}
