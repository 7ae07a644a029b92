import { parseMoment } from './parse-moment.js';

const noon = new Date(2031, 4, 4, 12, 0).getTime();

test.each([
  ['12:30', new Date(2031, 4, 4, 12, 30)],
  ['12:01', new Date(2031, 4, 4, 12, 1)],
  ['12:00', new Date(2031, 4, 5, 12, 0)],
  ['9:05', new Date(2031, 4, 5, 9, 5)],
  ['23:59', new Date(2031, 4, 4, 23, 59)],
  ['2031-06-01T08:00', new Date(2031, 5, 1, 8, 0)],
  ['2031-06-01 08:00', new Date(2031, 5, 1, 8, 0)],
])('%s is read', (text, expected) => {
  expect(parseMoment(text, noon)).toBe(expected.getTime());
});

test.each(['24:00', '12:60', 'noon', '', '12', '2031-13-01T08:00', '2031-06-01'])(
  '%j is none',
  (text) => {
    expect(parseMoment(text, noon)).toBeNull();
  },
);
