import {
  charge,
  fixedPool,
  LIMIT,
  type ChargedSize,
  type Devices,
  type Footprint,
  type PoolName,
} from '@mai/memory-ledger';
import { corpusHeader } from '../../test/corpus.js';
import { footprintOf } from '../../test/footprints.js';
import { ONE_SEQUENCE } from '../../test/load-config.js';
import { CPU_ENVIRONMENT, type EstimateEnvironment } from '../load/environment.js';
import { estimateFootprint } from '../estimate/estimate-footprint.js';
import { resolveEngineProfile } from '../profile/resolve-profile.js';
import { fitsBudget, type MemoryBudget } from './budget.js';
import { cheapestFit } from './cheapest-fit.js';
import { longestContext } from './longest-context.js';
import { mostGpuLayers } from './most-gpu-layers.js';

const MIB = 1024 * 1024;
const CPU: EstimateEnvironment = { ...CPU_ENVIRONMENT, cpu: 'avx2' };
const ONE_GPU: EstimateEnvironment = {
  ...CPU,
  gpuBackend: 'cuda',
  gpus: [{ deviceKey: 'gpu', availableBytes: null }],
};
const NO_GPU: Devices = { unified: false, gpus: [] };

const devices = (memory: 'dedicated' | 'shared', ...deviceKeys: string[]): Devices => ({
  unified: false,
  gpus: deviceKeys.map((deviceKey) => ({ deviceKey, memory, totalBytes: 64e9 })),
});

const budgetOf = (
  bytes: Readonly<Partial<Record<PoolName, number>>>,
  facts: Partial<MemoryBudget> = {},
): MemoryBudget => ({
  pools: poolNames(bytes).map((name) => fixedPool(name, bytes[name] ?? 0)),
  devices: NO_GPU,
  limit: LIMIT,
  size: 'upper-end',
  ...facts,
});

const poolNames = (bytes: Readonly<Partial<Record<PoolName, number>>>): PoolName[] =>
  Object.keys(bytes).filter((name): name is PoolName => name === 'ram' || name.startsWith('gpu'));

const ram = (ramBytes: number, size: ChargedSize = 'upper-end'): MemoryBudget =>
  budgetOf({ ram: ramBytes }, { size });

/** Tries each length, from the longest, in steps of 256 tokens. */
function longestByTrial(
  at: (contextLengthTokens: number) => Footprint,
  highest: number,
  budget: MemoryBudget,
): number | null {
  let context = highest;
  while (context > 0 && !fitsBudget(at(context), budget)) context -= 256;
  return context > 0 ? context : null;
}

