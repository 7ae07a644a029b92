import fc from 'fast-check';
import {
  parseHours,
  DURATION_PATTERN,
  formatDuration,
  formatPercent,
  formatSize,
  parseDurationMs,
  parseSizeBytes,
  SIZE_PATTERN,
} from './quantities.js';

describe('a size', () => {
  it.each([
    ['1GiB', 1024 ** 3],
    ['8 GB', 8 * 1024 ** 3],
    ['8g', 8 * 1024 ** 3],
    ['1.5GiB', 1.5 * 1024 ** 3],
    ['512MiB', 512 * 1024 ** 2],
    ['4K', 4096],
    ['2TiB', 2 * 1024 ** 4],
    ['0B', 0],
    ['1', null],
    ['GiB', null],
    ['-1GiB', null],
    ['1e9B', null],
    ['1  GiB', null],
    ['1Gib extra', null],
    ['1.GiB', null],
    ['', null],
    ['8191TiB', 8191 * 1024 ** 4],
    ['8192TiB', null],
  ])('%s: %s bytes', (text, bytes) => {
    expect(parseSizeBytes(text)).toBe(bytes);
  });

  it('can be written in any unit', () => {
    const unit = fc.constantFrom(['B', 1], ['KiB', 1024], ['MiB', 1024 ** 2], ['GiB', 1024 ** 3]);
    fc.assert(
      fc.property(fc.nat({ max: 9999 }), unit, (amount, [name, bytes]) => {
        expect(parseSizeBytes(`${amount}${name}`)).toBe(amount * Number(bytes));
        expect(parseSizeBytes(`${amount} ${String(name).toLowerCase()}`)).toBe(
          amount * Number(bytes),
        );
      }),
    );
  });
});

describe('a duration', () => {
  it.each([
    ['20s', 20_000],
    ['500ms', 500],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1h 30m', 5_400_000],
    ['0.5s', 500],
    ['2d', 172_800_000],
    ['0s', 0],
    ['0.1ms', 1],
    ['1.4ms', 1],
    ['20', null],
    ['20 sec', null],
    ['s', null],
    ['-5s', null],
    ['1m and 5s', null],
    ['', null],
  ])('%s: %s ms', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });
});

describe('a quantity as text', () => {
  it.each([
    [0, '0B'],
    [1, '1B'],
    [1536, '1536B'],
    [1024 ** 3, '1GiB'],
    [1.5 * 1024 ** 3, '1536MiB'],
    [2 * 1024 ** 4, '2TiB'],
  ])('%s bytes: %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  it.each([
    [0, '0ms'],
    [500, '500ms'],
    [20_000, '20s'],
    [60_000, '1m'],
    [90_000, '90s'],
    [600_000, '10m'],
    [5_400_000, '90m'],
    [172_800_000, '48h'],
  ])('%s ms: %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it.each([
    [0.07, 7],
    [0.825, 82.5],
    [1, 100],
  ])('a ratio of %s: %s percent', (ratio, percent) => {
    expect(formatPercent(ratio)).toBe(percent);
  });

  it('is read as the same quantity', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (amount) => {
        expect(parseSizeBytes(formatSize(amount))).toBe(amount);
        expect(parseDurationMs(formatDuration(amount))).toBe(amount);
      }),
    );
  });
});

it('refuses every text quickly', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9.msh ]{0,400}$/), (text) => {
      expect(parseDurationMs(text) !== null).toBe(DURATION_PATTERN.test(text));
      expect(parseSizeBytes(text) === null || SIZE_PATTERN.test(text)).toBe(true);
    }),
  );
  expect(parseDurationMs(`${'1m'.repeat(20_000)}x`)).toBeNull();
  expect(parseDurationMs(`${'1'.repeat(20_000)}x`)).toBeNull();
});

test.each<[string, ReturnType<typeof parseHours>]>([
  ['22:00-07:30', { fromMinute: 1320, toMinute: 450 }],
  ['00:00-23:59', { fromMinute: 0, toMinute: 1439 }],
  ['22:00-22:00', null],
  ['24:00-07:00', null],
  ['9:00-17:00', null],
  ['09:00 - 17:00', null],
])('the hours %s', (text, expected) => {
  expect(parseHours(text)).toEqual(expected);
});
