import type { Selection } from '@mai/selector';

/**
 * The selection in which a switch that waits for a busy instance counts as due. So the dwell time of the switch
 * passes while the instance is busy. The first step of the switch is the drain.
 */
export function asDue(selection: Selection): Selection {
  const { decision, chosen, afterDrain } = selection;
  if (decision === 'wait') {
    return { ...selection, decision: selection.direction === null ? 'load' : 'switch' };
  }
  // The resident stays until it is idle. Then a better load option replaces it.
  const better =
    decision === 'keep' &&
    chosen !== null &&
    afterDrain !== null &&
    (afterDrain.candidateIndex < chosen.candidateIndex ||
      (afterDrain.candidateIndex === chosen.candidateIndex &&
        afterDrain.optionIndex < chosen.optionIndex));
  return better ? { ...selection, decision: 'switch', direction: 'up' } : selection;
}
