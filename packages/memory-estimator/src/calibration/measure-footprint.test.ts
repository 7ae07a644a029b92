import { GIB, MIB } from '../../test/footprints.js';
import type { MeasurePorts, MemoryReading } from './measure-footprint.js';
import { measureFootprint } from './measure-footprint.js';

const FREE = 16 * GIB;
const BEFORE: MemoryReading = {
  engineAnonymousBytes: 100 * MIB,
  availableRamBytes: FREE,
  gpus: [{ deviceKey: 'GPU-1', usedBytes: GIB }],
};
const UNSEEN = { ...BEFORE, engineAnonymousBytes: null, gpus: [] };

/** Ports that show these readings in turn, and write down what is asked of them. */
function ports(readings: readonly (MemoryReading | null)[], facts: Partial<MeasurePorts> = {}) {
  const asked: string[] = [];
  const left = [...readings];
  const note = (what: string) => () => {
    asked.push(what);
    return Promise.resolve();
  };
  return {
    asked,
    load: note('load'),
    generate: note('generate'),
    unload: note('unload'),
    settle: () => {
      asked.push('settle');
      return Promise.resolve(left.shift() ?? null);
    },
    expectedAnonymousBytes: 500 * MIB,
    ...facts,
  };
}

test('the engine process and the GPU show what a load takes, after it has generated', async () => {
  const world = ports([
    BEFORE,
    {
      engineAnonymousBytes: 650 * MIB,
      availableRamBytes: FREE - 3 * GIB,
      gpus: [{ deviceKey: 'GPU-1', usedBytes: 5 * GIB }],
    },
  ]);
  expect(await measureFootprint(world)).toEqual({
    measured: {
      anonymousBytes: 550 * MIB,
      gpus: [{ deviceKey: 'GPU-1', bytes: 4 * GIB }],
      method: 'process',
    },
    reason: null,
  });
  expect(world.asked).toEqual(['settle', 'load', 'generate', 'settle', 'unload']);
});

test('where the engine cannot be seen, free memory stands in, if it comes back', async () => {
  const loaded = { ...UNSEEN, availableRamBytes: FREE - 600 * MIB };
  const back = { ...UNSEEN, availableRamBytes: FREE - 20 * MIB };
  expect((await measureFootprint(ports([UNSEEN, loaded, back]))).measured).toEqual({
    anonymousBytes: 600 * MIB,
    gpus: [],
    method: 'free-memory',
  });
  const gone = { ...UNSEEN, availableRamBytes: FREE - 400 * MIB };
  expect(await measureFootprint(ports([UNSEEN, loaded, gone]))).toEqual({
    measured: null,
    reason: 'DISTURBED',
  });
});

const takes = (bytes: number): MemoryReading => ({
  ...BEFORE,
  engineAnonymousBytes: 100 * MIB + bytes,
  gpus: [],
});

test.each([
  ['NOT_SETTLED', [null]],
  ['NOT_SETTLED', [BEFORE, null]],
  ['NOTHING_SEEN', [BEFORE, takes(-MIB)]],
  ['IMPLAUSIBLE', [BEFORE, takes(50 * MIB)]],
  ['IMPLAUSIBLE', [BEFORE, takes(4 * GIB)]],
] as const)('%s is no measurement', async (reason, readings) => {
  const world = ports(readings);
  expect(await measureFootprint(world)).toEqual({ measured: null, reason });
  expect(world.asked.includes('unload')).toBe(world.asked.includes('load'));
});

test.each(['load', 'generate'] as const)('%s that fails is told, after unloading', async (step) => {
  const world = ports([BEFORE], { [step]: () => Promise.reject(new Error('out of memory')) });
  await expect(measureFootprint(world)).rejects.toThrow('out of memory');
  expect(world.asked.at(-1)).toBe('unload');
});
