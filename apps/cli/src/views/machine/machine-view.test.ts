import type { GpuResources, Resources } from '@mai/memory-ledger';
import { createTextOutput } from '../../../test/fake-io.js';
import { renderMachine } from './machine-view.js';

const gpu = (deviceKey: string, name: string | null): GpuResources => ({
  deviceKey,
  name,
  vendor: null,
  memory: 'dedicated',
  totalBytes: null,
  availableBytes: null,
});

const heading = (gpus: readonly GpuResources[]): string | undefined => {
  const resources: Resources = {
    timestampMs: 0,
    observable: true,
    unified: false,
    gpus,
    ram: { totalBytes: 2 ** 35, availableBytes: null, mappedCountsAsUsed: null },
    cpu: { utilizationRatio: null, othersRatio: null },
  };
  const report = { resources, pools: [], snapshot: null, trends: [] };
  return renderMachine(report, createTextOutput()).split('\n')[0];
};

test('lists every GPU, two equal cards as two', () => {
  expect(heading([gpu('a', 'RTX 3090'), gpu('b', 'RTX 3090')])).toBe(
    'This machine  RTX 3090, RTX 3090',
  );
});

test('says that a GPU has no name', () => {
  expect(heading([gpu('a', null), gpu('b', 'RTX 3090')])).toBe(
    'This machine  a GPU without a name, RTX 3090',
  );
});
