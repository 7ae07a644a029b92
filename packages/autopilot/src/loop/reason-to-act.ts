import type { Selection } from '@mai/selector';
import type { Verdict } from '../timing/hysteresis/hysteresis-state.js';
import { asDue } from './as-due.js';
import type { SwitchReason } from './autopilot-event.js';

/** What else there is to know than the decision and the verdict. */
interface Circumstances {
  /** A yield was added, or grew. */
  readonly yieldsChanged: boolean;
  /** Something is to be loaded when nothing is. */
  readonly wanted: boolean;
  /** How many wait for a model. */
  readonly waiting: number;
  /** Whether nothing is to be tried for now, short of an emergency. */
  readonly heldBack: () => boolean;
}

/** Why to carry a decision out now; null where it is not. */
export function reasonToAct(
  selection: Selection,
  verdict: Verdict,
  { yieldsChanged, wanted, waiting, heldBack }: Circumstances,
): SwitchReason | null {
  const { decision, direction } = asDue(selection);
  if (decision === 'none') return null;
  if (decision === 'keep') {
    // What is loaded stays, but not alone: something that it has replaced was busy when it should have
    // gone, or what is in its way may go now.
    return selection.plan.steps.length > 0 && !heldBack() ? verdict.reason : null;
  }
  const emergency = verdict.act && verdict.reason === 'EMERGENCY';
  if (!emergency && heldBack()) return null;
  if (decision === 'load' && !wanted) return null;
  if (waiting > 0) return 'REQUESTED';
  if (yieldsChanged && (direction === 'down' || decision === 'release')) return 'YIELD';
  return verdict.act ? verdict.reason : null;
}
