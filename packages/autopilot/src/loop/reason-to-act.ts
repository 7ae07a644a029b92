import type { Selection } from '@mai/selector';
import type { SwitchReason } from '../events/autopilot-event.js';
import { asDue } from '../timing/as-due.js';
import type { Verdict } from '../timing/hysteresis-state.js';

/** The reason to carry a decision out now; null when it is not carried out. */
export function reasonToAct(
  selection: Selection,
  verdict: Verdict,
  {
    yieldsChanged,
    wanted,
    isUnasked,
    isHeldBack,
  }: {
    /** A yield was added, or grew. */
    readonly yieldsChanged: boolean;
    /** Whether a model should be loaded when no model is resident. */
    readonly wanted: boolean;
    /** Whether nobody has asked for a model of the chain, so that only a step down is carried out. */
    readonly isUnasked: boolean;
    /** Whether switches are put off for now. An emergency ignores this. */
    readonly isHeldBack: () => boolean;
  },
): SwitchReason | null {
  const { decision, direction } = asDue(selection);
  if (decision === 'none') return null;
  if (decision === 'keep') {
    // The serving instance stays. The steps unload instances that were busy when it replaced them.
    return selection.plan.steps.length > 0 && !isHeldBack() ? verdict.reason : null;
  }
  const emergency = verdict.act && verdict.reason === 'EMERGENCY';
  if (!emergency && isHeldBack()) return null;
  if (decision === 'load' && !wanted) return null;
  if (isUnasked && decision !== 'release' && direction !== 'down') return null;
  if (yieldsChanged && (direction === 'down' || decision === 'release')) return 'YIELD';
  return verdict.act ? verdict.reason : null;
}