describe('the longest context', () => {
  // Compute buffers of these models shrink at some lengths when the context grows.
  const cases = ['gemma-3-1b-q4km', 'falcon-h1-1.5b-q4km', 'qwen3-0.6b-q8', 'gpt-oss-20b-L6-mxfp4'];

  test.each(cases)('of %s fits, and longer contexts do not fit', async (model) => {
    const header = await corpusHeader(model);
    const at = (contextLengthTokens: number) =>
      estimateFootprint(header, { ...ONE_SEQUENCE, contextLengthTokens }, CPU);
    const highest = 16_384;
    for (const share of [0.3, 0.55, 0.8, 1]) {
      const [small, large] = [at(256).totalBytes, at(highest).totalBytes];
      const budget = ram(Math.round(small + (large - small) * share), 'expected');
      const found = longestContext(header, ONE_SEQUENCE, CPU, budget, {
        maxContextLengthTokens: highest,
      });
      expect(found?.contextLengthTokens ?? null).toBe(longestByTrial(at, highest, budget));
      if (found !== null) expect(fitsBudget(found.footprint, budget)).toBe(true);
    }
  });

  const TWO_GPUS: EstimateEnvironment = {
    ...CPU,
    gpuBackend: 'vulkan',
    gpus: [
      { deviceKey: 'gpu', availableBytes: 8e9 },
      { deviceKey: 'other', availableBytes: 4e9 },
    ],
  };
  const METAL: EstimateEnvironment = { ...ONE_GPU, gpuBackend: 'metal' };

  const LM_STUDIO: EstimateEnvironment = {
    ...METAL,
    profile: resolveEngineProfile({
      engine: 'lmstudio',
      runtimeVersion: '2.28.2',
      backend: 'metal',
    }),
  };

  // One pool's share of the margin may shrink when the context grows.
  test.each([
    ['one GPU', ONE_GPU, devices('dedicated', 'gpu')],
    ['two GPUs', TWO_GPUS, devices('dedicated', 'gpu', 'other')],
    ['a GPU that shares RAM', ONE_GPU, devices('shared', 'gpu')],
    ['unified memory', METAL, { ...devices('shared', 'gpu'), unified: true }],
    ['a GPU that the machine does not have', ONE_GPU, NO_GPU],
    [
      'a GPU that the machine has and a GPU that it does not have',
      TWO_GPUS,
      devices('dedicated', 'other'),
    ],
    ['a GPU of an engine with unknown defaults', LM_STUDIO, devices('dedicated', 'gpu')],
    ['an engine with unknown defaults', LM_STUDIO, { ...devices('shared', 'gpu'), unified: true }],
  ])('is exact with a margin on %s', async (_, environment, machine) => {
    for (const model of ['gemma-3-1b-q4km', 'deepseek-v2-lite-E16-q4km', 'falcon-h1-1.5b-q4km']) {
      const header = await corpusHeader(model);
      for (const [offloadRatio, share] of [
        [1, 0.4],
        [0.5, 0.7],
      ] as const) {
        const config = { ...ONE_SEQUENCE, offloadRatio };
        const at = (contextLengthTokens: number) =>
          estimateFootprint(header, { ...config, contextLengthTokens }, environment);
        const highest = 12_288;
        const chargeAt = (length: number) =>
          charge(at(length), machine, 'upper-end', 'ignore').charge;
        const [least, most] = [chargeAt(256), chargeAt(highest)];
        const bytes = Object.fromEntries(
          [...least].map(([name, low]) => [
            name,
            Math.round(low * (1 - share) + (most.get(name) ?? 0) * share),
          ]),
        );
        const budget = budgetOf(bytes, { devices: machine });
        expect(budget.pools.length).toBe(least.size);
        const options = { maxContextLengthTokens: highest };
        const found = longestContext(header, config, environment, budget, options);
        const expected = longestByTrial(at, highest, budget);
        expect(expected).not.toBeNull();
        expect(found?.contextLengthTokens ?? null).toBe(expected);
      }
    }
  });

  test('more memory never gives a shorter context', async () => {
    const header = await corpusHeader('gemma-3-1b-q4km');
    let previous = 0;
    for (let mib = 900; mib <= 2000; mib += 25) {
      const found = longestContext(header, ONE_SEQUENCE, CPU, ram(mib * MIB));
      const context = found?.contextLengthTokens ?? 0;
      expect(context).toBeGreaterThanOrEqual(previous);
      previous = context;
    }
    expect(previous).toBeGreaterThan(0);
  });

  test('is the maximum for a model without a growing cache, as soon as a micro-batch fits', async () => {
    const hybrid = await corpusHeader('falcon-h1-1.5b-q4km');
    const metadata = new Map(
      [...hybrid.metadata].map(([key, value]) => [key.replace('falcon-h1.', 'mamba2.'), value]),
    );
    const header = { ...hybrid, architecture: 'mamba2', metadata };
    const environment: EstimateEnvironment = { ...CPU, batchTokens: 2048, ubatchTokens: 2048 };
    const at = (contextLengthTokens: number) =>
      estimateFootprint(header, { ...ONE_SEQUENCE, contextLengthTokens }, environment);
    expect(at(8192).totalBytes).toBe(at(2048).totalBytes);
    for (const context of [256, 512, 1024, 1792, 8192]) {
      const budget = ram(at(context).totalBytes, 'expected');
      const found = longestContext(header, ONE_SEQUENCE, environment, budget, {
        maxContextLengthTokens: 8192,
      });
      expect(found?.contextLengthTokens).toBe(context);
    }
  });

  test('is one step shorter if the budget has one byte less', async () => {
    const header = await corpusHeader('llama-3.1-8b-q4km');
    const config = { ...ONE_SEQUENCE, contextLengthTokens: 4096 };
    const { totalBytes } = estimateFootprint(header, config, CPU);
    const search = (bytes: number) =>
      longestContext(header, ONE_SEQUENCE, CPU, ram(bytes, 'expected'));
    expect(search(totalBytes)?.contextLengthTokens).toBe(4096);
    expect(search(totalBytes - 1)?.contextLengthTokens).toBe(4096 - 256);
  });

  test('is found even if the maximum is huge', async () => {
    const header = await corpusHeader('qwen3-0.6b-q8');
    const up = (maxContextLengthTokens: number) =>
      longestContext(header, ONE_SEQUENCE, CPU, ram(2000 * MIB), { maxContextLengthTokens })
        ?.contextLengthTokens;
    expect(up(1e15)).toBe(up(2 ** 20));
    for (const invalid of [0, -5, Number.NaN]) expect(() => up(invalid)).toThrow(RangeError);
  });

  test('is null where nothing fits', async () => {
    const header = await corpusHeader('llama-3.1-8b-q4km');
    expect(longestContext(header, ONE_SEQUENCE, CPU, ram(1000 * MIB))).toBeNull();
  });
});

