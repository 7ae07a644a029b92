import { chargeLoad, DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { GEMMA_1B, LLAMA_8B, QWEN_NEXT, type PublishedModel } from '../../test/mlx-models.js';
import { withKnownSettings } from '../profile/resolve-profile.js';
import { NO_SETTINGS } from '../settings/estimate-settings.js';
import { cacheShapeOf } from './cache-shape.js';
import { estimateMlx, mlxEnvironmentOf, MLX_ENVIRONMENT } from './estimate-mlx.js';
import { mlxReport } from './mlx-report.js';
import { resolveEngineProfile } from '../profile/resolve-profile.js';
import type { MlxModel } from './read-mlx-model.js';

const GIB = 1024 ** 3;

function modelOf({ config, weightsBytes }: PublishedModel): MlxModel {
  const architecture = String(config['model_type']);
  return {
    folder: '/models/published',
    architecture,
    layers: Number(config['num_hidden_layers']),
    maxContextTokens: Number(config['max_position_embeddings']),
    weightsBytes,
    complete: true,
    cache: cacheShapeOf(config, architecture),
    shape: null,
  };
}

interface Worked {
  readonly published: PublishedModel;
  readonly contextLengthTokens: number;
  readonly parallelSequences: number;
  readonly totalBytes: number;
  readonly peakBytes: number;
  readonly growth: Readonly<Record<string, number>>;
}

// Each figure is worked out by hand from the formula in mlx-engine's context_fit.py, at a prefill step of 2048. The
// peak adds one sequence to the total.
const WORKED: readonly Worked[] = [
  {
    // Dense: KV 2 * 8 * 128 * 2 bytes * 32 layers = 131,072 per token; input 4096 * 2 = 8192; scores 32 * 2 = 64.
    published: LLAMA_8B,
    contextLengthTokens: 8192,
    parallelSequences: 4,
    totalBytes: 4_517_404_672,
    // 4,517,404,672 + 1,073,741,824 + 67,108,864 + 1,073,741,824
    peakBytes: 6_731_997_184,
    growth: {
      'kv-cache': 4 * 1_073_741_824, // 131,072 * 8192
      'prompt-inputs': 4 * 67_108_864, // 8192 * 8192
      'attention-scores': 1_073_741_824, // 64 * 2048 * 8192
      'engine-reserve': 3 * GIB,
    },
  },
  {
    // Windowed: 1 * 256 * 2 * 2 bytes = 1024 per layer and token. 4 layers keep all tokens, 22 layers a window of 512:
    // 4096 * 32,768 + 22,528 * (512 - 1 + 2048) = 134,217,728 + 57,649,152.
    published: GEMMA_1B,
    contextLengthTokens: 32_768,
    parallelSequences: 2,
    totalBytes: 732_498_176,
    // 732,498,176 + 191,866,880 + 75,497,472 + 536,870,912
    peakBytes: 1_536_733_440,
    growth: {
      'kv-cache': 2 * 191_866_880,
      'prompt-inputs': 2 * 75_497_472, // 1152 * 2 * 32,768
      'attention-scores': 536_870_912, // 4 * 2 * 2048 * 32,768
      'engine-reserve': 3 * GIB,
    },
  },
  {
    // State-space: 12 of 48 layers have KV, 2 * 256 * 2 * 2 bytes each = 24,576 per token. The other layers keep 3
    // * (2 * 16 * 128 + 32 * 128) * 2 bytes of the convolution and 32 * 128 * 128 * 4 bytes of state: 36 * (49,152
    // + 2,097,152) = 77,266,944.
    published: QWEN_NEXT,
    contextLengthTokens: 65_536,
    parallelSequences: 1,
    totalBytes: 44_921_327_104,
    // 44,921,327,104 + 1,610,612,736 + 268,435,456 + 4,294,967,296
    peakBytes: 51_095_342_592,
    growth: {
      'kv-cache': 1_610_612_736, // 24,576 * 65,536
      'prompt-inputs': 268_435_456, // 2048 * 2 * 65,536
      'attention-scores': 4_294_967_296, // 16 * 2 * 2048 * 65,536
      'prompt-cache': 16_878_796_800, // 10 * (1,610,612,736 + 77,266,944)
      'engine-reserve': 3 * GIB,
    },
  },
];

test.each(WORKED)(
  '$published.name at $contextLengthTokens tokens equals the figures worked out by hand',
  ({ published, totalBytes, peakBytes, growth, ...settings }) => {
    const estimate = estimateMlx(modelOf(published), { ...DEFAULT_LOAD_CONFIG, ...settings });
    expect(estimate).toMatchObject({
      totalBytes,
      ram: { mappedBytes: 0, anonymousBytes: totalBytes },
      gpus: [],
      peakBytes,
      interval: {
        lowBytes: published.weightsBytes,
        highBytes: Math.max(totalBytes + GIB, peakBytes),
      },
      source: 'safetensors-header',
      confidence: 'medium',
      exactParts: ['weights'],
      notes: ['No real load of an MLX model was compared with this estimate.'],
    });
    const parts = estimate.growth.parts.map(({ kind, mostBytes }) => [kind, mostBytes]);
    expect(Object.fromEntries(parts)).toEqual(growth);
    expect(estimate.growth.mostBytes).toBe(Object.values(growth).reduce((a, b) => a + b, 0));
  },
);

test('a load under the policy `charge` counts the first sequence once', () => {
  const loadConfig = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 8192, parallelSequences: 4 };
  const estimate = estimateMlx(modelOf(LLAMA_8B), loadConfig);
  const ram = { unified: false, gpus: [] };
  // 4,517,404,672 of weights, 1 GiB for the engine, and the growth once: 4 * 1,073,741,824 of KV cache,
  // 4 * 67,108,864 of prompts, 1,073,741,824 of scores and 3 GiB of reserve.
  expect(chargeLoad(estimate, ram, 'charge').get('ram')).toBe(14_449_516_544);
  // Without growth, the upper end: the weights and one sequence that fills its context.
  expect(chargeLoad(estimate, ram, 'ignore').get('ram')).toBe(6_731_997_184);
  // The upper end, and a quarter of the other growth: 0.25 * (8,858,370,048 - 1,140,850,688).
  expect(chargeLoad(estimate, ram, 'reserve-share').get('ram')).toBe(8_661_377_024);
});

