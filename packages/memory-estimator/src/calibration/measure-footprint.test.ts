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

/** Ports that return these readings in turn, and record the calls. */
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
    expected: { anonymousBytes: 500 * MIB, gpus: [{ deviceKey: 'GPU-1', bytes: 4 * GIB }] },
    ...facts,
  };
}

/** A reading with a loaded model, and with additional bytes on the GPU. */
const onGpu = (bytes: number): MemoryReading => ({
  engineAnonymousBytes: 650 * MIB,
  availableRamBytes: FREE - 3 * GIB,
  gpus: [
    { deviceKey: 'GPU-0', usedBytes: 3 * GIB },
    { deviceKey: 'GPU-1', usedBytes: GIB + bytes },
  ],
});

test('measures the engine process and the GPU after a generation', async () => {
  const world = ports([BEFORE, onGpu(4 * GIB), BEFORE]);
  expect(await measureFootprint(world)).toEqual({
    measured: {
      anonymousBytes: 550 * MIB,
      gpus: [{ deviceKey: 'GPU-1', bytes: 4 * GIB }],
      method: 'process',
    },
    reason: null,
  });
  expect(world.asked).toEqual(['settle', 'load', 'generate', 'settle', 'unload', 'settle']);
});

test('does not read memory after unloading where only the engine process is measured', async () => {
  const expected = { anonymousBytes: 500 * MIB, gpus: [] };
  const world = ports([BEFORE, onGpu(0)], { expected });
  expect((await measureFootprint(world)).measured).toMatchObject({ gpus: [], method: 'process' });
  expect(world.asked.at(-1)).toBe('unload');
});

test('leaves out a GPU whose use is unknown', async () => {
  const hidden = { ...onGpu(0), gpus: [{ deviceKey: 'GPU-1', usedBytes: null }] };
  expect((await measureFootprint(ports([BEFORE, hidden]))).measured).toEqual({
    anonymousBytes: 550 * MIB,
    gpus: [],
    method: 'process',
  });
});

test.each([
  ['a game ends during the load', 'IMPLAUSIBLE', [BEFORE, onGpu(-500 * MIB), BEFORE]],
  ['a game takes most of the GPU', 'IMPLAUSIBLE', [BEFORE, onGpu(14 * GIB), BEFORE]],
  ['a game starts during the load', 'DISTURBED', [BEFORE, onGpu(5 * GIB), onGpu(GIB)]],
  ['a GPU disappears', 'DISTURBED', [BEFORE, onGpu(4 * GIB), { ...BEFORE, gpus: [] }]],
  ['memory does not become stable', 'DISTURBED', [BEFORE, onGpu(4 * GIB), null]],
] as const)('does not trust the reading of a GPU where %s: %s', async (_, reason, readings) => {
  expect(await measureFootprint(ports(readings))).toEqual({ measured: null, reason });
});

test('measures free memory if the engine process cannot be read and the memory is free again afterwards', async () => {
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
] as const)('%s gives no measurement', async (reason, readings) => {
  const world = ports(readings);
  expect(await measureFootprint(world)).toEqual({ measured: null, reason });
  expect(world.asked.includes('unload')).toBe(world.asked.includes('load'));
});

test.each(['load', 'generate'] as const)(
  'throws the error of a failed %s, after unloading',
  async (step) => {
    const world = ports([BEFORE], { [step]: () => Promise.reject(new Error('out of memory')) });
    await expect(measureFootprint(world)).rejects.toThrow('out of memory');
    expect(world.asked.at(-1)).toBe('unload');
  },
);
