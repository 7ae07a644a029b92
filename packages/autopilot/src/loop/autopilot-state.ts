import type { Selection } from '@mai/selector';
import type { Verdict } from '../timing/hysteresis/hysteresis-state.js';
import type { AssembledInput } from '../assemble/assemble-selection-input.js';
import type { FailureLedger } from '../failures/failure-ledger.js';
import type { Pin, Yield } from '../journal/journal-state.js';

/** What an autopilot is at, at one moment. */
export interface AutopilotState {
  readonly status: 'stopped' | 'running' | 'switching' | 'stopping';
  /** The last round of the loop; null before the first. */
  readonly decision: {
    readonly atMs: number;
    readonly input: AssembledInput;
    readonly selection: Selection;
    readonly verdict: Verdict;
    readonly timeToHardLimitMs: number | null;
  } | null;
  /** What keeps the loop from working; null when nothing does. */
  readonly fault: unknown;
  /** Until when nothing is tried after a storm of failures, in epoch milliseconds; null when it may. */
  readonly breakerOpenUntilMs: number | null;
  /** Until when a switch is put off because something was busy; null when none is. */
  readonly putOffUntilMs: number | null;
  readonly failures: FailureLedger;
  readonly pins: readonly Pin[];
  readonly yields: readonly Yield[];
  /** Identifiers of leased instances. */
  readonly leased: readonly string[];
  /** Callers that wait for a lease. */
  readonly waiting: number;
  /** Nothing is loaded because its idle time had run out; the next `acquire` loads again. */
  readonly idle: boolean;
}
