import { listed } from './listed.js';

const rejected = (codes: readonly string[]) =>
  codes.map((code, index) => ({ modelKey: `m${index}`, rejection: { code } }));

test.each([
  [['TOO_SLOW'], 'm0 (TOO_SLOW)'],
  [
    ['NOT_DOWNLOADED', 'NOT_DOWNLOADED', 'INSUFFICIENT_RAM'],
    'm2 (INSUFFICIENT_RAM), and 2 that are not downloaded',
  ],
  [['NOT_DOWNLOADED', 'GUARDRAILS'], 'm1 (GUARDRAILS), and 1 that is not downloaded'],
  [['NOT_DOWNLOADED'], 'm0 (NOT_DOWNLOADED)'],
  [
    Array.from({ length: 7 }, () => 'TOO_SLOW'),
    'm0 (TOO_SLOW), m1 (TOO_SLOW), m2 (TOO_SLOW), m3 (TOO_SLOW), m4 (TOO_SLOW) and 2 more',
  ],
])('of %j the models on the disk are named', (codes, text) => {
  expect(listed(rejected(codes))).toBe(text);
});
