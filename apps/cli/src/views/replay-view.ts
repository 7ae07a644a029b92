import type { ReplayReport } from '@mai/autopilot';
import { plural } from '../terminal/format.js';
import type { Output } from '../terminal/output.js';
import { truncate, wrap } from '../terminal/text.js';
import { formatMoment } from './past-time.js';

/** One file of a log, replayed. */
export interface ReplayedFile {
  readonly name: string;
  readonly report: ReplayReport;
  /** The last line where it lacks its end; null where all is there. */
  readonly cutOff: number | null;
  /** Lines that are no records, from 1. */
  readonly corrupt: readonly number[];
}

/** A field that came out differently. `null` stands for one that is not there. */
export interface FieldDifference {
  /** Such as `pools[0].useAfterBytes`. */
  readonly field: string;
  readonly recorded: unknown;
  readonly replayed: unknown;
}

const FIELDS_SHOWN = 8;
const LINES_SHOWN = 5;

/** What a replay found, for people. */
export function renderReplay(files: readonly ReplayedFile[], output: Output): string {
  const { style, textWidth: width } = output;
  const reproduced = files.reduce((sum, { report }) => sum + report.reproduced, 0);
  const name = (file: ReplayedFile) => (files.length === 1 ? '' : `${file.name}, `);
  const lines: string[] = [];
  for (const file of files) {
    const { report, corrupt, cutOff } = file;
    if (corrupt.length > 0) {
      const shown = corrupt.slice(0, LINES_SHOWN).join(', ');
      const more = corrupt.length > LINES_SHOWN ? ` and ${corrupt.length - LINES_SHOWN} more` : '';
      const which =
        corrupt.length === 1
          ? `line ${shown} is no record`
          : `lines ${shown}${more} are no records`;
      lines.push(`${style.bad('Corrupt')}: ${name(file)}${which} of a decision log.`);
    }
    if (cutOff !== null) {
      lines.push(
        `${style.caution('Cut off')}: ${name(file)}line ${cutOff} was not written to its end.`,
      );
    }
    const { difference, older } = report;
    if (older !== null) {
      lines.push(
        `${style.caution('Older')}: ${name(file)}${plural(older.decisions, 'decision')} from line ${older.firstLine} on ` +
          `were written in version ${older.version} of the log, which this mai can explain but not replay.`,
      );
    }
    if (difference === null) continue;
    const { line, record, part, recorded, replayed } = difference;
    lines.push(
      `${style.bad('Differs')}: ${name(file)}line ${line}, decision ${record.sequence} of ${formatMoment(record.atMs)}: ` +
        `the ${part} comes out differently.`,
    );
    const fields = differencesOf(recorded, replayed);
    for (const one of fields.slice(0, FIELDS_SHOWN)) {
      lines.push(
        `  ${one.field}`,
        `    recorded  ${show(one.recorded, width)}`,
        `    replayed  ${show(one.replayed, width)}`,
      );
    }
    if (fields.length > FIELDS_SHOWN) lines.push(`  ... and ${fields.length - FIELDS_SHOWN} more.`);
  }
  const different = files.some(({ report }) => report.difference !== null);
  const count = plural(reproduced, 'decision');
  lines.push(
    different
      ? `${count} before it came out the same. A log of another version of mai can differ.`
      : `${style.good(count)} replayed bit for bit.`,
  );
  return lines
    .flatMap((line) => (line.startsWith(' ') ? [line] : wrap(line, width)))
    .map((line) => `${line}\n`)
    .join('');
}

function show(value: unknown, width: number): string {
  return truncate(JSON.stringify(value), width - 14, '...');
}

/** The fields in which two values of plain data differ, as deep as they can be told apart. */
export function differencesOf(recorded: unknown, replayed: unknown, field = ''): FieldDifference[] {
  if (
    isBranch(recorded) &&
    isBranch(replayed) &&
    Array.isArray(recorded) === Array.isArray(replayed)
  ) {
    const keys = new Set([...Object.keys(recorded), ...Object.keys(replayed)]);
    return [...keys].flatMap((key) =>
      differencesOf(recorded[key], replayed[key], join(field, key, Array.isArray(recorded))),
    );
  }
  const [before, after] = [recorded ?? null, replayed ?? null];
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [{ field, recorded: before, replayed: after }];
}

function join(field: string, key: string, isIndex: boolean): string {
  if (isIndex) return `${field}[${key}]`;
  return field === '' ? key : `${field}.${key}`;
}

function isBranch(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
