import type { GpuResources, Resources } from './resources.js';
import { unmeasuredPools } from './pool-name.js';

const gpu = (deviceKey: string, facts: Partial<GpuResources> = {}): GpuResources => ({
  deviceKey,
  name: null,
  vendor: null,
  memory: 'dedicated',
  totalBytes: 100,
  availableBytes: 50,
  ...facts,
});
const machine = (availableBytes: number | null, ...gpus: readonly GpuResources[]): Resources => ({
  timestampMs: 0,
  observable: true,
  unified: false,
  ram: { totalBytes: 100, availableBytes, mappedCountsAsUsed: false },
  gpus,
  cpu: { utilizationRatio: null, othersRatio: null },
});

describe('the use of a pool', () => {
  it.each([
    ['is known with all figures', machine(0, gpu('a', { availableBytes: 0 })), []],
    ['is not known without the free memory', machine(null, gpu('a')), ['ram']],
    [
      'is not known without the free memory of a GPU',
      machine(1, gpu('a'), gpu('b', { availableBytes: null })),
      ['gpu:b'],
    ],
    [
      'is not known without the size of a GPU',
      machine(1, gpu('a', { totalBytes: null })),
      ['gpu:a'],
    ],
    [
      'is that of RAM for a GPU that takes RAM',
      machine(1, gpu('a', { memory: 'shared', totalBytes: null, availableBytes: null })),
      [],
    ],
    [
      'is that of RAM for a GPU with unified memory',
      { ...machine(1, gpu('a', { availableBytes: null })), unified: true },
      [],
    ],
  ])('%s', (_, resources, pools) => {
    expect(unmeasuredPools(resources)).toEqual(pools);
  });
});
