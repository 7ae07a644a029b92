import type { GpuResources } from '@mai/memory-ledger';
import { speedGap } from './speed-gap.js';

const gpu = (name: string | null, memory: GpuResources['memory']): GpuResources => ({
  deviceKey: name ?? 'gpu',
  name,
  vendor: null,
  memory,
  totalBytes: null,
  availableBytes: null,
});

test.each([
  ['without a GPU', [], null],
  ['with a GPU of the table of devices', [gpu('NVIDIA GeForce RTX 3090', 'dedicated')], null],
  ['with a GPU that reads RAM', [gpu('AMD Radeon 780M Graphics', 'shared')], null],
  [
    'with a card that the table lacks',
    [gpu('NVIDIA GeForce RTX 3090', 'dedicated'), gpu('Future Card 9', 'dedicated')],
    'the bandwidth of Future Card 9 is not known. `mai bench` measures a model, and then predicts the others',
  ],
  [
    'with a card without a name',
    [gpu(null, 'dedicated')],
    'the bandwidth of a GPU that reports no name is not known. `mai bench` measures a model, and then predicts the others',
  ],
])('%s', (_, gpus, expected) => {
  expect(speedGap({ gpus, unified: false, ram: { totalBytes: 2 ** 34 } })).toBe(expected);
});
