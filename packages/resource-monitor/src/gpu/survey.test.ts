import type { GpuReading } from '../reading/figures.js';
import { mergeGpus } from './merge-gpus.js';
import type { HardwareSurveyFacts } from './match-survey.js';
import { mergeSurvey } from './survey.js';

const GIB = 1024 ** 3;

const CARD: GpuReading = {
  deviceKey: 'pci:0000:01:00.0',
  pciAddress: '0000:01:00.0',
  totalIsEstimate: false,
  closed: null,
  name: 'NVIDIA GeForce RTX 4070',
  pciId: null,
  vendor: 'nvidia',
  kind: 'discrete',
  memory: 'dedicated',
  totalBytes: 12 * GIB,
  usedBytes: 2 * GIB,
  availableBytes: 10 * GIB,
  utilizationRatio: 0.5,
  processes: null,
  readAtMonotonicMs: 1,
  reasons: [],
};
const HIDDEN: GpuReading = {
  ...CARD,
  totalBytes: null,
  usedBytes: null,
  availableBytes: null,
  readAtMonotonicMs: null,
  reasons: ['the driver reports nothing'],
};

type Surveyed = HardwareSurveyFacts['gpus'][number];
const surveyed = (facts: Partial<Surveyed> = {}): Surveyed => ({
  name: 'GeForce RTX 4070',
  integration: 'discrete',
  vendor: 'nvidia',
  dedicatedBytes: 12.5 * GIB,
  totalBytes: 28 * GIB,
  ...facts,
});

function merge(readings: readonly GpuReading[], gpus: readonly Surveyed[] | null) {
  const merged = mergeGpus([{ source: 'reader', reading: { value: readings } }]);
  return mergeSurvey(merged, gpus === null ? null : { gpus }).map(({ gpu, source }) => ({
    deviceKey: gpu.deviceKey,
    memory: gpu.memory,
    source,
    total: gpu.totalBytes,
    used: gpu.usedBytes,
    available: gpu.availableBytes,
  }));
}

describe("LM Studio's survey", () => {
  it('does not replace a measured total', () => {
    expect(merge([CARD], [surveyed()])).toEqual(merge([CARD], null));
  });

  it.each([
    ['the vendors differ', { name: 'a GPU', vendor: 'nvidia' as const, integration: null }],
    [
      'the survey calls its GPU a card',
      { name: 'a GPU', vendor: null, integration: 'discrete' as const },
    ],
  ])('adds a GPU beside the integrated GPU that the system lists if %s', (_, facts) => {
    const integrated: GpuReading = {
      ...HIDDEN,
      deviceKey: 'pci:0000:00:02.0',
      name: null,
      vendor: 'intel',
      kind: 'integrated',
      memory: 'shared',
    };
    expect(merge([integrated], [surveyed(facts)])).toMatchObject([
      { deviceKey: 'pci:0000:00:02.0', memory: 'shared', total: null },
      { deviceKey: 'survey:0', memory: 'dedicated', total: 12.5 * GIB },
    ]);
  });

  it('counts the memory of an NVIDIA N1X as shared, even if the survey calls it discrete', () => {
    const facts = { name: 'NVIDIA N1X', dedicatedBytes: null, totalBytes: 45 * GIB };
    expect(merge([], [surveyed(facts)])).toMatchObject([{ memory: 'shared', total: 45 * GIB }]);
  });

  it('counts the memory of an Apple GPU as shared', () => {
    const apple = surveyed({ name: 'Apple M2 Max', vendor: 'apple', integration: null });
    expect(merge([], [apple])).toMatchObject([{ memory: 'shared' }]);
  });

  it('adds a total that the system hides, and leaves free memory unknown', () => {
    expect(merge([HIDDEN], [surveyed()])).toMatchObject([
      {
        deviceKey: 'pci:0000:01:00.0',
        source: 'LM Studio hardware survey',
        total: 12.5 * GIB,
        used: null,
        available: null,
      },
    ]);
  });

  it('replaces an estimated total, and free memory is recomputed', () => {
    const guessed = { ...CARD, totalIsEstimate: true };
    expect(merge([guessed], [surveyed()])).toMatchObject([
      {
        source: 'reader, total from LM Studio hardware survey',
        total: 12.5 * GIB,
        used: 2 * GIB,
        available: 10.5 * GIB,
      },
    ]);
  });

  it('adds a GPU that the system hides, with its total only', () => {
    expect(merge([], [surveyed()])).toEqual([
      {
        deviceKey: 'survey:0',
        memory: 'dedicated',
        source: 'LM Studio hardware survey',
        total: 12.5 * GIB,
        used: null,
        available: null,
      },
    ]);
  });

  it('matches the GPUs of two lists with one GPU each, whatever their names', () => {
    expect(merge([HIDDEN], [surveyed({ name: 'CUDA0' })])).toHaveLength(1);
  });

  it('matches two GPUs with equal names to two different GPUs', () => {
    const two = [HIDDEN, { ...HIDDEN, deviceKey: 'b', pciAddress: '0000:02:00.0' }];
    const totals = merge(two, [surveyed(), surveyed({ dedicatedBytes: 8 * GIB })]);
    expect(totals.map(({ total }) => total)).toEqual([12.5 * GIB, 8 * GIB]);
  });

  it('uses the shared memory of an integrated GPU, not its carve-out', () => {
    const gpu = surveyed({ integration: 'integrated', dedicatedBytes: GIB / 2 });
    expect(merge([], [gpu])).toMatchObject([{ memory: 'shared', total: 28 * GIB }]);
  });

  it.each([0, -1, NaN, 2 ** 63])('reads a size of %d as unknown', (bytes) => {
    const gpu = surveyed({ dedicatedBytes: bytes, totalBytes: bytes });
    expect(merge([], [gpu])).toMatchObject([{ total: null, available: null }]);
    expect(merge([HIDDEN], [gpu])).toMatchObject([{ total: null }]);
  });
});
