import type { Footprint, Resources } from '@mai/memory-ledger';
import { exceedsGpus, withinGpus } from './within-gpus.js';

const GIB = 1024 ** 3;

const resources: Resources = {
  ...{ timestampMs: 0, observable: true, unified: false },
  ram: { totalBytes: 64 * GIB, availableBytes: 32 * GIB, mappedCountsAsUsed: false },
  gpus: [
    {
      ...{ deviceKey: 'card', name: 'Card', vendor: 'nvidia', memory: 'dedicated' },
      ...{ totalBytes: 8 * GIB, availableBytes: 1 * GIB },
    },
  ],
  cpu: { utilizationRatio: null, othersRatio: null },
};

const onCard = (bytes: number): Footprint => ({
  ram: { mappedBytes: 0, anonymousBytes: GIB },
  gpus: [{ deviceKey: 'card', bytes }],
  ...{ interval: null, growth: null, source: 'file-size', confidence: 'low' },
});

test.each([
  ['as large as the memory in use on its GPU', 7 * GIB, 7 * GIB, GIB, false],
  ['as large as its GPU', 8 * GIB, 8 * GIB, GIB, false],
  ['one byte larger than its GPU', 8 * GIB + 1, 7 * GIB, 2 * GIB + 1, true],
])('limits a share only if it exceeds the GPU: %s', (_, bytes, onGpu, inRam, exceeds) => {
  const held = withinGpus(onCard(bytes), resources);
  expect(held.gpus).toEqual([{ deviceKey: 'card', bytes: onGpu }]);
  expect(held.ram.anonymousBytes).toBe(inRam);
  expect(exceedsGpus(held)).toBe(exceeds);
});

test('a footprint that is not known exceeds no GPU', () => {
  expect(exceedsGpus(null)).toBe(false);
});
