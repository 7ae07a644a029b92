import { ellipsisOf, padEnd, padStart, textWidth, truncate, truncateMiddle } from '@mai/host';
import type { Output } from './output.js';

/** One column of a table. */
export interface Column {
  readonly header: string;
  readonly align?: 'left' | 'right';
  /** Width to which the column may be cut when the table is too wide. Absent: never cut. */
  readonly minWidth?: number;
  /** Where a cell is cut. Default: at the end. */
  readonly cut?: 'middle' | 'end';
  /**
   * Order in which columns are left out when cutting is not enough, the highest number first.
   * Absent: never left out.
   */
  readonly dispensable?: number;
}

/** The content and the layout of a table. */
export interface TableOptions {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
  readonly output: Pick<Output, 'tableWidth' | 'style' | 'unicode'>;
  readonly indent?: number;
}

const GAP = 2;

/** Aligned columns under dim headers. A table that is too wide is cut where its columns allow it. */
export function renderTable(given: TableOptions): string {
  // A file's name may hold line breaks, which would break the table.
  const rows = given.rows.map((row) => row.map((cell) => cell.replace(/[\r\n\t]+/g, ' ')));
  const options = { ...given, rows };
  const { style, unicode, tableWidth } = options.output;
  const indent = options.indent ?? 2;
  const room = tableWidth - indent;
  const { columns, widths, indices } = layOut(options, room);
  const line = (cells: readonly string[], paint: (text: string) => string) =>
    (
      ' '.repeat(indent) +
      cells
        .map((cell, index) => {
          const column = columns[index];
          const width = widths[index] ?? 0;
          const cut = column?.cut === 'middle' ? truncateMiddle : truncate;
          const text = paint(cut(cell, width, ellipsisOf(unicode)));
          if (column?.align === 'right') return padStart(text, width);
          return index === cells.length - 1 ? text : padEnd(text, width);
        })
        .join(' '.repeat(GAP))
    ).trimEnd();
  return [
    line(
      columns.map(({ header }) => header),
      style.dim,
    ),
    ...options.rows.map((row) =>
      line(
        indices.map((index) => row[index] ?? ''),
        (text) => text,
      ),
    ),
  ]
    .map((text) => `${text}\n`)
    .join('');
}

function layOut({ columns: all, rows }: TableOptions, room: number) {
  const natural = all.map(({ header }, index) =>
    Math.max(textWidth(header), ...rows.map((row) => textWidth(row[index] ?? ''))),
  );
  // Columns that are empty in every row are left out.
  let indices = all
    .map((_, index) => index)
    .filter((index) => rows.some((row) => (row[index] ?? '') !== ''));
  const smallest = (index: number) =>
    Math.min(natural[index] ?? 0, all[index]?.minWidth ?? Infinity);
  const total = (sizes: readonly number[]) =>
    sizes.reduce((sum, size) => sum + size, 0) + GAP * Math.max(0, sizes.length - 1);

  while (total(indices.map(smallest)) > room) {
    const first = indices
      .filter((index) => all[index]?.dispensable !== undefined)
      .sort((a, b) => (all[b]?.dispensable ?? 0) - (all[a]?.dispensable ?? 0))[0];
    if (first === undefined) break;
    indices = indices.filter((index) => index !== first);
  }

  const widths = indices.map((index) => natural[index] ?? 0);
  let excess = total(widths) - room;
  while (excess > 0) {
    // Narrows the column that can be cut most, by one terminal column at a time.
    const spare = widths.map((width, position) => width - smallest(indices[position] ?? 0));
    const most = spare.indexOf(Math.max(...spare));
    if (most < 0 || (spare[most] ?? 0) <= 0) break;
    widths[most] = (widths[most] ?? 0) - 1;
    excess -= 1;
  }
  return { indices, widths, columns: indices.flatMap((index) => all[index] ?? []) };
}
