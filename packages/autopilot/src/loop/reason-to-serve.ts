import type { Selection } from '@mai/selector';
import type { Turn } from '../leases/lease.js';

/** The step for waiting callers: carry the decision out, drain a busy instance first, or answer with the decision. */
export type RequestStep = 'load' | 'drain' | 'answer';

/**
 * The next step after a decision that was made for waiting callers. Such a decision needs no dwell. It loads,
 * and unloads only for a load: the autopilot's own decisions relieve the memory.
 */
export function stepForRequest(
  { decision, afterDrain }: Selection,
  { target }: Turn,
  { mayLoad, isHeldBack }: { readonly mayLoad: boolean; readonly isHeldBack: boolean },
): RequestStep {
  // A resident that the caller names is never loaded.
  if (!mayLoad || isHeldBack || target?.instanceIdentifier != null) return 'answer';
  if (decision === 'load' || decision === 'switch') return 'load';
  return decision === 'wait' && afterDrain !== null ? 'drain' : 'answer';
}
