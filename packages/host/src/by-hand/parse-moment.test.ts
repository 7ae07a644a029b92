import { parseMoment } from './parse-moment.js';

const at = (...[hours, minutes, seconds = 0, ms = 0]: number[]) =>
  new Date(2031, 4, 4, hours, minutes, seconds, ms).getTime();

describe('the next moment', () => {
  const noon = at(12, 0);

  test.each([
    ['12:30', at(12, 30)],
    ['12:01', at(12, 1)],
    ['12:00:01', at(12, 0, 1)],
    ['12:00', new Date(2031, 4, 5, 12, 0).getTime()],
    ['9:05', new Date(2031, 4, 5, 9, 5).getTime()],
    ['23:59', at(23, 59)],
    ['2031-06-01T08:00', new Date(2031, 5, 1, 8, 0).getTime()],
    ['2031-06-01 08:00', new Date(2031, 5, 1, 8, 0).getTime()],
    ['2031-05-04T11:00', at(11, 0)],
  ])('reads %s', (text, expected) => {
    expect(parseMoment(text, noon, 'next')).toBe(expected);
  });

  test.each([
    ...['24:00', '12:60', 'noon', '', '12', '10m', '2031-06-01'],
    ...['2031-13-01T08:00', '2031-06-31T08:00', '2031-02-29T08:00', '2031-02-30T08:00Z'],
  ])('returns null for %j', (text) => {
    expect(parseMoment(text, noon, 'next')).toBeNull();
  });
});

describe('the last moment', () => {
  const NOW = at(14, 5, 30);

  test.each([
    ['14:04', at(14, 4, 59, 999)],
    // The current minute has not ended yet, so it ends now.
    ['14:05', NOW],
    ['9:00', at(9, 0, 59, 999)],
    ['14:05:10', at(14, 5, 10, 999)],
    // Today has not reached this time yet, so the time of yesterday is meant.
    ['14:06', new Date(2031, 4, 3, 14, 6, 59, 999).getTime()],
    ['23:59', new Date(2031, 4, 3, 23, 59, 59, 999).getTime()],
    ['10m', NOW - 600_000],
    ['10m ago', NOW - 600_000],
    ['1h30m ago', NOW - 5_400_000],
    ['2031-05-04T13:00', at(13, 0)],
    ['2031-05-04 13:00:01', at(13, 0, 1)],
    ['2031-05-04T10:00:00Z', Date.UTC(2031, 4, 4, 10)],
    ['2031-05-03', new Date(2031, 4, 3, 23, 59, 59, 999).getTime()],
    ['2031-05-04', NOW],
  ])('reads %s', (text, expected) => {
    expect(parseMoment(text, NOW, 'last')).toBe(expected);
  });

  test.each([
    '',
    'noon',
    '24:00',
    '14:60',
    '10 minutes',
    'ago',
    '2031-05-05',
    '2031-05-04T15:00',
    '2031-13-01',
    '-10m',
  ])('returns null for %j', (text) => {
    expect(parseMoment(text, NOW, 'last')).toBeNull();
  });
});
