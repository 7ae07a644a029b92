import {
  formatBytes,
  formatChange,
  formatCount,
  formatDuration,
  formatMoment,
  formatPercent,
  formatTokens,
  parseBytes,
  plural,
} from './format.js';

const GIB = 1024 ** 3;

test.each([
  [null, '–'],
  [0, '0 B'],
  [999, '999 B'],
  [999.4 * 1024 ** 2, '999 MiB'],
  [999.6 * 1024 ** 2, '0.98 GiB'],
  [1010 * 1024 ** 2, '0.99 GiB'],
  [99.94 * GIB, '99.9 GiB'],
  [99.96 * GIB, '100 GiB'],
  [3.44 * GIB, '3.4 GiB'],
  [16 * GIB, '16.0 GiB'],
  [-0.5 * GIB, '−512 MiB'],
])('writes %p bytes as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test('writes a change of bytes with its sign', () => {
  expect([1.2 * GIB, -GIB, 0].map(formatChange)).toEqual(['+1.2 GiB', '−1.0 GiB', '±0 B']);
});

test('writes counts, percentages and nouns', () => {
  expect(formatCount(131_072)).toBe('131,072');
  expect(formatCount(null)).toBe('–');
  expect(formatPercent(0.846)).toBe('85 %');
  expect([plural(1, 'switch', 'switches'), plural(0, 'model')]).toEqual(['1 switch', '0 models']);
});

test.each([
  [null, '–'],
  [900, '900'],
  [4096, '4k'],
  [131_072, '128k'],
  [131_000, '131k'],
  [1500, '1.5k'],
  [9940, '9.9k'],
  [9960, '10k'],
  [999_400, '999k'],
  [999_600, '1.0M'],
  [1_000_000, '1M'],
  [1_048_576, '1M'],
  [10_485_760, '10M'],
  [1_500_000, '1.5M'],
])('shortens %p tokens to %s', (tokens, text) => {
  expect(formatTokens(tokens)).toBe(text);
});

test.each([
  [820, '820 ms'],
  [999.4, '999 ms'],
  [999.5, '1.0 s'],
  [9400, '9.4 s'],
  [9949, '9.9 s'],
  [9950, '10 s'],
  [59_600, '1 min'],
  [59_400, '59 s'],
  [72_400, '1 min 12 s'],
  [3 * 60_000 + 20_000, '3 min 20 s'],
  [3_599_600, '1 h'],
  [125 * 60_000, '2 h 5 min'],
  [99 * 3_600_000, '4 d 3 h'],
])('writes a duration of %p ms as %s', (durationMs, text) => {
  expect(formatDuration(durationMs)).toBe(text);
});

test('writes a time of today without its date, and an older time with its date', () => {
  const now = new Date(2031, 4, 4, 14, 5, 9).getTime();
  expect(formatMoment(now, now)).toBe('14:05:09');
  expect(formatMoment(now - 86_400_000, now)).toBe('3 May 14:05');
});

test.each([
  ['8', 8 * GIB],
  ['8 GiB', 8 * GIB],
  ['500MB', 500_000_000],
  ['1.5gib', 1.5 * GIB],
  ['0', null],
  ['-3', null],
  ['eight', null],
  ['9e99', null],
  ['8 b', null],
])('reads %p as %p bytes', (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes);
});