test.each([
  { contextLengthTokens: 0 },
  { contextLengthTokens: 1.5 },
  { parallelSequences: 0 },
  { parallelSequences: 257 },
])('%j throws a RangeError', (figures) => {
  const loadConfig = { ...DEFAULT_LOAD_CONFIG, ...figures };
  expect(() => estimateMlx(modelOf(LLAMA_8B), loadConfig)).toThrow(RangeError);
});

test.each([
  { workingSetBytes: Number.NaN },
  { workingSetBytes: -1 },
  { kvQuantization: { bits: 8 as const, groupSize: 64 as const, fromTokens: Number.NaN } },
  { kvQuantization: { bits: 0 as 8, groupSize: 64 as const, fromTokens: 0 } },
  { kvQuantization: { bits: 8 as const, groupSize: 0 as 64, fromTokens: 0 } },
])('the environment %j throws a RangeError', (change) => {
  const environment = { ...MLX_ENVIRONMENT, ...change };
  expect(() => estimateMlx(modelOf(LLAMA_8B), DEFAULT_LOAD_CONFIG, environment)).toThrow(
    RangeError,
  );
});

test('each further sequence adds its own state to the growth', () => {
  const at = (parallelSequences: number) =>
    estimateMlx(modelOf(QWEN_NEXT), { ...DEFAULT_LOAD_CONFIG, parallelSequences });
  expect(at(1).growth.parts.map(({ kind }) => kind)).not.toContain('sequence-state');
  expect(at(3).growth.parts).toContainEqual(
    expect.objectContaining({ kind: 'sequence-state', mostBytes: 2 * 77_266_944 }),
  );
  expect(at(3).totalBytes).toBe(at(1).totalBytes);
});

