import { textWidth } from '@mai/host';
import * as fc from 'fast-check';
import { createStyle } from './style.js';
import type { Column } from './table.js';
import { renderTable } from './table.js';

const COLUMNS: readonly Column[] = [
  { header: 'MODEL', minWidth: 10, cut: 'middle' },
  { header: 'TIER', dispensable: 1 },
  { header: 'TAKES', align: 'right' },
  { header: 'WHY', minWidth: 8 },
];
const ROWS = [
  ['qwen/qwen3-4b', 'medium', '3.4 GiB', 'fits'],
  ['lmstudio-community/a-very-long-name-indeed', 'large', '40.0 GiB', 'needs 12.1 GiB more RAM'],
];
const table = (width: number, rows: readonly (readonly string[])[] = ROWS, unicode = true) =>
  renderTable({
    columns: COLUMNS,
    rows,
    output: { tableWidth: width, style: createStyle(false), unicode },
  });

test('aligns columns, numbers on the right, without trailing blanks', () => {
  expect(table(Infinity)).toBe(
    [
      '  MODEL                                       TIER       TAKES  WHY',
      '  qwen/qwen3-4b                               medium   3.4 GiB  fits',
      '  lmstudio-community/a-very-long-name-indeed  large   40.0 GiB  needs 12.1 GiB more RAM',
      '',
    ].join('\n'),
  );
});

test('cuts the columns that may be cut, the widest first', () => {
  expect(table(60)).toBe(
    [
      '  MODEL                 TIER       TAKES  WHY',
      '  qwen/qwen3-4b         medium   3.4 GiB  fits',
      '  lmstudio-…ame-indeed  large   40.0 GiB  needs 12.1 GiB mo…',
      '',
    ].join('\n'),
  );
});

test('cuts with three dots where the terminal has no Unicode', () => {
  expect(table(60, ROWS, false)).toContain('needs 12.1 GiB ...');
});

test('leaves out an optional column before it breaks a line', () => {
  expect(table(34).split('\n')[0]).toBe('  MODEL           TAKES  WHY');
});

test('leaves out a column that is empty in every row', () => {
  expect(table(80, [['a', '', '1 B', '']]).split('\n')[0]).toBe('  MODEL  TAKES');
});

test('never exceeds the width if its smallest columns fit', () => {
  const cell = fc.string({ unit: 'grapheme', maxLength: 40 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(cell, cell, fc.constant('1.0 GiB'), cell), { minLength: 1 }),
      fc.integer({ min: 40, max: 120 }),
      (rows, width) => {
        for (const line of table(width, rows).split('\n')) {
          expect(textWidth(line)).toBeLessThanOrEqual(width);
        }
      },
    ),
  );
});

test('a cell with line breaks stays in its row', () => {
  const text = table(Infinity, [['new\nline\r\nof\ta name', 'small', '1 GiB', 'fits']]);
  expect(text.trimEnd().split('\n')).toHaveLength(2);
  expect(text).toContain('new line of a name  small');
});
