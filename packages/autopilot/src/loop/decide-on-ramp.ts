import type { SelectionPolicy } from '@mai/memory-ledger';
import { selectModel, type Selection, type SelectionInput } from '@mai/selector';
import { asDue } from './as-due.js';

/** A decision with the limits that it keeps to, and weaker ones for when the world has moved on. */
export interface DecisionAhead {
  readonly input: SelectionInput;
  readonly selection: Selection;
  readonly limits: readonly SelectionPolicy[];
}

/**
 * Decides again for where others will be. Of limits from the lowest to the highest it keeps to the first that
 * leave something to load; null where the first decision stands, because all of them leave nothing.
 */
export function decideOnRamp(
  input: SelectionInput,
  { direction }: Selection,
  limits: readonly SelectionPolicy[],
): DecisionAhead | null {
  for (const [index, policy] of limits.entries()) {
    const ahead = { ...input, policy };
    const selection = selectModel(ahead);
    const { decision } = asDue(selection);
    // What was to step up may well stay; what was to step down or to load must find something.
    if (direction === 'up' || decision === 'switch' || decision === 'load') {
      return { input: ahead, selection, limits: limits.slice(index) };
    }
  }
  return null;
}

/** The same once a switch is under way: anything is better than nothing. */
export function decideWithin(input: SelectionInput, limits: readonly SelectionPolicy[]): Selection {
  for (const policy of limits) {
    const selection = selectModel({ ...input, policy });
    if (selection.chosen !== null) return selection;
  }
  return selectModel(input);
}