test("the defaults are 4 sequences and a context that is at most the model's", () => {
  const short = { ...modelOf(LLAMA_8B), maxContextTokens: 1024 };
  expect(estimateMlx(short, DEFAULT_LOAD_CONFIG)).toMatchObject({
    contextLengthTokens: 1024,
    parallelSequences: 4,
  });
});

test("a default of `maximum` is the model's maximum, or 4096 tokens if the model states no maximum", () => {
  const profile = withKnownSettings(
    MLX_ENVIRONMENT.profile,
    { contextLengthTokens: 'maximum' },
    'a test',
  );
  const contextOf = (maxContextTokens: number | null) =>
    estimateMlx({ ...modelOf(LLAMA_8B), maxContextTokens }, DEFAULT_LOAD_CONFIG, {
      ...MLX_ENVIRONMENT,
      profile,
    }).contextLengthTokens;
  expect(contextOf(131_072)).toBe(131_072);
  expect(contextOf(null)).toBe(4096);
});

test.each([
  // 131,072 * 32,768 * (8 / 8 + 4 / 64) / 2
  ['of 8 bits', { bits: 8, groupSize: 64, fromTokens: 5000 }, 32_768, 2_281_701_376],
  // 131,072 * 8192 * 0.53125 = 570,425,344 is less than the unquantized cache at token 5000: 131,072 * 5000
  [
    'of 8 bits, which is largest just before it is quantized',
    { bits: 8, groupSize: 64, fromTokens: 5000 },
    8192,
    655_360_000,
  ],
  // 131,072 * 4999
  ['that is not quantized yet', { bits: 8, groupSize: 64, fromTokens: 5000 }, 4999, 655_228_928],
  // 131,072 * 8192 * (4 / 8 + 4 / 32) / 2
  ['of 4 bits in groups of 32', { bits: 4, groupSize: 32, fromTokens: 0 }, 8192, 335_544_320],
] as const)('a KV cache %s', (_, kvQuantization, contextLengthTokens, bytes) => {
  const loadConfig = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens, parallelSequences: 2 };
  const environment = { ...MLX_ENVIRONMENT, kvQuantization };
  const { growth } = estimateMlx(modelOf(LLAMA_8B), loadConfig, environment);
  expect(growth.parts).toContainEqual(
    expect.objectContaining({ kind: 'kv-cache', mostBytes: 2 * bytes }),
  );
});

describe('on a machine with unified memory', () => {
  const mac = (totalBytes: number | null) => ({
    unified: true,
    gpus: [
      {
        deviceKey: 'apple',
        name: 'Apple M3',
        vendor: 'apple' as const,
        memory: 'shared' as const,
        totalBytes,
        availableBytes: null,
      },
    ],
  });
  const loadConfig = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 8192 };

  test('everything is on the GPU, and nothing is mapped', () => {
    const estimate = estimateMlx(modelOf(LLAMA_8B), loadConfig, mlxEnvironmentOf(mac(12 * GIB)));
    expect(estimate).toMatchObject({
      ram: { mappedBytes: 0, anonymousBytes: 0 },
      gpus: [{ deviceKey: 'apple', bytes: 4_517_404_672 }],
    });
  });

  test.each([
    // At a step of 2048: the peak of 6,731,997,184 bytes in WORKED, and 3 GiB.
    [9_953_222_656, 1_073_741_824, true],
    // One byte less: a step of 1024, so half of the scores.
    [9_953_222_655, 536_870_912, true],
    // A step of 512, so a quarter of the scores: 9,953,222,656 - 1,073,741,824 + 268,435,456.
    [9_147_916_288, 268_435_456, true],
    [9_147_916_287, 268_435_456, false],
  ])(
    'with a wired limit of %i, the scores take %i, and staying below it is %s',
    (limit, scores, below) => {
      const environment = mlxEnvironmentOf(mac(limit));
      const estimate = estimateMlx(modelOf(LLAMA_8B), loadConfig, environment);
      expect(estimate.growth.parts).toContainEqual(
        expect.objectContaining({ kind: 'attention-scores', mostBytes: scores }),
      );
      expect(estimate.staysBelowWiredLimit).toBe(below);
    },
  );

  test('an unknown wired limit gives no comparison and no fitted context', () => {
    const environment = mlxEnvironmentOf(mac(null));
    expect(estimateMlx(modelOf(LLAMA_8B), loadConfig, environment)).toMatchObject({
      staysBelowWiredLimit: null,
      fittedContextTokens: null,
    });
  });
});

