import { plural, formatMoment, truncate, wrap } from '@mai/host';
import type { ReplayedLog } from '@mai/host';
import type { Output } from '../../terminal/output.js';

const FIELDS_SHOWN = 8;
const LINES_SHOWN = 5;

/** The result of a replay as text. */
export function renderReplay(
  { files, reproduced, difference: first }: ReplayedLog,
  output: Output,
): string {
  const { style, textWidth: width } = output;
  const name = (file: ReplayedLog['files'][number]) => (files.length === 1 ? '' : `${file.name}, `);
  const lines: string[] = [];
  for (const file of files) {
    const { report, corrupt, cutOff, differences } = file;
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
    const { difference, older } = report;
    if (older !== null) {
      lines.push(
        `${style.caution('Older')}: ${name(file)}${plural(older.decisions, 'decision')} from line ${older.firstLine} on ` +
          `${older.decisions === 1 ? 'was' : 'were'} made by an older mai (version ${older.version} of the log). This mai can explain but not replay ${older.decisions === 1 ? 'it' : 'them'}.`,
      );
    }
    if (difference === null) continue;
    const { line, record, part } = difference;
    lines.push(
      `${style.bad('Differs')}: ${name(file)}line ${line}, decision ${record.sequence} of ${formatMoment(record.atMs)}: ` +
        `the ${part} differs.`,
    );
    for (const one of differences.slice(0, FIELDS_SHOWN)) {
      lines.push(
        `  ${one.field}`,
        `    recorded  ${show(one.recorded, width)}`,
        `    replayed  ${show(one.replayed, width)}`,
      );
    }
    const more = differences.length - FIELDS_SHOWN;
    if (more > 0) lines.push(`  ... and ${more} more.`);
  }
  const count = plural(reproduced, 'decision');
  lines.push(
    first !== null
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
