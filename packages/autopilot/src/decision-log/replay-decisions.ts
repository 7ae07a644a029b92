import { setImmediate } from 'node:timers/promises';
import { selectModel, type Rejection, type Selection } from '@mai/selector';
import { isSameData } from '../same-data.js';
import { asDue } from '../timing/as-due.js';
import { reduceHysteresis } from '../timing/reduce-hysteresis.js';
import type { DecisionRecord, RecordVersion } from './decision-record.js';
import { parseRecord } from './parse-record.js';

/** The versions of records that can be replayed: they give the same decisions as when they were written. */
const REPLAYABLE: ReadonlySet<RecordVersion> = new Set([2, 3, 4, 5]);

/** Reasons why no load option of a candidate can meet the requirement. */
const UNSUITABLE: ReadonlySet<Rejection['code']> = new Set(['MISSING_CAPABILITY', 'OUTSIDE_TIER']);

/** The result of a replay. Lines are counted from 1. */
export interface ReplayReport {
  /** Number of decisions that were equal. */
  readonly reproduced: number;
  /** The first decision that differs; null when all are equal. The replay ends there. */
  readonly difference: {
    readonly line: number;
    readonly record: DecisionRecord;
    readonly part: 'selection' | 'verdict';
    readonly recorded: unknown;
    readonly replayed: unknown;
  } | null;
  /**
   * Decisions that an older autopilot made by other rules, which are not replayed; null when the log has no such
   * decisions. `version` is the log version of the first.
   */
  readonly older: {
    readonly version: number;
    readonly decisions: number;
    readonly firstLine: number;
  } | null;
  /** Numbers of lines that are not records, such as the last line of a log that was cut off. */
  readonly unreadable: readonly number[];
}

/** The event loop turns after this many lines, so that signals of the process are handled. */
const LINES_PER_TURN = 64;

/**
 * Computes every decision of a log again and compares it with the recorded one.
 *
 * @throws the signal's reason when it fires.
 */
export async function replayDecisions(
  lines: Iterable<string>,
  { signal = null }: { readonly signal?: AbortSignal | null } = {},
): Promise<ReplayReport> {
  const unreadable: number[] = [];
  let reproduced = 0;
  const older: { readonly version: number; readonly line: number }[] = [];
  let line = 0;
  for (const text of lines) {
    line += 1;
    if (line % LINES_PER_TURN === 0) await setImmediate();
    signal?.throwIfAborted();
    if (text.trim() === '') continue;
    const record = parseRecord(text);
    if (record === null) {
      unreadable.push(line);
      continue;
    }
    if (record.type !== 'decision') continue;
    const { version, selection, hysteresis } = record;
    if (
      !REPLAYABLE.has(version) ||
      choosesUnsuitable(selection) ||
      (version < 5 && unloadsAllAfterDrain(selection))
    ) {
      older.push({ version, line });
      continue;
    }
    const again = decideAgain(record);
    if (again === null) {
      unreadable.push(line);
      continue;
    }
    const parts = [
      ['selection', selection, again.selection],
      ['verdict', hysteresis.verdict, again.verdict],
    ] as const;
    for (const [part, recorded, replayed] of parts) {
      if (isSame(recorded, replayed)) continue;
      const difference = { line, record, part, recorded, replayed };
      return { reproduced, unreadable, older: summarise(older), difference };
    }
    reproduced += 1;
  }
  return { reproduced, unreadable, older: summarise(older), difference: null };
}

/**
 * Whether the chosen resident does not meet the requirement. Older autopilots chose such a
 * resident when nothing else fitted. Now the decision is then `none`.
 */
function choosesUnsuitable({ chosen, rejected }: Selection): boolean {
  return rejected.some(
    ({ candidateIndex, rejection }) =>
      candidateIndex === chosen?.candidateIndex && UNSUITABLE.has(rejection.code),
  );
}

/**
 * Whether the plan for the time after a drain unloads a resident that is not waited for and is not superseded. Up to
 * version 4, such a plan unloaded every resident that may be unloaded.
 */
function unloadsAllAfterDrain({ afterDrain }: Selection): boolean {
  if (afterDrain === null) return false;
  const { plan, waitsFor } = afterDrain;
  return plan.steps.some(
    (step) =>
      step.action === 'unload' &&
      step.why === 'make-room' &&
      !waitsFor.includes(step.instanceIdentifier),
  );
}

function summarise(
  older: readonly { readonly version: number; readonly line: number }[],
): ReplayReport['older'] {
  const [first] = older;
  return first === undefined
    ? null
    : { version: first.version, decisions: older.length, firstLine: first.line };
}

/** Makes a decision again; null where the record lacks a field that the decision depends on. */
function decideAgain({ input, hysteresis }: DecisionRecord) {
  const { atMs, timeToHardLimitMs, reactionMs, before, policy } = hysteresis;
  try {
    const selection = selectModel(input);
    const { verdict } = reduceHysteresis(
      before,
      {
        atMs,
        selection: asDue(selection),
        upgradeMarginRatio: input.upgradeMarginRatio ?? 0,
        timeToHardLimitMs,
        reactionMs,
      },
      policy,
    );
    return { selection, verdict };
  } catch (error) {
    // Only a damaged record leads to a TypeError.
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** Compares as JSON, because the recorded value was read from JSON and has no fields that are undefined. */
function isSame(recorded: unknown, replayed: unknown): boolean {
  return isSameData(recorded, JSON.parse(JSON.stringify(replayed)));
}
