import type { LeaseTarget } from '../request/lease-request.js';
import type { Selection } from '@mai/selector';
import type { AssembledInput } from '../assemble/join-footprints.js';
import type { FailureLedger } from '../failures/failure-ledger.js';
import type { Pin, Yield } from '../journal/journal-state.js';
import type { Verdict } from '../timing/hysteresis-state.js';

/** The state of an autopilot at one moment. */
export interface AutopilotState {
  readonly status: 'stopped' | 'running' | 'switching' | 'stopping';
  /** The last round of the loop; null before the first. */
  readonly decision: {
    readonly atMs: number;
    /**
     * Identifies the logged decision. A decision that repeats an earlier one has its identifier. Null where
     * no log is written.
     */
    readonly id: string | null;
    /** Null for the autopilot's own decision; otherwise the target of the callers that it was made for. */
    readonly target: LeaseTarget | null;
    readonly input: AssembledInput;
    readonly selection: Selection;
    readonly verdict: Verdict;
    readonly timeToHardLimitMs: number | null;
  } | null;
  /** The error of a port that failed in the last round; null when all ports worked. */
  readonly fault: unknown;
  /**
   * The end of the pause of all loads after many failures, in epoch milliseconds; null while loads are tried.
   */
  readonly breakerOpenUntilMs: number | null;
  /**
   * The time at which a switch that was put off is tried again, in epoch milliseconds; null when no switch is
   * put off.
   */
  readonly putOffUntilMs: number | null;
  readonly failures: FailureLedger;
  readonly pins: readonly Pin[];
  readonly yields: readonly Yield[];
  /** Identifiers of leased instances. */
  readonly leased: readonly string[];
  /** How many callers wait for a lease. */
  readonly waiting: number;
  /** Whether the idle time of the last model has expired; the next `acquire` loads again. */
  readonly idle: boolean;
}
