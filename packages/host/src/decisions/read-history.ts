import { readFile } from 'node:fs/promises';
import type { DecisionRecord, OutcomeRecord } from '@mai/autopilot';
import { listRotated, parseRecord } from '@mai/autopilot';
import { findAutopilotFiles } from '../autopilot/autopilot-files.js';
import type { HostContext } from '../host-options.js';

/** A decision, how long it was in force, and its outcome. */
export interface Episode {
  /** The first log record of this decision. */
  readonly record: DecisionRecord;
  /** Null where the decision changed nothing, or its switch has not ended yet. */
  readonly outcome: OutcomeRecord | null;
  /** When another decision replaced it, in epoch milliseconds; null for the last decision. */
  readonly untilMs: number | null;
  /** When its last record was written, in epoch milliseconds. */
  readonly lastSeenMs: number;
}

/** The last decisions of a log. */
export interface DecisionHistory {
  /** The log file that they are read from; older files lie beside it. */
  readonly log: string;
  /** The LM Studio of these decisions, as `ws://host:port`. */
  readonly address: string;
  /** Oldest first. */
  readonly episodes: readonly Episode[];
  /** Lines that could not be read. */
  readonly unreadable: readonly { readonly file: string; readonly line: number }[];
}

/** More files than a log ever has. */
export const ROTATED_MAX = 100;

/** Which decisions to read. */
export interface DecisionsQuery {
  /** Maximum number of decisions; 5 unless given. */
  readonly count?: number;
  /** Only decisions up to this moment, in epoch milliseconds; all unless given. */
  readonly untilMs?: number;
}

/** The last decisions of the autopilot for the LM Studio of a host. */
export async function readDecisions(
  context: HostContext,
  query: DecisionsQuery,
): Promise<DecisionHistory> {
  const { decisionLog, address } = await findAutopilotFiles(context);
  return { log: decisionLog, address, ...(await readHistory(decisionLog, query)) };
}

/**
 * The last decisions of a log, oldest first; empty where the log is missing or begins later.
 * Consecutive records with the same content are one decision.
 */
async function readHistory(
  logFile: string,
  { count = 5, untilMs = Number.POSITIVE_INFINITY }: DecisionsQuery,
): Promise<Pick<DecisionHistory, 'episodes' | 'unreadable'>> {
  const files = await listRotated(logFile, ROTATED_MAX);
  const unreadable: { file: string; line: number }[] = [];
  const records: (DecisionRecord | OutcomeRecord)[] = [];
  let episodes: readonly Episode[] = [];
  for (const file of files.reverse()) {
    const lines = (await readFile(file, 'utf8')).split('\n');
    const read = lines.flatMap((text, index) => {
      if (text.trim() === '') return [];
      const record = parseRecord(text);
      if (record !== null) return [record];
      // A last line without its end is being written at this moment.
      if (index < lines.length - 1) unreadable.push({ file, line: index + 1 });
      return [];
    });
    records.unshift(...read);
    episodes = episodesOf(records).filter(({ record }) => record.atMs <= untilMs);
    // Read one more than asked for, because the oldest decision of a file may have begun in the
    // file before.
    if (episodes.length > count) break;
  }
  return { episodes: count === 0 ? [] : episodes.slice(-count), unreadable };
}

type Growing = { -readonly [Field in keyof Episode]: Episode[Field] };

function episodesOf(records: readonly (DecisionRecord | OutcomeRecord)[]): readonly Episode[] {
  const episodes: Growing[] = [];
  for (const record of records) {
    const last = episodes.at(-1);
    if (record.type === 'outcome') {
      // Decisions made during a switch are written before its outcome. The outcome belongs to the
      // last decision of that number, because numbers restart at each start.
      const made = episodes.findLast((one) => one.record.sequence === record.sequence);
      if (made !== undefined && made.outcome === null) made.outcome = record;
    } else if (last !== undefined && continues(last, record)) {
      last.lastSeenMs = record.atMs;
    } else {
      // Between two runs of the autopilot no decision was in force.
      if (last !== undefined) last.untilMs = startsRun(record) ? last.lastSeenMs : record.atMs;
      episodes.push({ record, outcome: null, untilMs: null, lastSeenMs: record.atMs });
    }
  }
  return episodes;
}

/** Whether the autopilot had just started: each start numbers its decisions from 1. */
export function startsRun({ sequence }: DecisionRecord): boolean {
  return sequence === 1;
}

/** Whether a record repeats the episode's decision, apart from its figures. */
function continues({ record: first }: Episode, next: DecisionRecord): boolean {
  return (
    // A decision with an outcome starts a new episode, and so does a lower number, which shows a
    // new run.
    !first.hysteresis.verdict.act &&
    !next.hysteresis.verdict.act &&
    next.sequence > first.sequence &&
    first.hysteresis.verdict.reason === next.hysteresis.verdict.reason &&
    first.selection.decision === next.selection.decision &&
    first.selection.direction === next.selection.direction &&
    first.selection.chosen?.modelKey === next.selection.chosen?.modelKey &&
    first.selection.chosen?.optionIndex === next.selection.chosen?.optionIndex
  );
}
