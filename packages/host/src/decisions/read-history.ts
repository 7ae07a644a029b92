import { readFile } from 'node:fs/promises';
import type { DecisionRecord, OutcomeRecord } from '@mai/autopilot';
import { listRotated, parseRecord } from '@mai/autopilot';

/** A decision for as long as it held, with what came of it. */
export interface Episode {
  /** As it was made first. */
  readonly record: DecisionRecord;
  /** Null where it was not acted upon, or nothing came of it yet. */
  readonly outcome: OutcomeRecord | null;
  /** When another decision took its place; null while it is the last. */
  readonly untilMs: number | null;
  /** When it was last written down as holding. */
  readonly lastSeenMs: number;
}

/** The end of a decision log. */
export interface History {
  readonly episodes: readonly Episode[];
  /** Lines that could not be read. */
  readonly unreadable: readonly { readonly file: string; readonly line: number }[];
}

/** Far more than the log ever keeps. */
const ROTATED_MAX = 100;

/**
 * The last `count` decisions up to `untilMs`, oldest first; empty where there is no log, or it begins
 * later. Decisions that say the same one after the other count as one.
 */
export async function readHistory(
  logFile: string,
  { count, untilMs }: { readonly count: number; readonly untilMs: number },
): Promise<History> {
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
      // Without the end of its line it is being written at this moment.
      if (index < lines.length - 1) unreadable.push({ file, line: index + 1 });
      return [];
    });
    records.unshift(...read);
    episodes = episodesOf(records).filter(({ record }) => record.atMs <= untilMs);
    // One more than asked for: the oldest of a file may have begun in the one before.
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
      // Decisions made during a switch are written before its outcome; numbers begin anew at each start.
      const made = episodes.findLast((one) => one.record.sequence === record.sequence);
      if (made !== undefined && made.outcome === null) made.outcome = record;
    } else if (last !== undefined && continues(last, record)) {
      last.lastSeenMs = record.atMs;
    } else {
      // Nobody decided anything between two runs.
      if (last !== undefined) last.untilMs = isFirst(record) ? last.lastSeenMs : record.atMs;
      episodes.push({ record, outcome: null, untilMs: null, lastSeenMs: record.atMs });
    }
  }
  return episodes;
}

/** Whether `mai watch` had just started: it counts its decisions from 1. */
export function isFirst({ sequence }: DecisionRecord): boolean {
  return sequence === 1;
}

/** Whether a record says what the episode says already, whatever the numbers. */
function continues({ record: first }: Episode, next: DecisionRecord): boolean {
  return (
    // What is acted upon stands for itself, and a lower number is another run.
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