describe('the confidence is low, with the reason in a note, if', () => {
  test.each<[string, Partial<MlxModel>, RegExp]>([
    ['files are missing', { complete: false }, /missing or unfinished/],
    [
      'the config does not state the cache',
      { cache: null },
      /the growth counts the largest usual caches/,
    ],
    [
      'the architecture was not looked up',
      { cache: cacheShapeOf(LLAMA_8B.config, 'falcon_h1'), architecture: 'falcon_h1' },
      /caches of falcon_h1 .* is a guess/,
    ],
  ])('%s', (_, changes, note) => {
    const estimate = estimateMlx({ ...modelOf(LLAMA_8B), ...changes }, DEFAULT_LOAD_CONFIG);
    expect(estimate.confidence).toBe('low');
    expect(estimate.notes.join(' ')).toMatch(note);
  });
});

test('the report has the parts on one device, and a total that is their sum', () => {
  for (const gpuBackend of [null, 'metal'] as const) {
    const settings = { ...NO_SETTINGS, gpuBackend, contextLengthTokens: 8192 };
    const report = mlxReport(modelOf(QWEN_NEXT), settings);
    const devices = [report.ram, ...report.gpus];
    expect(devices.length).toBe(gpuBackend === null ? 1 : 2);
    for (const { weightsBytes, recurrentStateBytes, totalBytes } of devices)
      expect(weightsBytes + recurrentStateBytes).toBe(totalBytes);
    expect(devices.reduce((sum, device) => sum + device.totalBytes, 0)).toBe(report.totalBytes);
    expect(report.loadConfig).toMatchObject({ contextLengthTokens: 8192, parallelSequences: 4 });
    expect(report.ram.mappedBytes).toBe(0);
  }
});

test('the report names the engine, the settings that came from its profile, and the range of each part', () => {
  const profile = resolveEngineProfile({
    engine: 'lmstudio',
    runtimeVersion: '2.28.2',
    backend: null,
  });
  const environment = { ...mlxEnvironmentOf({ unified: false, gpus: [] }, profile) };
  const report = mlxReport(modelOf(LLAMA_8B), NO_SETTINGS, environment);
  expect(report.profile).toMatchObject({
    engine: 'lmstudio',
    runtimeVersion: '2.28.2',
    settings: [
      { setting: 'contextLengthTokens', value: 8192, isKnown: true },
      { setting: 'parallelSequences', value: 4, source: expect.stringContaining('mlx-engine') },
    ],
  });
  // 32 layers, 8 heads of 128 numbers of 2 bytes, keys and values.
  expect(report.partIntervals.kvCacheBytes).toEqual({
    lowBytes: 0,
    highBytes: 8192 * 32 * 8 * 128 * 2 * 2,
  });
  const { lowBytes, highBytes } = report.partIntervals.weightsBytes;
  expect([lowBytes, highBytes]).toEqual([report.ram.weightsBytes, report.ram.weightsBytes]);
  const given = { ...NO_SETTINGS, contextLengthTokens: 1024, parallelSequences: 1 };
  expect(mlxReport(modelOf(LLAMA_8B), given, environment).profile.settings).toEqual([]);
});
