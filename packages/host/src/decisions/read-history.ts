import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { DecisionRecord, OutcomeRecord } from '@mai/autopilot';
import { listRotated, parseDecisionId, parseRecord } from '@mai/autopilot';
import { findAutopilotFiles } from '../runtime/autopilot-files.js';
import { HostError } from '../host-error.js';
import type { HostContext } from '../host-options.js';
import type { RuntimeConnection } from '../runtime/connect-runtime.js';

/** A decision, the time in which it was in force, and its outcome. */
export interface Episode {
  /** The first log record of this decision. */
  readonly record: DecisionRecord;
  /** Null where the decision started no switch, or the switch has not ended yet. */
  readonly outcome: OutcomeRecord | null;
  /** When another decision replaced this decision, in epoch milliseconds; null for the last decision. */
  readonly untilMs: number | null;
  /** When its last record was written, in epoch milliseconds. */
  readonly lastSeenMs: number;
}

/** The last decisions of a log. */
export interface DecisionHistory {
  /** Path of the current log file. Older files are in the same folder. */
  readonly log: string;
  /** The LM Studio of these decisions, as `ws://host:port`. */
  readonly address: string;
  /** Oldest first. */
  readonly episodes: readonly Episode[];
  /** Lines that are not records. */
  readonly unreadable: readonly { readonly file: string; readonly line: number }[];
}

/** Maximum number of log files to read. A log has fewer. */
export const ROTATED_MAX = 100;
/** The event loop turns after this many lines, so that signals of the process are handled. */
const LINES_PER_TURN = 256;

/** Selects the decisions to read. */
export interface DecisionsQuery {
  /** Maximum number of decisions. Default 5. */
  readonly count?: number;
  /** Only decisions up to this moment, in epoch milliseconds. Default: all. */
  readonly untilMs?: number;
  /** Only the decision with this identifier; see `AutopilotState.decision`. Default: all. */
  readonly id?: string;
}

/** The last decisions about the runtime of a host. */
export async function readDecisions(
  runtime: RuntimeConnection,
  context: HostContext,
  query: DecisionsQuery,
): Promise<DecisionHistory> {
  const { decisionLog, address } = await findAutopilotFiles(runtime, context);
  return { log: decisionLog, address, ...(await readHistory(decisionLog, query, context.signal)) };
}

/**
 * The last decisions of a log, oldest first. Empty where the log does not exist, or begins after
 * `untilMs`. Consecutive records that repeat a decision count as one.
 */
async function readHistory(
  logFile: string,
  { count = 5, untilMs = Number.POSITIVE_INFINITY, id }: DecisionsQuery,
  signal: AbortSignal,
): Promise<Pick<DecisionHistory, 'episodes' | 'unreadable'>> {
  const wanted = id === undefined ? null : idOf(id);
  const files = await listRotated(logFile, ROTATED_MAX);
  const unreadable: { file: string; line: number }[] = [];
  const records: (DecisionRecord | OutcomeRecord)[] = [];
  let episodes: readonly Episode[] = [];
  for (const file of files.reverse()) {
    const lines = (await readFile(file, 'utf8')).split('\n');
    const read: (DecisionRecord | OutcomeRecord)[] = [];
    for (const [index, text] of lines.entries()) {
      if (index % LINES_PER_TURN === 0) await setImmediate();
      signal.throwIfAborted();
      if (text.trim() === '') continue;
      const record = parseRecord(text);
      if (record !== null) read.push(record);
      // A last line without a line break is still being written, so it is not reported.
      else if (index < lines.length - 1) unreadable.push({ file, line: index + 1 });
    }
    records.unshift(...read);
    episodes = episodesOf(records, wanted).filter(({ record }) => record.atMs <= untilMs);
    if (wanted !== null) {
      // Its outcome is in the same file or in a newer one, which was read before.
      const found = episodes.filter(({ record }) => isWanted(record, wanted));
      if (found.length > 0) return { episodes: found, unreadable };
      continue;
    }
    // Read one decision more than needed, because the oldest decision of a file may have begun in the
    // older file.
    if (episodes.length > count) break;
  }
  if (wanted !== null) return { episodes: [], unreadable };
  return { episodes: count === 0 ? [] : episodes.slice(-count), unreadable };
}

type WantedRecord = Pick<DecisionRecord, 'atMs' | 'sequence'>;

/** @throws HostError `INVALID_REQUEST` */
function idOf(text: string): WantedRecord {
  const wanted = parseDecisionId(text);
  if (wanted !== null) return wanted;
  throw new HostError(
    'INVALID_REQUEST',
    `${JSON.stringify(text)} is not the identifier of a decision. An identifier looks like mijq3x2k-h.`,
  );
}

function isWanted({ atMs, sequence }: DecisionRecord, wanted: WantedRecord): boolean {
  return atMs === wanted.atMs && sequence === wanted.sequence;
}

type Growing = { -readonly [Field in keyof Episode]: Episode[Field] };

/** @param wanted - a record that begins an episode, also where it repeats the decision before; null for none */
function episodesOf(
  records: readonly (DecisionRecord | OutcomeRecord)[],
  wanted: WantedRecord | null,
): readonly Episode[] {
  const episodes: Growing[] = [];
  for (const record of records) {
    const last = episodes.at(-1);
    if (record.type === 'outcome') {
      // Later decisions may stand between a decision and its outcome. Search backwards, because each start
      // of the autopilot numbers from 1 again.
      const made = episodes.findLast((one) => one.record.sequence === record.sequence);
      if (made !== undefined && made.outcome === null) made.outcome = record;
    } else if (
      last !== undefined &&
      continues(last, record) &&
      (wanted === null || !isWanted(record, wanted))
    ) {
      last.lastSeenMs = record.atMs;
    } else {
      // Where a new run starts, the decision was in force only until its last record.
      if (last !== undefined) last.untilMs = startsRun(record) ? last.lastSeenMs : record.atMs;
      episodes.push({ record, outcome: null, untilMs: null, lastSeenMs: record.atMs });
    }
  }
  return episodes;
}

/** Whether this is the first decision after a start of the autopilot. Each start numbers from 1. */
export function startsRun({ sequence }: DecisionRecord): boolean {
  return sequence === 1;
}

function isSameTarget(one: DecisionRecord['target'], other: DecisionRecord['target']): boolean {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}

/** Whether a record repeats the episode's decision. Its figures may differ. */
function continues({ record: first }: Episode, next: DecisionRecord): boolean {
  return (
    // A decision that acts is an episode of its own. A lower number belongs to a new run.
    !first.hysteresis.verdict.act &&
    !next.hysteresis.verdict.act &&
    next.sequence > first.sequence &&
    isSameTarget(first.target, next.target) &&
    first.hysteresis.verdict.reason === next.hysteresis.verdict.reason &&
    first.selection.decision === next.selection.decision &&
    first.selection.direction === next.selection.direction &&
    first.selection.chosen?.modelKey === next.selection.chosen?.modelKey &&
    first.selection.chosen?.optionIndex === next.selection.chosen?.optionIndex
  );
}
