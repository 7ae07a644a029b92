import type { SelectionPolicy } from '@mai/memory-ledger';
import type { Selection, SelectionInput } from '@mai/selector';
import type { HysteresisState, Verdict } from '../timing/hysteresis/hysteresis-state.js';
import type { LoadFailure } from '../switch/load-failure.js';
import type { RunOutcome } from '../switch/run-report.js';

/** A decision with everything that it depends on, so that it can be made again. */
export interface DecisionRecord {
  readonly type: 'decision';
  readonly version: 1;
  /** Counts the decisions of one run of the autopilot; a gap is a decision like the one before. */
  readonly sequence: number;
  readonly atMs: number;
  readonly input: SelectionInput;
  readonly selection: Selection;
  readonly hysteresis: {
    readonly before: HysteresisState;
    /** Monotonic: the clock of the durations. */
    readonly atMs: number;
    readonly timeToHardLimitMs: number | null;
    readonly reactionMs: number;
    readonly policy: SelectionPolicy;
    readonly verdict: Verdict;
  };
}

/** What came of a decision. */
export interface OutcomeRecord {
  readonly type: 'outcome';
  readonly version: 1;
  /** The decision that it belongs to. */
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

/** Takes the records as they come; must not throw. */
export interface DecisionSink {
  write(record: LogRecord): void;
  /** Resolves when everything written is where it belongs. */
  flushed(): Promise<void>;
}
