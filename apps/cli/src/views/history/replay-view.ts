import type { ReplayReport } from '@mai/autopilot';
import { plural, formatMoment } from '../../terminal/format.js';
import type { Output } from '../../terminal/output.js';
import { truncate, wrap } from '../../terminal/text.js';

/** One file of a log, replayed. */
export interface ReplayedFile {
  readonly name: string;
  readonly report: ReplayReport;
  /** Number of the last line where it is incomplete; `null` where it is complete. */
  readonly cutOff: number | null;
  /** Numbers of lines that are not records of a decision log; the first line is 1. */
  readonly corrupt: readonly number[];
}

/** A field that differs. A missing field is `null`. */
export interface FieldDifference {
  /** Its path, e.g. `pools[0].useAfterBytes`. */
  readonly field: string;
  readonly recorded: unknown;
  readonly replayed: unknown;
}

const FIELDS_SHOWN = 8;
const LINES_SHOWN = 5;

/** The result of a replay as text. */
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
          ? `line ${shown} is not a record`
          : `lines ${shown}${more} are not records`;
      lines.push(`${style.bad('Corrupt')}: ${name(file)}${which} of a decision log.`);
    }
    if (cutOff !== null) {
      lines.push(`${style.caution('Cut off')}: ${name(file)}line ${cutOff} is incomplete.`);
    }
    const { difference } = report;
    if (difference === null) continue;
    const { line, record, part, recorded, replayed } = difference;
    lines.push(
      `${style.bad('Differs')}: ${name(file)}line ${line}, decision ${record.sequence} of ${formatMoment(record.atMs)}: ` +
        `the ${part} differs.`,
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
      ? `${count} before it did not differ. A log that another version of mai wrote can differ.`
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

/** The innermost fields in which two values of plain data differ. */
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
