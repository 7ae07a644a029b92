import type { SelectionPolicy } from '@mai/memory-ledger';
import type { Selection, SelectionInput } from '@mai/selector';
import type {
  HysteresisEvent,
  HysteresisState,
  Verdict,
} from '../timing/hysteresis/hysteresis-state.js';
import type { DecisionSink } from '../decision-log/decision-record.js';
import type { SwitchResult } from './switch-progress.js';

/** One more decision like the last is written this often, so that a log shows that all was well. */
const REPEAT_MS = 60_000;

interface Decided {
  readonly atMs: number;
  readonly input: SelectionInput;
  readonly selection: Selection;
  readonly before: HysteresisState;
  readonly observation: Extract<HysteresisEvent, { type: 'observed' }>;
  readonly verdict: Verdict;
  readonly policy: SelectionPolicy;
}

/** Writes decisions that differ from the one before, those that are acted upon, and one a minute. */
export class DecisionLogger {
  readonly #sink: DecisionSink | null;
  #sequence = 0;
  #last: Pick<Decided, 'selection' | 'verdict'> | null = null;
  #lastAtMs = Number.NEGATIVE_INFINITY;

  constructor(sink: DecisionSink | null) {
    this.#sink = sink;
  }

  decided(decided: Decided, acts: boolean): void {
    this.#sequence += 1;
    if (this.#sink === null) return;
    const { input, selection, verdict, observation, before, policy } = decided;
    const dueAtMs = this.#lastAtMs + REPEAT_MS;
    const repeats = this.#last !== null && isSameGist(this.#last, decided);
    this.#last = { selection, verdict };
    if (!acts && repeats && observation.atMs < dueAtMs) return;
    this.#lastAtMs = observation.atMs;
    const { atMs, timeToHardLimitMs, reactionMs } = observation;
    this.#sink.write({
      type: 'decision',
      version: 1,
      sequence: this.#sequence,
      atMs: decided.atMs,
      input,
      selection,
      hysteresis: {
        before,
        atMs,
        timeToHardLimitMs,
        reactionMs,
        policy,
        verdict,
      },
    });
  }

  finished(outcome: {
    readonly atMs: number;
    readonly reason: string;
    readonly tookMs: number;
    readonly result: SwitchResult;
    readonly before: number | null;
  }): void {
    const { report } = outcome.result;
    this.#sink?.write({
      type: 'outcome',
      version: 1,
      sequence: this.#sequence,
      atMs: outcome.atMs,
      reason: outcome.reason,
      outcome: report?.outcome ?? 'interrupted',
      tookMs: outcome.tookMs,
      loaded: (report?.loaded ?? []).map((one) => one.modelKey),
      unloaded: (report?.unloaded ?? []).map((one) => one.modelKey),
      failures: report?.failures ?? [],
      availableBytes: { before: outcome.before, after: outcome.result.availableBytes },
    });
  }
}

/** Whether two decisions say the same, whatever the numbers. */
function isSameGist(
  one: Pick<Decided, 'selection' | 'verdict'>,
  other: Pick<Decided, 'selection' | 'verdict'>,
): boolean {
  if (one.verdict.act !== other.verdict.act || one.verdict.reason !== other.verdict.reason) {
    return false;
  }
  const [left, right] = [one.selection, other.selection];
  if (left === right) return true;
  return (
    left.decision === right.decision &&
    left.chosen?.modelKey === right.chosen?.modelKey &&
    left.chosen?.optionIndex === right.chosen?.optionIndex &&
    left.rejected.length === right.rejected.length &&
    left.rejected.every((rejected, index) => {
      const same = right.rejected[index];
      return (
        same?.modelKey === rejected.modelKey && same.rejection.code === rejected.rejection.code
      );
    })
  );
}
