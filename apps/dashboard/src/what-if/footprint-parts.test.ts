import { footprintOf, totalParts } from './footprint-parts.js';

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

describe('the footprint of an answer', () => {
  const parts = [{ ...NONE, device: 'ram', weightsBytes: 7, totalBytes: 7 }];
  const report = { parts, totalBytes: 7, lowBytes: 6, highBytes: 8 };
  const judged = {
    totalBytes: 10,
    lowBytes: 9,
    highBytes: null,
    mappedBytes: 10,
    anonymousBytes: 0,
    gpus: [],
    growthBytes: null,
    source: 'lmstudio',
    confidence: 'low',
  } as const;

  test('has its parts where the header of the model was read', () => {
    expect(footprintOf({ ...report, basis: 'header', footprint: judged })).toEqual({
      parts: [{ name: 'Weights', kind: 'weights', bytes: 7 }],
      totalBytes: 7,
      lowBytes: 6,
      highBytes: 8,
    });
  });

  test('is the one that was judged, without parts, where only the size is known', () => {
    expect(footprintOf({ ...report, basis: 'size', footprint: judged })).toEqual({
      parts: [{ name: 'All parts', kind: 'rest', bytes: 10 }],
      totalBytes: 10,
      lowBytes: 9,
      highBytes: null,
    });
  });

  test('is that of the report where nothing was judged', () => {
    const { parts: shown, totalBytes } = footprintOf({ ...report, basis: 'size', footprint: null });
    expect([shown.map(({ bytes }) => bytes), totalBytes]).toEqual([[7], 7]);
  });
});
