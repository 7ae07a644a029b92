import type { SelectionPolicy } from '@mai/memory-ledger';
import { selectModel, type Selection, type SelectionInput } from '@mai/selector';
import { asDue } from './as-due.js';

/** A decision that was made with lowered limits. */
export interface DecisionOnRamp<Input extends SelectionInput> {
  readonly input: Input;
  readonly selection: Selection;
  /** The limits of the decision, then higher limits for later decisions of the same switch. */
  readonly limits: readonly SelectionPolicy[];
}

/**
 * Decides again with limits lowered by the growth that is forecast for the others. `limits` go from the lowest
 * to the highest. The first limits under which a model fits are used. Null if no model fits under any of these
 * limits. The first decision then stays in force.
 */
export function decideOnRamp<Input extends SelectionInput>(
  input: Input,
  { direction }: Selection,
  limits: readonly SelectionPolicy[],
): DecisionOnRamp<Input> | null {
  for (const [index, policy] of limits.entries()) {
    const lowered = { ...input, policy };
    const selection = selectModel(lowered);
    const { decision } = asDue(selection);
    // Under lowered limits a step up may turn into `keep`. A step down or a load must find a model.
    if (direction === 'up' || decision === 'switch' || decision === 'load') {
      return { input: lowered, selection, limits: limits.slice(index) };
    }
  }
  return null;
}

/**
 * Decides during a switch. Uses the first of `limits` under which a model fits. If no model fits under any of
 * them, uses the configured limits.
 */
export function decideWithin(input: SelectionInput, limits: readonly SelectionPolicy[]): Selection {
  for (const policy of limits) {
    const selection = selectModel({ ...input, policy });
    if (selection.chosen !== null) return selection;
  }
  return selectModel(input);
}
