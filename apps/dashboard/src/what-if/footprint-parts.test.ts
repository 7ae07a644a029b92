import { totalParts } from './footprint-parts.js';

const NONE = {
  weightsBytes: 0,
  kvCacheBytes: 0,
  recurrentStateBytes: 0,
  computeBytes: 0,
  outputBytes: 0,
  visionBytes: 0,
  otherBytes: 0,
  totalBytes: 0,
};

test('sums each part over the devices, and leaves out parts without memory', () => {
  const parts = totalParts([
    { ...NONE, device: 'gpu0', weightsBytes: 10, kvCacheBytes: 3, computeBytes: 2 },
    { ...NONE, device: 'ram', weightsBytes: 5, recurrentStateBytes: 4, outputBytes: 1 },
  ]);
  expect(parts.map(({ name, bytes }) => [name, bytes])).toEqual([
    ['Weights', 15],
    ['KV cache', 7],
    ['Compute buffers', 3],
  ]);
});

test('the parts add up to the total of the devices', () => {
  const each = { ...NONE, weightsBytes: 1, kvCacheBytes: 2, recurrentStateBytes: 4 };
  const all = { ...each, computeBytes: 8, outputBytes: 16, visionBytes: 32, otherBytes: 64 };
  const sum = totalParts([{ ...all, device: 'ram' }]).reduce(
    (total, { bytes }) => total + bytes,
    0,
  );
  expect(sum).toBe(127);
});
