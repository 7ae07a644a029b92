import { tickLabel, tickSteps } from './ticks.js';

const GIB = 1024 ** 3;

test.each([
  [0, '0'],
  [GIB / 16, '64 MiB'],
  [1.5 * GIB, '1.5 GiB'],
  [8 * GIB, '8 GiB'],
])('labels %p bytes as %s', (bytes, text) => {
  expect(tickLabel(bytes)).toBe(text);
});

test('every step has a short label', () => {
  for (const step of tickSteps()) expect(tickLabel(step)).toMatch(/^\d{1,4} [MG]iB$/);
});
