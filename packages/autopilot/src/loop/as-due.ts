import type { Selection } from '@mai/selector';

/** A switch that waits for a busy instance is due all the same: carrying it out begins with the wait. */
export function asDue(selection: Selection): Selection {
  if (selection.decision !== 'wait') return selection;
  return { ...selection, decision: selection.direction === null ? 'load' : 'switch' };
}