describe('the most layers', () => {
  const budget = (mib: number) =>
    budgetOf({ 'gpu:gpu': mib * MIB }, { devices: devices('dedicated', 'gpu') });

  test('grow with the memory of the GPU, up to the output layer', async () => {
    const header = await corpusHeader('llama-2-7b-q4_0');
    const config = { ...ONE_SEQUENCE, contextLengthTokens: 2048 };
    let previous = -1;
    for (const mib of [1000, 2000, 3000, 4000, 5000, 6000, 8000]) {
      const found = mostGpuLayers(header, config, ONE_GPU, budget(mib));
      expect(found?.gpuLayers ?? 0).toBeGreaterThanOrEqual(previous);
      previous = found?.gpuLayers ?? 0;
    }
    expect(previous).toBe(33);
  });

  test('are all layers or 0 where the number of layers is unknown', async () => {
    const header = await corpusHeader('llama-2-7b-q4_0');
    const unknown = { ...header, metadata: new Map<string, never>() };
    expect(mostGpuLayers(unknown, ONE_SEQUENCE, ONE_GPU, budget(1000))?.offloadRatio).toBe(0);
    expect(mostGpuLayers(unknown, ONE_SEQUENCE, ONE_GPU, budget(9000))?.offloadRatio).toBe(1);
  });

  test('come with the ratio that asks for exactly these layers', async () => {
    const header = await corpusHeader('llama-2-7b-q4_0');
    const config = { ...ONE_SEQUENCE, contextLengthTokens: 2048 };
    const found = mostGpuLayers(header, config, ONE_GPU, budget(3500));
    expect(found).not.toBeNull();
    const { offloadRatio = 0, gpuLayers = 0 } = found ?? {};
    expect(gpuLayers).toBeGreaterThan(0);
    const again = estimateFootprint(header, { ...config, offloadRatio }, ONE_GPU);
    expect(again.settings.gpuLayers).toBe(gpuLayers);
  });
});

describe('the cheapest change that makes a model fit', () => {
  const config = { ...ONE_SEQUENCE, contextLengthTokens: 32_768 };

  test('is empty where it fits', async () => {
    const header = await corpusHeader('llama-3.1-8b-q4km');
    expect(cheapestFit(header, config, CPU, ram(20_000 * MIB))?.tradeOffs).toEqual([]);
  });

  test('is an 8-bit cache before a shorter context', async () => {
    const header = await corpusHeader('llama-3.1-8b-q4km');
    const asked = estimateFootprint(header, config, CPU).interval?.highBytes ?? 0;
    const fit = cheapestFit(header, config, CPU, ram(asked - 1));
    expect(fit?.tradeOffs).toEqual([
      {
        setting: 'kvCacheTypes',
        from: { keys: 'f16', values: 'f16' },
        to: { keys: 'q8_0', values: 'q8_0' },
      },
    ]);
    expect(fit?.loadConfig.flashAttention).toBe(true);
  });

  test('shortens the context, but not below the minimum', async () => {
    const header = await corpusHeader('llama-3.1-8b-q4km');
    const floor = estimateFootprint(header, { ...config, contextLengthTokens: 4096 }, CPU);
    const fit = cheapestFit(header, config, CPU, ram(floor.interval?.highBytes ?? 0), {
      minContextLengthTokens: 4096,
    });
    const contextLengthTokens = fit?.loadConfig.contextLengthTokens ?? 0;
    expect(contextLengthTokens).toBeGreaterThanOrEqual(4096);
    expect(fit?.tradeOffs).toEqual([
      { setting: 'contextLengthTokens', from: 32_768, to: contextLengthTokens },
    ]);
    expect(
      cheapestFit(header, config, CPU, ram(5_000 * MIB), { minContextLengthTokens: 4096 }),
    ).toBeNull();
  });

  test('is refused for a shortest context that no load can have', async () => {
    const header = await corpusHeader('llama-3.1-8b-q4km');
    for (const minContextLengthTokens of [0, -1, Number.NaN])
      expect(() => cheapestFit(header, config, CPU, ram(MIB), { minContextLengthTokens })).toThrow(
        RangeError,
      );
  });

  test('names every setting that changes, and never takes a larger cache type', async () => {
    const header = await corpusHeader('llama-3.1-8b-q4km');
    const mixed = {
      ...config,
      kvCacheTypeK: 'q4_0' as const,
      kvCacheTypeV: 'f16' as const,
      flashAttention: false,
    };
    const asked = estimateFootprint(header, mixed, CPU).interval?.highBytes ?? 0;
    const fit = cheapestFit(header, mixed, CPU, ram(asked - 1));
    expect(fit?.loadConfig).toMatchObject({ kvCacheTypeK: 'q4_0', kvCacheTypeV: 'q8_0' });
    expect(fit?.tradeOffs).toEqual([
      {
        setting: 'kvCacheTypes',
        from: { keys: 'q4_0', values: 'f16' },
        to: { keys: 'q4_0', values: 'q8_0' },
      },
      { setting: 'flashAttention', from: false, to: true },
    ]);
  });

  test('is never a cache type that llama.cpp refuses', async () => {
    const { metadata, ...rest } = await corpusHeader('llama-3.1-8b-q4km');
    const header = { ...rest, metadata: new Map(metadata) };
    header.metadata.set('llama.attention.key_length', 80);
    header.metadata.set('llama.attention.value_length', 80);
    const asked = estimateFootprint(header, config, CPU).interval?.highBytes ?? 0;
    const fit = cheapestFit(header, config, CPU, ram(asked - 1));
    expect(fit?.tradeOffs.map(({ setting }) => setting)).toEqual(['contextLengthTokens']);
    const quantized = { ...config, kvCacheTypeK: 'q8_0' as const };
    expect(longestContext(header, quantized, CPU, ram(asked))).toBeNull();
  });

  test('always fits, and names the offload ratio where layers leave the GPU', async () => {
    const header = await corpusHeader('qwen3-8b-q4km');
    let partly = 0;
    for (let mib = 500; mib < 14_000; mib += 500) {
      const budget = budgetOf(
        { ram: 6_000 * MIB, 'gpu:gpu': mib * MIB },
        { devices: devices('dedicated', 'gpu') },
      );
      const fit = cheapestFit(header, config, ONE_GPU, budget);
      if (fit === null) continue;
      const { offloadRatio } = fit.loadConfig;
      expect(fit.tradeOffs.find(({ setting }) => setting === 'offloadRatio')).toEqual(
        offloadRatio === null ? undefined : { setting: 'offloadRatio', from: 1, to: offloadRatio },
      );
      if (offloadRatio !== null) partly += 1;
      expect(fitsBudget(estimateFootprint(header, fit.loadConfig, ONE_GPU), budget)).toBe(true);
    }
    expect(partly).toBeGreaterThan(0);
  });
});

