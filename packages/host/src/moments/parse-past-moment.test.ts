import { parsePastMoment } from './parse-past-moment.js';

// Local time, because `14:05` means the user's clock.
const at = (...[hours, minutes, seconds = 0, ms = 0]: number[]) =>
  new Date(2031, 4, 4, hours, minutes, seconds, ms).getTime();
const NOW = at(14, 5, 30);

test.each([
  ['14:04', at(14, 4, 59, 999)],
  // The current minute counts as a whole and ends now.
  ['14:05', NOW],
  ['9:00', at(9, 0, 59, 999)],
  ['14:05:10', at(14, 5, 10, 999)],
  // This time has not come yet today, so yesterday's is meant.
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
])('%s', (text, expected) => {
  expect(parsePastMoment(text, NOW)).toBe(expected);
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
])('%j is not a past moment', (text) => {
  expect(parsePastMoment(text, NOW)).toBeNull();
});
