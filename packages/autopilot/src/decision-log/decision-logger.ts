import type { Selection, SelectionInput } from '@mai/selector';
import type { SwitchResult } from '../execution/switch-progress.js';
import type { LeaseTarget } from '../request/lease-request.js';
import type { Judgement } from '../timing/switch-timing.js';
import { decisionIdOf } from './decision-id.js';
import { RECORD_VERSION, type DecisionSink } from './decision-record.js';

/** Interval at which a repeated decision is written, to show that the autopilot still runs. */
const REPEAT_MS = 60_000;

interface Decided extends Judgement {
  readonly atMs: number;
  readonly input: SelectionInput;
  readonly selection: Selection;
  /** Null for the autopilot's own decision. */
  readonly target: LeaseTarget | null;
  /** A decision can repeat an earlier decision with the same key. */
  readonly key: string;
}

/** The last decision of a key, and when it was written. */
interface Last extends Pick<Decided, 'selection' | 'verdict'> {
  readonly id: string;
  readonly writtenAtMs: number;
}

/** The most keys that are remembered. Callers rarely wait for more targets at once. */
const KEYS_MAX = 64;

/**
 * Writes each decision that differs from the last one or is carried out. Writes a repeated decision once a
 * minute.
 */
export class DecisionLogger {
  readonly #sink: DecisionSink | null;
  #sequence = 0;
  readonly #last = new Map<string, Last>();

  constructor(sink: DecisionSink | null) {
    this.#sink = sink;
  }

  /** Returns the identifier of the record, or of the record that the decision repeats; null without a log. */
  decided(decided: Decided, acts: boolean): string | null {
    this.#sequence += 1;
    if (this.#sink === null) return null;
    const { input, selection, verdict, observation, before, policy, target, key } = decided;
    const { atMs, timeToHardLimitMs, reactionMs } = observation;
    const last = this.#last.get(key);
    const repeats = last !== undefined && isRepeat(last, decided);
    if (!acts && repeats && atMs < last.writtenAtMs + REPEAT_MS) {
      this.#last.set(key, { ...last, selection, verdict });
      return last.id;
    }
    const id = decisionIdOf({ atMs: decided.atMs, sequence: this.#sequence });
    this.#last.delete(key);
    this.#last.set(key, { selection, verdict, id, writtenAtMs: atMs });
    const [oldest] = this.#last.keys();
    if (this.#last.size > KEYS_MAX && oldest !== undefined) this.#last.delete(oldest);
    this.#sink.write({
      type: 'decision',
      version: RECORD_VERSION,
      sequence: this.#sequence,
      atMs: decided.atMs,
      ...(target === null ? {} : { target }),
      input,
      selection,
      hysteresis: { before, atMs, timeToHardLimitMs, reactionMs, policy, verdict },
    });
    return id;
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
