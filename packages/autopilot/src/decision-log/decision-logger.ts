import type { Selection, SelectionInput } from '@mai/selector';
import type { SwitchResult } from '../execution/switch-progress.js';
import type { Judgement } from '../timing/switch-timing.js';
import { RECORD_VERSION, type DecisionSink } from './decision-record.js';

/** Interval at which a repeated decision is written, to show that the autopilot still runs. */
const REPEAT_MS = 60_000;

interface Decided extends Judgement {
  readonly atMs: number;
  readonly input: SelectionInput;
  readonly selection: Selection;
}

/**
 * Writes each decision that differs from the last one or is carried out. Writes a repeated decision once a
 * minute.
 */
export class DecisionLogger {
  readonly #sink: DecisionSink | null;
  #sequence = 0;
  #last: Pick<Decided, 'selection' | 'verdict'> | null = null;
  #writtenAtMs = Number.NEGATIVE_INFINITY;

  constructor(sink: DecisionSink | null) {
    this.#sink = sink;
  }

  decided(decided: Decided, acts: boolean): void {
    this.#sequence += 1;
    if (this.#sink === null) return;
    const { input, selection, verdict, observation, before, policy } = decided;
    const { atMs, timeToHardLimitMs, reactionMs } = observation;
    const repeats = this.#last !== null && isRepeat(this.#last, decided);
    this.#last = { selection, verdict };
    if (!acts && repeats && atMs < this.#writtenAtMs + REPEAT_MS) return;
    this.#writtenAtMs = atMs;
    this.#sink.write({
      type: 'decision',
      version: RECORD_VERSION,
      sequence: this.#sequence,
      atMs: decided.atMs,
      input,
      selection,
      hysteresis: { before, atMs, timeToHardLimitMs, reactionMs, policy, verdict },
    });
  }

  finished(outcome: {
    readonly atMs: number;
    readonly reason: string;
    readonly tookMs: number;
    readonly result: SwitchResult;
    /** Available RAM before the switch. */
    readonly before: number | null;
  }): void {
    const { report } = outcome.result;
    this.#sink?.write({
      type: 'outcome',
      version: RECORD_VERSION,
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

/** Whether two decisions are equal except for their figures. */
function isRepeat(
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
