import { corpusHeader } from '../../test/corpus.js';
import { ONE_SEQUENCE } from '../../test/load-config.js';
import { CPU_ENVIRONMENT, type EstimateEnvironment } from '../estimate/environment.js';
import { estimateFootprint } from '../estimate/estimate-footprint.js';
import { chargeOf, fitsBudget, type Charge, type MemoryBudget } from './budget.js';
import { cheapestFit } from './cheapest-fit.js';
import { longestContext } from './longest-context.js';
import { mostGpuLayers } from './most-layers.js';

const MIB = 1024 * 1024;
const CPU: EstimateEnvironment = { ...CPU_ENVIRONMENT, cpu: 'avx2' };
const ONE_GPU: EstimateEnvironment = {
  ...CPU,
  gpuBackend: 'cuda',
  gpus: [{ deviceKey: 'gpu', availableBytes: null }],
};

const ram = (ramBytes: number, withMargin = true): MemoryBudget => ({
  ramBytes,
  gpus: [],
  unified: false,
  withMargin,
});

describe('the longest context', () => {
  // Models whose buffers are known to shrink now and then as the context grows.
  const cases = ['gemma-3-1b-q4km', 'falcon-h1-1.5b-q4km', 'qwen3-0.6b-q8', 'gpt-oss-20b-L6-mxfp4'];

  test.each(cases)('%s: the answer fits, and no longer context does', async (model) => {
    const header = await corpusHeader(model);
    const at = (contextLengthTokens: number) =>
      estimateFootprint(header, { ...ONE_SEQUENCE, contextLengthTokens }, CPU);
    const highest = 16_384;
    for (const share of [0.3, 0.55, 0.8, 1]) {
      const [small, large] = [at(256).totalBytes, at(highest).totalBytes];
      const budget = ram(Math.round(small + (large - small) * share), false);
      const found = longestContext(header, ONE_SEQUENCE, CPU, budget, {
        maxContextLengthTokens: highest,
      });
      let expected: number | null = null;
      for (let context = 256; context <= highest; context += 256)
        if (fitsBudget(at(context), budget)) expected = context;
      expect(found?.contextLengthTokens ?? null).toBe(expected);
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

  // The margin is shared out among the pools, and the share of one may shrink as the context grows.
  test.each([
    ['one GPU', ONE_GPU],
    ['two GPUs', TWO_GPUS],
    ['unified memory', METAL],
  ])('is exact with a margin on %s', async (_, environment) => {
    const unified = environment === METAL;
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
        const charges = [256, highest].map((length) => chargeOf(at(length), true)) as [
          Charge,
          Charge,
        ];
        const between = (bytesOf: (charge: Charge) => number) =>
          Math.round(bytesOf(charges[0]) * (1 - share) + bytesOf(charges[1]) * share);
        const gpuBytes = ({ gpus }: Charge) => gpus.reduce((sum, { bytes }) => sum + bytes, 0);
        const budget: MemoryBudget = {
          ramBytes: between((charge) => charge.ramBytes + (unified ? gpuBytes(charge) : 0)),
          gpus: environment.gpus.map(({ deviceKey }, i) => ({
            deviceKey,
            bytes: unified ? null : between(({ gpus }) => gpus[i]?.bytes ?? 0),
          })),
          unified,
          withMargin: true,
        };
        const options = { maxContextLengthTokens: highest };
        const found = longestContext(header, config, environment, budget, options);
        let expected: number | null = null;
        for (let context = 256; context <= highest; context += 256)
          if (fitsBudget(at(context), budget)) expected = context;
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

  test('a model without a growing cache gets all that is worth asking for', async () => {
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
      const budget = ram(at(context).totalBytes, false);
      const found = longestContext(header, ONE_SEQUENCE, environment, budget, {
        maxContextLengthTokens: 8192,
      });
      expect(found?.contextLengthTokens).toBe(context);
    }
  });

  test('one byte decides', async () => {
    const header = await corpusHeader('llama-3.1-8b-q4km');
    const config = { ...ONE_SEQUENCE, contextLengthTokens: 4096 };
    const { totalBytes } = estimateFootprint(header, config, CPU);
    const search = (bytes: number) => longestContext(header, ONE_SEQUENCE, CPU, ram(bytes, false));
    expect(search(totalBytes)?.contextLengthTokens).toBe(4096);
    expect(search(totalBytes - 1)?.contextLengthTokens).toBe(4096 - 256);
  });

  test('is found though the maximum is beyond all bounds', async () => {
    const header = await corpusHeader('qwen3-0.6b-q8');
    const up = (maxContextLengthTokens: number) =>
      longestContext(header, ONE_SEQUENCE, CPU, ram(2000 * MIB), { maxContextLengthTokens })
        ?.contextLengthTokens;
    expect(up(1e15)).toBe(up(2 ** 20));
    for (const none of [0, -5, Number.NaN]) expect(() => up(none)).toThrow(RangeError);
  });

  test('is null where nothing fits', async () => {
    const header = await corpusHeader('llama-3.1-8b-q4km');
    expect(longestContext(header, ONE_SEQUENCE, CPU, ram(1000 * MIB))).toBeNull();
  });
});

describe('the most layers', () => {
  const budget = (mib: number): MemoryBudget => ({
    ramBytes: null,
    gpus: [{ deviceKey: 'gpu', bytes: mib * MIB }],
    unified: false,
    withMargin: true,
  });

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

  test('are none where nothing is known of the layers and not all of it fits', async () => {
    const header = await corpusHeader('llama-2-7b-q4_0');
    const unknown = { ...header, metadata: new Map<string, never>() };
    expect(mostGpuLayers(unknown, ONE_SEQUENCE, ONE_GPU, budget(1000))?.offloadRatio).toBe(0);
    expect(mostGpuLayers(unknown, ONE_SEQUENCE, ONE_GPU, budget(9000))?.offloadRatio).toBe(1);
  });

  test('the share that comes back asks for exactly these layers', async () => {
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

  test('is nothing where it fits', async () => {
    const header = await corpusHeader('llama-3.1-8b-q4km');
    expect(cheapestFit(header, config, CPU, ram(20_000 * MIB))?.changes).toEqual([]);
  });

  test('is an 8-bit cache before a shorter context', async () => {
    const header = await corpusHeader('llama-3.1-8b-q4km');
    const asked = estimateFootprint(header, config, CPU).interval?.highBytes ?? 0;
    const fit = cheapestFit(header, config, CPU, ram(asked - 1));
    expect(fit?.changes).toEqual([{ setting: 'kvCacheType', from: 'f16', to: 'q8_0' }]);
    expect(fit?.loadConfig.flashAttention).toBe(true);
  });

  test('shortens the context, but not below the minimum', async () => {
    const header = await corpusHeader('llama-3.1-8b-q4km');
    const floor = estimateFootprint(header, { ...config, contextLengthTokens: 4096 }, CPU);
    const fit = cheapestFit(header, config, CPU, ram(floor.interval?.highBytes ?? 0), {
      minContextLengthTokens: 4096,
    });
    expect(fit?.loadConfig.contextLengthTokens).toBeGreaterThanOrEqual(4096);
    expect(fit?.changes.map(({ setting }) => setting)).toEqual(['contextLengthTokens']);
    expect(
      cheapestFit(header, config, CPU, ram(5_000 * MIB), { minContextLengthTokens: 4096 }),
    ).toBeNull();
  });

  test('tells all that it changes, and makes nothing larger', async () => {
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
    expect(fit?.changes).toEqual([
      { setting: 'kvCacheType', from: 'q4_0 and f16', to: 'q4_0 and q8_0' },
      { setting: 'flashAttention', from: 'off', to: 'on' },
    ]);
  });

  test('is no cache type that llama.cpp refuses', async () => {
    const { metadata, ...rest } = await corpusHeader('llama-3.1-8b-q4km');
    const header = { ...rest, metadata: new Map(metadata) };
    header.metadata.set('llama.attention.key_length', 80);
    header.metadata.set('llama.attention.value_length', 80);
    const asked = estimateFootprint(header, config, CPU).interval?.highBytes ?? 0;
    const fit = cheapestFit(header, config, CPU, ram(asked - 1));
    expect(fit?.changes.map(({ setting }) => setting)).toEqual(['contextLengthTokens']);
    const quantized = { ...config, kvCacheTypeK: 'q8_0' as const };
    expect(longestContext(header, quantized, CPU, ram(asked))).toBeNull();
  });

  test('whatever comes back fits', async () => {
    const header = await corpusHeader('qwen3-8b-q4km');
    for (let mib = 4000; mib < 14_000; mib += 500) {
      const budget: MemoryBudget = {
        ramBytes: 6_000 * MIB,
        gpus: [{ deviceKey: 'gpu', bytes: mib * MIB }],
        unified: false,
        withMargin: true,
      };
      const fit = cheapestFit(header, config, ONE_GPU, budget);
      if (fit === null) continue;
      expect(fitsBudget(estimateFootprint(header, fit.loadConfig, ONE_GPU), budget)).toBe(true);
    }
  });
});

describe('a budget', () => {
  test('holds nothing that is no number', () => {
    const footprint = {
      ram: { mappedBytes: 0, anonymousBytes: Number.NaN },
      gpus: [],
      interval: null,
    };
    expect(fitsBudget(footprint as never, ram(1000))).toBe(false);
  });

  test('counts GPU bytes as RAM where both are one pool', async () => {
    const header = await corpusHeader('llama-3.2-1b-q4km');
    const metal: EstimateEnvironment = { ...ONE_GPU, gpuBackend: 'metal' };
    const footprint = estimateFootprint(header, ONE_SEQUENCE, metal);
    const budget = (unified: boolean, ramBytes: number): MemoryBudget => ({
      ramBytes,
      gpus: [],
      unified,
      withMargin: false,
    });
    expect(fitsBudget(footprint, budget(true, footprint.totalBytes))).toBe(true);
    expect(fitsBudget(footprint, budget(true, footprint.totalBytes - 1))).toBe(false);
    expect(fitsBudget(footprint, budget(false, footprint.totalBytes - 1))).toBe(true);
  });
});
