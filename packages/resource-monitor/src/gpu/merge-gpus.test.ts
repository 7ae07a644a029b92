import type { GpuReading } from '../reading/figures.js';
import { mergeGpus } from './merge-gpus.js';

const GIB = 1024 ** 3;

const MEASURED: GpuReading = {
  deviceKey: 'GPU-1',
  pciAddress: '0000:01:00.0',
  totalIsEstimate: false,
  closed: null,
  name: 'NVIDIA GeForce RTX 3090',
  pciId: null,
  vendor: 'nvidia',
  kind: 'discrete',
  memory: 'dedicated',
  totalBytes: 24 * GIB,
  usedBytes: 0,
  availableBytes: 24 * GIB,
  utilizationRatio: 0,
  processes: null,
  readAtMonotonicMs: 1,
  reasons: [],
};
/** The same card in the list of sysfs. */
const LISTED: GpuReading = {
  ...MEASURED,
  deviceKey: 'pci:0000:01:00.0',
  name: null,
  pciId: '10de:2204',
  totalBytes: null,
  usedBytes: null,
  availableBytes: null,
  utilizationRatio: null,
  readAtMonotonicMs: null,
  reasons: ['the driver reports no memory in sysfs'],
};
const SECOND = { deviceKey: 'GPU-2', pciAddress: '0000:02:00.0' };

const merge = (...lists: readonly (readonly GpuReading[])[]) =>
  mergeGpus(lists.map((value, at) => ({ source: `reader ${at + 1}`, reading: { value } })));

describe('GPUs of several readers', () => {
  it('with one PCI address are merged, with the key and the figures of the first reader', () => {
    const [only, ...others] = merge([MEASURED], [LISTED]);
    expect(others).toEqual([]);
    expect(only).toMatchObject({
      gpu: { ...MEASURED, pciId: '10de:2204' },
      source: 'reader 1',
      passedOver: [
        { source: 'reader 2', reason: 'the driver reports no memory in sysfs', cause: null },
      ],
    });
    expect(merge([LISTED], [MEASURED])).toMatchObject([
      { gpu: { deviceKey: LISTED.deviceKey, totalBytes: 24 * GIB }, source: 'reader 2' },
    ]);
  });

  it('keep a figure of 0 from an earlier reader', () => {
    const busy = { ...MEASURED, usedBytes: 9 * GIB, availableBytes: 15 * GIB };
    expect(merge([MEASURED], [busy])).toMatchObject([
      { gpu: { usedBytes: 0, availableBytes: 24 * GIB, utilizationRatio: 0 } },
    ]);
  });

  it('with two PCI addresses are not merged, even if their names are equal', () => {
    const two = [MEASURED, { ...MEASURED, ...SECOND }];
    const listed = [LISTED, { ...LISTED, ...SECOND }];
    expect(merge(two, listed).map(({ gpu }) => gpu.deviceKey)).toEqual(['GPU-1', 'GPU-2']);
  });

  it('without a PCI address are matched by vendor and name, each at most once', () => {
    const unplaced = { ...LISTED, pciAddress: null, name: 'GeForce RTX 3090' };
    expect(merge([MEASURED], [unplaced])).toHaveLength(1);
    expect(merge([MEASURED], [unplaced, unplaced])).toHaveLength(2);
    expect(merge([MEASURED], [{ ...unplaced, vendor: 'amd' }])).toHaveLength(2);
  });
});