describe('a budget', () => {
  const anonymous = (anonymousBytes: number): Footprint => ({
    ...footprintOf(0, 0),
    ram: { mappedBytes: 0, anonymousBytes },
    interval: null,
  });

  test('does not fit a footprint of NaN bytes', () => {
    expect(fitsBudget(anonymous(Number.NaN), ram(1000))).toBe(false);
  });

  test('charges the upper end of the interval or the estimate itself', () => {
    const footprint: Footprint = {
      ...anonymous(700),
      interval: { coverage: 0.9, lowBytes: 600, highBytes: 750 },
    };
    expect(fitsBudget(footprint, ram(750))).toBe(true);
    expect(fitsBudget(footprint, ram(749))).toBe(false);
    expect(fitsBudget(footprint, ram(700, 'expected'))).toBe(true);
    expect(fitsBudget(footprint, ram(699, 'expected'))).toBe(false);
  });

  test('fits a load if the use of others, less the freed bytes, leaves room for it below the limit', () => {
    const pool = {
      ...fixedPool('ram', 1000),
      othersBytes: 50,
      residentBytes: 150,
      limitRatio: 0.8,
    };
    const budget = { ...ram(0), pools: [pool] };
    expect([600, 601].map((bytes) => fitsBudget(anonymous(bytes), budget))).toEqual([true, false]);
    const switched = { ...budget, freed: new Map([['ram', 150]] as const) };
    expect([750, 751].map((bytes) => fitsBudget(anonymous(bytes), switched))).toEqual([
      true,
      false,
    ]);
  });

  test('charges the margin of a fully mapped footprint to RAM', () => {
    const footprint: Footprint = {
      ...footprintOf(0, 0),
      ram: { mappedBytes: 700, anonymousBytes: 0 },
      interval: { coverage: 0.9, lowBytes: 600, highBytes: 750 },
    };
    expect(fitsBudget(footprint, ram(750))).toBe(true);
    expect(fitsBudget(footprint, ram(749))).toBe(false);
  });

  test.each([
    ['shares RAM', devices('shared', 'gpu')],
    ['is on a unified machine', { ...devices('dedicated', 'gpu'), unified: true }],
    ['the machine does not have', NO_GPU],
  ])('charges the bytes of a GPU that %s to RAM', async (_, machine) => {
    const header = await corpusHeader('llama-3.2-1b-q4km');
    const footprint = estimateFootprint(header, ONE_SEQUENCE, ONE_GPU);
    const budget = (bytes: number, where: Devices) =>
      budgetOf({ ram: bytes }, { devices: where, size: 'expected' });
    const { totalBytes } = footprint;
    expect(fitsBudget(footprint, budget(totalBytes, machine))).toBe(true);
    expect(fitsBudget(footprint, budget(totalBytes - 1, machine))).toBe(false);
    expect(fitsBudget(footprint, budget(totalBytes - 1, devices('dedicated', 'gpu')))).toBe(true);
  });
});
