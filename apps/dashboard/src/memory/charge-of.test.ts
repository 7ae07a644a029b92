import type { Footprint } from '../api/api.generated.js';
import { chargeOf } from './charge-of.js';

const footprint: Footprint = {
  totalBytes: 100,
  lowBytes: null,
  highBytes: null,
  growthBytes: null,
  mappedBytes: 50,
  anonymousBytes: 10,
  source: 'gguf-header',
  confidence: 'high',
  gpus: [{ deviceKey: 'pci:1', bytes: 40 }],
};

test('charges mapped and anonymous memory to RAM, and the rest to the GPU', () => {
  const pools = [{ pool: 'ram' }, { pool: 'gpu:pci:1' }];
  expect(pools.map(({ pool }) => chargeOf(footprint, pool, pools))).toEqual([60, 40]);
});

test('charges the memory of a GPU to RAM where the GPU has no memory of its own', () => {
  const pools = [{ pool: 'ram' }, { pool: 'gpu-share:pci:1' }];
  expect(pools.map(({ pool }) => chargeOf(footprint, pool, pools))).toEqual([100, 40]);
  expect(chargeOf(footprint, 'ram', [{ pool: 'ram' }])).toBe(100);
});

test('charges nothing to a GPU that the model does not use', () => {
  const pools = [{ pool: 'ram' }, { pool: 'gpu:pci:1' }, { pool: 'gpu:pci:2' }];
  expect(chargeOf(footprint, 'gpu:pci:2', pools)).toBe(0);
});
