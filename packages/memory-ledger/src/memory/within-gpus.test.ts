import type { Footprint } from './footprint.js';
import type { Resources } from './resources.js';
import { withinGpus } from './within-gpus.js';

const GIB = 1024 ** 3;

const resources: Resources = {
  timestampMs: 0,
  observable: true,
  unified: false,
  ram: { totalBytes: 64 * GIB, availableBytes: 32 * GIB, mappedCountsAsUsed: false },
  gpus: [
    {
      deviceKey: 'card',
      name: 'Card',
      vendor: 'nvidia',
      memory: 'dedicated',
      totalBytes: 8 * GIB,
      availableBytes: 1 * GIB,
    },
  ],
  cpu: { utilizationRatio: null, othersRatio: null },
};

const onCard = (bytes: number): Footprint => ({
  ram: { mappedBytes: 0, anonymousBytes: GIB },
  gpus: [{ deviceKey: 'card', bytes }],
  interval: null,
  growth: null,
  source: 'file-size',
  confidence: 'low',
});

test.each([
  ['as large as the memory in use on its GPU', 7 * GIB, 7 * GIB, GIB, false],
  ['as large as its GPU', 8 * GIB, 8 * GIB, GIB, false],
  ['one byte larger than its GPU', 8 * GIB + 1, 7 * GIB, 2 * GIB + 1, true],
])('limits a share only if it exceeds the GPU: %s', (_, bytes, onGpu, inRam, exceeds) => {
  const [held = onCard(0)] = withinGpus([onCard(bytes)], resources);
  expect(held.gpus).toEqual([{ deviceKey: 'card', bytes: onGpu }]);
  expect(held.ram.anonymousBytes).toBe(inRam);
  expect(held.exceedsGpus === true).toBe(exceeds);
});

test('limits nothing on a unified machine, where each GPU takes its memory from RAM', () => {
  const footprint = onCard(9 * GIB);
  expect(withinGpus([footprint], { ...resources, unified: true })).toEqual([footprint]);
});

test('takes a GPU that reports more available memory than its total as unused', () => {
  const [card] = resources.gpus;
  const gpus = card === undefined ? [] : [{ ...card, availableBytes: 9 * GIB }];
  const [held = onCard(0)] = withinGpus([onCard(9 * GIB)], { ...resources, gpus });
  expect(held.gpus).toEqual([{ deviceKey: 'card', bytes: 0 }]);
  expect(held.ram.anonymousBytes).toBe(10 * GIB);
});

describe('the shares of several residents', () => {
  const bytesOf = (footprints: readonly Footprint[]) =>
    withinGpus(footprints, resources).map(({ gpus, ram }) => [
      gpus[0]?.bytes,
      ram.anonymousBytes - GIB,
    ]);
  const measured = (bytes: number): Footprint => ({ ...onCard(bytes), source: 'measured' });

  test.each([
    ['fit together', [onCard(5 * GIB), onCard(3 * GIB)], [5 * GIB, 3 * GIB]],
    ['exceed the GPU together', [onCard(7 * GIB), onCard(7 * GIB)], [3.5 * GIB, 3.5 * GIB]],
    ['one is measured', [measured(5 * GIB), onCard(4 * GIB)], [5 * GIB, 2 * GIB]],
    ['all are measured', [measured(7 * GIB), measured(7 * GIB)], [3.5 * GIB, 3.5 * GIB]],
  ])('%s', (_, footprints, expected) => {
    const asked = footprints.map(({ gpus }) => gpus[0]?.bytes ?? 0);
    expect(bytesOf(footprints)).toEqual(
      expected.map((onGpu, i) => [onGpu, (asked[i] ?? 0) - onGpu]),
    );
  });

  test('a resident whose footprint is not known stays unknown', () => {
    expect(withinGpus([null, onCard(9 * GIB)], resources)).toMatchObject([
      null,
      { gpus: [{ bytes: 7 * GIB }], exceedsGpus: true },
    ]);
  });
});
