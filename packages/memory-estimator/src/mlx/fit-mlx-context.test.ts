import { LLAMA_8B } from '../../test/mlx-models.js';
import { cacheShapeOf, type MlxCacheShape } from './cache-shape.js';
import { contextAtStep, fitMlxContext, mlxAutoFitOf } from './fit-mlx-context.js';
import type { MlxModel } from './read-mlx-model.js';

const GIB = 1024 ** 3;
const KIB = 1024;

const SHAPE: MlxCacheShape = {
  numberBytes: 2,
  kvBytesPerToken: 0,
  windowBytesPerToken: 0,
  windowTokens: 0,
  stateBytes: 0,
  inputBytesPerToken: 0,
  scoreBytes: 0,
  isKnown: true,
};

/** The profiles that mlx-engine measured on a working set of 27 GiB, with a step of 2048. */
const MEASURED = [
  ['qwen-3.6-35b-a3b', [20_480, 4096, 16, 64_389_120, 0, 0], 20_402_597_098, 58_880],
  ['qwen-3.6-27b', [65_536, 10_240, 24, 153_944_064, 0, 0], 16_055_717_354, 55_040],
  ['gemma-4-26b-a4b', [20_480, 5632, 16, 0, 204_800, 1024], 15_611_655_610, 104_192],
  ['gemma-4-12b-4bit', [16_384, 7680, 16, 0, 327_680, 1024], 10_990_079_092, 153_856],
  ['gemma-4-12b-8bit', [16_384, 7680, 16, 0, 327_680, 1024], 12_718_509_172, 134_656],
] as const;

test.each(MEASURED)(
  '%s: the context at one step equals that of mlx-engine',
  (_, [kv, input, heads, stateBytes, windowBytesPerToken, windowTokens], loaded, expected) => {
    const cache = {
      ...SHAPE,
      kvBytesPerToken: kv,
      inputBytesPerToken: input,
      scoreBytes: 2 * heads,
      stateBytes,
      windowBytesPerToken,
      windowTokens,
    };
    const free = 27 * GIB - 3 * GIB - loaded - stateBytes;
    expect(contextAtStep(cache, free, 2048)).toBe(expected);
  },
);

const QWEN: MlxModel = {
  folder: '/models/qwen',
  architecture: 'qwen3_5_moe_text',
  layers: 40,
  maxContextTokens: 262_144,
  weightsBytes: 20_402_597_098,
  complete: true,
  cache: {
    ...SHAPE,
    kvBytesPerToken: 20_480,
    inputBytesPerToken: 4096,
    scoreBytes: 32,
    stateBytes: 64_389_120,
  },
  shape: null,
};

describe('the auto-fit with one step of 2048', () => {
  // Contexts that mlx-engine 1.10.1 and 1.11.0 logged. The logs print GiB with two digits, so the baselines are those of the
  // model's files where the digits leave more than one context.
  const QWEN_27B: MlxModel = {
    ...QWEN,
    cache: {
      ...SHAPE,
      kvBytesPerToken: 65_536,
      inputBytesPerToken: 10_240,
      scoreBytes: 48,
      stateBytes: 153_944_064,
    },
    weightsBytes: 14.945 * GIB,
  };

  test.each([
    // lmstudio-bug-tracker #2191: working set 36.00 GiB, baseline 20.15 GiB.
    ['#2191', { ...QWEN, weightsBytes: 20.146 * GIB }, 36 * GIB, 152_576],
    // #2250: working set 51.84 GiB, baseline 14.95 GiB.
    ['#2250', QWEN_27B, 51.84 * GIB, 208_384],
  ])('gives the context of lmstudio-bug-tracker %s', (_, model, workingSetBytes, expected) => {
    expect(fitMlxContext(model, { workingSetBytes }, 'one-step')).toBe(expected);
  });

  test('keeps 5 % of a working set above 60 GiB free', () => {
    // 192 GiB less 5 % are 182.4 GiB. PLAIN takes 2 KiB for each token.
    const room = 182.4 * GIB - 8192 * 2 * KIB;
    const fit = (weightsBytes: number) =>
      fitMlxContext({ ...PLAIN, weightsBytes }, { workingSetBytes: 192 * GIB }, 'one-step');
    expect(fit(room)).toBe(8192);
    expect(fit(room - 1024 * KIB)).toBe(8704);
  });
});

