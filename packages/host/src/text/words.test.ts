import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatShare,
  plural,
} from './words.js';

const GIB = 2 ** 30;

test.each([
  [null, '-'],
  [0, '0 B'],
  [999, '999 B'],
  [1000, '0.98 KiB'],
  [1024, '1.0 KiB'],
  [1.5 * GIB, '1.5 GiB'],
  [1010 * 2 ** 20, '0.99 GiB'],
  [999.6 * 2 ** 20, '0.98 GiB'],
  [100 * GIB, '100 GiB'],
  [-2 * GIB, '-2.0 GiB'],
  [3 * 2 ** 40, '3.0 TiB'],
])('%p bytes are written as %p', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test('both sizes of a share have the unit of the total', () => {
  expect(formatShare(0.4 * GIB, 16 * GIB)).toBe('0.4 of 16.0 GiB');
  expect(formatShare(120 * GIB, 800 * GIB)).toBe('120 of 800 GiB');
});

test.each([
  [0, '0 ms'],
  [820, '820 ms'],
  [999.6, '1.0 s'],
  [1000, '1.0 s'],
  [9949, '9.9 s'],
  [12_400, '12 s'],
  [59_960, '1 min'],
  [200_000, '3 min 20 s'],
  [7_500_000, '2 h 5 min'],
  [270_000_000, '3 d 3 h'],
])('%p ms are written as %p', (durationMs, text) => {
  expect(formatDuration(durationMs)).toBe(text);
});

test('counts, percentages and plurals are written as text', () => {
  expect(formatCount(131_072)).toBe('131,072');
  expect(formatCount(999)).toBe('999');
  expect(formatPercent(0.585)).toBe('59 %');
  expect(formatPercent(null)).toBe('-');
  expect(plural(1, 'model')).toBe('1 model');
  expect(plural(2000, 'entry', 'entries')).toBe('2,000 entries');
});
