import type { Resources } from '@mai/memory-ledger';
import { withMemoryInUse } from '../memory/with-memory-in-use.js';
import { fitWorld } from './fit-world.js';
import { parseWorld } from './parse-world.js';

const GIB = 1024 ** 3;

const machine = (more: Partial<Resources> = {}): Resources => ({
  timestampMs: 0,
  observable: true,
  ram: { totalBytes: 32 * GIB, availableBytes: 24 * GIB, mappedCountsAsUsed: false },
  unified: false,
  gpus: [],
  cpu: { utilizationRatio: null, othersRatio: null },
  ...more,
});

const card = (deviceKey: string) => ({
  deviceKey,
  name: null,
  vendor: null,
  memory: 'dedicated' as const,
  totalBytes: 8 * GIB,
  availableBytes: 8 * GIB,
});

test.each([0.25, 4, 48])(
  'each model of a world for %d GiB is smaller than the model before, and all fit together',
  (gib) => {
    const { models, world } = fitWorld({
      resources: machine(),
      deviceKey: null,
      roomBytes: gib * GIB,
    });
    const [large, medium, small] = models.map(({ sizeBytes }) => sizeBytes ?? 0);
    expect(large).toBeGreaterThan(medium ?? 0);
    expect(medium).toBeGreaterThan(small ?? 0);
    expect((large ?? 0) + (medium ?? 0) + (small ?? 0)).toBeLessThan(gib * GIB);
    expect(() => parseWorld(world)).not.toThrow();
  },
);

test('models are loaded only on the named GPU', () => {
  const resources = machine({ gpus: [card('one'), card('two')] });
  const { world } = fitWorld({ resources, deviceKey: 'two', roomBytes: 4 * GIB });
  expect(world.machine?.gpus?.map(({ deviceKey }) => deviceKey)).toEqual(['two']);
});

test('the memory of simulated models, with mapped weights, is subtracted from the available memory', () => {
  const use = {
    ram: { mappedBytes: 3 * GIB, anonymousBytes: GIB },
    gpus: [{ deviceKey: 'one', bytes: 10 * GIB }],
  };
  const { ram, gpus } = withMemoryInUse(machine({ gpus: [card('one'), card('two')] }), use);
  expect(ram).toMatchObject({ availableBytes: 20 * GIB, mappedCountsAsUsed: true });
  expect(gpus.map(({ availableBytes }) => availableBytes)).toEqual([0, 8 * GIB]);
});

test('an unknown reading stays unknown', () => {
  const resources = machine({
    ram: { totalBytes: 32 * GIB, availableBytes: null, mappedCountsAsUsed: null },
  });
  const use = { ram: { mappedBytes: 0, anonymousBytes: GIB }, gpus: [] };
  expect(withMemoryInUse(resources, use).ram.availableBytes).toBeNull();
});
