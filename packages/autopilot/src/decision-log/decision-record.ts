import type { SelectionPolicy } from '@mai/memory-ledger';
import type { Selection, SelectionInput } from '@mai/selector';
import type { LeaseTarget } from '../request/lease-request.js';
import type { LoadFailure } from '../failures/load-failure.js';
import type { RunOutcome } from '../switch/report/run-report.js';
import type { HysteresisState, Verdict } from '../timing/hysteresis-state.js';

/** The version of new records. It is raised when decisions start to depend on other data or to follow other rules. */
export const RECORD_VERSION = 5;

/**
 * The version that a record was written with.
 *
 * - Version 1 can be read but not replayed, because its verdict used another margin than its selection. Its
 *   pools had no `limitBytes` and `hardLimitBytes`; the reader computes them from the ratios.
 * - Versions 1 and 2 have no fields about growth. The reader fills them in: growth is not known, was not
 *   observed and is not charged. With these fields, version 2 gives the same decisions.
 * - Versions 1 to 3 have no speeds and qualities. The reader fills them in: they are not known, and no minimum
 *   speed is in force. With these fields, versions 2 and 3 give the same decisions.
 * - Version 4 has the fields `derived` and `derivedFrom` of a candidate. The reader replaces them by `expandedFrom`.
 * - In versions 1 to 4, a plan for the time after a drain unloads every resident that may be unloaded, also where fewer
 *   would do. A decision with such a plan can be read but not replayed.
 */
export type RecordVersion = 1 | 2 | 3 | 4 | 5;

/** A decision with all of its inputs, so that a replay can repeat it. */
export interface DecisionRecord {
  readonly type: 'decision';
  readonly version: RecordVersion;
  /** Number of the decision in one run of the autopilot. Decisions that are not written are counted too. */
  readonly sequence: number;
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** The target of the callers that the decision was made for. Absent: the autopilot's own decision. */
  readonly target?: LeaseTarget;
  /** The input of the selector, with the margin in force. */
  readonly input: SelectionInput;
  readonly selection: Selection;
  readonly hysteresis: {
    readonly before: HysteresisState;
    /** Monotonic milliseconds, the clock of `before`. */
    readonly atMs: number;
    readonly timeToHardLimitMs: number | null;
    readonly reactionMs: number;
    readonly policy: SelectionPolicy;
    readonly verdict: Verdict;
  };
}

/** The outcome of a decision that was carried out. */
export interface OutcomeRecord {
  readonly type: 'outcome';
  readonly version: RecordVersion;
  /** The sequence number of the decision. */
  readonly sequence: number;
  readonly atMs: number;
  readonly reason: string;
  readonly outcome: RunOutcome | 'interrupted';
  readonly tookMs: number;
  readonly loaded: readonly string[];
  readonly unloaded: readonly string[];
  readonly failures: readonly LoadFailure[];
  /** Available RAM before and after; null where it was not measured. */
  readonly availableBytes: { readonly before: number | null; readonly after: number | null };
}

/** One line of the log. */
export type LogRecord = DecisionRecord | OutcomeRecord;

/** Takes the records in order; must not throw. */
export interface DecisionSink {
  write(record: LogRecord): void;
  /** Resolves when everything is written. */
  flushed(): Promise<void>;
}
