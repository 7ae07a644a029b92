import { servedShares } from './served-shares.js';

const served = [
  { modelKey: 'a', fromMs: 10 },
  { modelKey: null, fromMs: 25 },
  { modelKey: 'a', fromMs: 40 },
];

// Four columns of 20 ms each.
test.each([
  ['a', [0.5, 0.25, 1, 1]],
  [null, [0.5, 0.75, 0, 0]],
  ['b', [0, 0, 0, 0]],
] as const)('%s answers in these shares of the columns', (modelKey, shares) => {
  expect(servedShares(modelKey, served, 80, 4)).toEqual(shares);
});

test('a simulation without a duration has empty columns', () => {
  expect(servedShares('a', served, 0, 2)).toEqual([0, 0]);
});