test.each([
  ['1.8.5', 'none'],
  ['1.10.0', 'none'],
  ['1.10.1', 'one-step'],
  ['1.11.0', 'one-step'],
  ['1.11.1', 'smaller-steps'],
  ['2.0.0', 'smaller-steps'],
  ['dev', 'smaller-steps'],
  [null, 'smaller-steps'],
])('mlx-engine %s has the auto-fit %s', (version, expected) => {
  expect(mlxAutoFitOf(version)).toBe(expected);
});

test('a version without auto-fit keeps the context', () => {
  expect(fitMlxContext(QWEN, { workingSetBytes: 27 * GIB }, 'none')).toBeNull();
});

test('the smallest step is used only in the last 15 % of the context', () => {
  // Free: 24 GiB - 20,402,597,098 - 64,389,120 = 5,302,817,558. At 512: 5,302,817,558 / (20,480 + 4096 + 32 * 512)
  // = 129,463, rounded up to 129,536. At 1024 over 85 %: 5,302,817,558 / (4096 + 0.85 * (20,480 + 32 * 1024)) =
  // 107,438, rounded down to 107,264.
  expect(fitMlxContext(QWEN, { workingSetBytes: 27 * GIB })).toBe(107_264);
});

/** A model without attention scores, so only a step of 512 limits the context. KV and input take 1 KiB each. */
const PLAIN: MlxModel = {
  ...QWEN,
  weightsBytes: GIB,
  cache: { ...SHAPE, kvBytesPerToken: 1 * KIB, inputBytesPerToken: 1 * KIB },
};
/** The working set that leaves room for this many tokens. */
const roomFor = (tokens: number) => ({ workingSetBytes: 4 * GIB + tokens * 2 * KIB });

test.each([
  // 8192 tokens are a whole number of blocks. One byte less or more changes the number of blocks.
  ['one byte less than 8192 tokens', { workingSetBytes: roomFor(8192).workingSetBytes - 1 }, 8192],
  ['8192 tokens', roomFor(8192), 8192],
  ['one byte more than 8192 tokens', { workingSetBytes: roomFor(8192).workingSetBytes + 1 }, 8192],
  ['8193 tokens', roomFor(8193), 8448],
  ['4096 tokens', roomFor(4096), 4096],
  ['4095 tokens', roomFor(4095), 4096],
  ['no tokens', roomFor(0), 4096],
  ['less than the weights', { workingSetBytes: 1 }, 4096],
  ['262,143 tokens', roomFor(262_143), 262_144],
  ["262,144 tokens, the model's maximum", roomFor(262_144), 262_144],
  ['300,000 tokens', roomFor(300_000), 262_144],
])('room for %s', (_, limit, expected) => {
  expect(fitMlxContext(PLAIN, limit)).toBe(expected);
});

test("the model's own context may be shorter than the minimum", () => {
  expect(fitMlxContext({ ...PLAIN, maxContextTokens: 2048 }, roomFor(9000))).toBe(2048);
});

test('3 GiB stay free on a machine of any size', () => {
  // A reserve of 5 % would be 9.6 GiB here.
  const weightsBytes = 189 * GIB - 8192 * 2 * KIB;
  expect(fitMlxContext({ ...PLAIN, weightsBytes }, { workingSetBytes: 192 * GIB })).toBe(8192);
});

describe('mlx-engine does not change the context', () => {
  const llama: MlxModel = {
    ...PLAIN,
    architecture: 'llama',
    cache: cacheShapeOf(LLAMA_8B.config, 'llama'),
    weightsBytes: LLAMA_8B.weightsBytes,
    maxContextTokens: 131_072,
  };

  test('for a family that its formula was not checked with, where the context would be 4096 or less', () => {
    // At 1024 over 85 %, 4352 tokens take 4352 * (8192 + 0.85 * (131,072 + 64 * 1024)) = 762,943,898.
    const workingSetBytes = 3 * GIB + llama.weightsBytes + 762_943_898;
    expect(fitMlxContext(llama, { workingSetBytes })).toBe(4352);
    expect(fitMlxContext(llama, { workingSetBytes: workingSetBytes - 1 })).toBeNull();
  });

  test('except for gpt-oss with heads of 64, which was checked', () => {
    const gptOss = { ...PLAIN, architecture: 'gpt_oss' };
    expect(fitMlxContext(gptOss, roomFor(100))).toBe(4096);
  });

  test.each<[string, Partial<MlxModel>]>([
    ['the caches are not known', { cache: null }],
    ['the longest context is not known', { maxContextTokens: null }],
    ['no layer keeps every token', { cache: { ...SHAPE, stateBytes: 1000 } }],
  ])('where %s', (_, changes) => {
    expect(fitMlxContext({ ...PLAIN, ...changes }, roomFor(9000))).toBeNull();
  });
});
