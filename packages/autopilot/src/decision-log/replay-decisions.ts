import { selectModel } from '@mai/selector';
import { reduceHysteresis } from '../timing/hysteresis/reduce-hysteresis.js';
import { asDue } from '../loop/as-due.js';
import type { DecisionRecord, LogRecord } from './decision-record.js';

/** What a replay found. */
export interface ReplayReport {
  /** Decisions that came out the same. */
  readonly reproduced: number;
  /** The first that did not, after which nothing more is replayed; null when all did. */
  readonly difference: {
    /** From 1. */
    readonly line: number;
    readonly record: DecisionRecord;
    readonly part: 'selection' | 'verdict';
    readonly recorded: unknown;
    readonly replayed: unknown;
  } | null;
  /** Lines that are no records: the last one of a log that was cut off, or a log of something else. */
  readonly unreadable: readonly number[];
}

/** Makes every decision of a log again and compares it bit for bit with what was recorded. */
export function replayDecisions(lines: Iterable<string>): ReplayReport {
  const unreadable: number[] = [];
  let reproduced = 0;
  let line = 0;
  for (const text of lines) {
    line += 1;
    if (text.trim() === '') continue;
    const record = parseRecord(text);
    if (record === null) {
      unreadable.push(line);
      continue;
    }
    if (record.type !== 'decision') continue;
    const again = decideAgain(record);
    if (again === null) {
      unreadable.push(line);
      continue;
    }
    const { selection, verdict } = again;
    if (!isSame(selection, record.selection)) {
      const part = { part: 'selection', recorded: record.selection, replayed: selection } as const;
      return { reproduced, unreadable, difference: { line, record, ...part } };
    }
    if (!isSame(verdict, record.hysteresis.verdict)) {
      const recorded = record.hysteresis.verdict;
      const part = { part: 'verdict', recorded, replayed: verdict } as const;
      return { reproduced, unreadable, difference: { line, record, ...part } };
    }
    reproduced += 1;
  }
  return { reproduced, unreadable, difference: null };
}

/** Reads one line of a log; null when it holds no record of this version. */
export function parseRecord(text: string): LogRecord | null {
  try {
    const value = JSON.parse(text) as Partial<LogRecord> | null;
    if (value?.version !== 1) return null;
    if (value.type === 'outcome') return value as LogRecord;
    if (value.type !== 'decision') return null;
    const { input, selection, hysteresis } = value;
    const parts = [
      input?.candidates,
      input?.resources,
      selection?.plan,
      selection?.pools,
      selection?.rejected,
      hysteresis?.before,
      hysteresis?.policy,
      hysteresis?.verdict,
    ];
    return parts.every(isPresent) ? (value as LogRecord) : null;
  } catch {
    return null;
  }
}

/** Null where the record lacks what a decision is made from. */
function decideAgain({ input, hysteresis }: DecisionRecord) {
  const { atMs, timeToHardLimitMs, reactionMs, before, policy } = hysteresis;
  try {
    const selection = selectModel(input);
    const { verdict } = reduceHysteresis(
      before,
      { type: 'observed', atMs, selection: asDue(selection), timeToHardLimitMs, reactionMs },
      policy,
    );
    return { selection, verdict };
  } catch (error) {
    // Only a record that was damaged or tampered with lacks fields: every other input has an outcome.
    if (error instanceof TypeError) return null;
    throw error;
  }
}

function isPresent(part: unknown): boolean {
  return typeof part === 'object' && part !== null;
}

/** As they would be written: the record has been through JSON, what is made again has not. */
function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
