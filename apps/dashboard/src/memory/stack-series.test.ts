import { stackSeries } from './stack-series.js';

const POOL = { pool: 'ram', label: 'RAM', totalBytes: 100, limitBytes: 80, hardLimitBytes: 92 };
const sample = (
  atMs: number,
  othersBytes: number,
  residents: Readonly<Record<string, number>>,
  yieldedBytes = 0,
) => ({
  atMs,
  pools: [
    {
      pool: 'ram',
      othersBytes,
      yieldedBytes,
      freeBytes: 0,
      residents: Object.entries(residents).map(([instanceIdentifier, bytes]) => ({
        instanceIdentifier,
        bytes,
      })),
    },
  ],
});

test('stacks other programs first, what yields keep free, then each resident in the order of its first sample', () => {
  const { times, layers, ...limits } = stackSeries(
    [
      sample(1000, 10, { b: 30 }),
      sample(2000, 32, { a: 5, b: 30 }, 20),
      sample(3000, 11, { a: 5 }),
    ],
    POOL,
  );
  expect(times).toEqual([1, 2, 3]);
  expect(layers).toEqual([
    { key: 'others', bytes: [10, 12, 11], tops: [10, 12, 11] },
    { key: 'yielded', bytes: [0, 20, 0], tops: [10, 32, 11] },
    { key: 'b', bytes: [30, 30, 0], tops: [40, 62, 11] },
    { key: 'a', bytes: [0, 5, 5], tops: [40, 67, 16] },
  ]);
  expect(limits).toEqual({ totalBytes: 100, limitBytes: 80, hardLimitBytes: 92 });
});

test.each([
  [20_000, [10, 11]],
  [20_001, [10, null, 11]],
])('%p ms without a sample are drawn as %p', (ms, tops) => {
  const { layers } = stackSeries([sample(0, 10, {}), sample(ms, 11, {})], POOL);
  expect(layers[0]?.tops).toEqual(tops);
});

test('leaves out samples without the pool', () => {
  const { times, layers } = stackSeries([sample(0, 10, {})], { ...POOL, pool: 'gpu:0' });
  expect(times).toEqual([]);
  expect(layers).toEqual([
    { key: 'others', bytes: [], tops: [] },
    { key: 'yielded', bytes: [], tops: [] },
  ]);
});
