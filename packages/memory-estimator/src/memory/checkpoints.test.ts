import { gemma4, GEMMA4_12B, statedHeader } from '../../test/stated-models.js';
import { estimateReport } from '../estimate/estimate-report.js';
import { resolveEngineProfile } from '../profile/resolve-profile.js';
import { NO_SETTINGS, type EstimateSettings } from '../settings/estimate-settings.js';

const MIB = 1024 ** 2;
const Q8 = { kvCacheTypeK: 'q8_0', kvCacheTypeV: 'q8_0' } as const;

/** 50 of 60 layers have a window, and 16 heads of 256 keys and values. */
const GEMMA4_31B = gemma4(60, (isWindowed) => (isWindowed ? 16 : 4), {
  embedding_length: 5376,
  'attention.head_count': 32,
  'attention.sliding_window': 1024,
});
/** 25 of 30 layers have a window, and 8 heads. */
const GEMMA4_26B_A4B = gemma4(30, (isWindowed) => (isWindowed ? 8 : 2), {
  embedding_length: 2816,
  'attention.head_count': 16,
  'attention.sliding_window': 1024,
});
/** 12 of 24 layers have a window. */
const GPT_OSS_20B = {
  block_count: 24,
  embedding_length: 2880,
  'attention.head_count': 64,
  'attention.head_count_kv': 8,
  'attention.key_length': 64,
  'attention.value_length': 64,
  'attention.sliding_window': 128,
};

async function checkpointsOf(
  architecture: string,
  figures: typeof GEMMA4_31B,
  build: string,
  settings: Partial<EstimateSettings>,
) {
  const { growth } = estimateReport(
    await statedHeader(architecture, figures),
    { ...NO_SETTINGS, contextLengthTokens: 32_768, flashAttention: true, ...settings },
    null,
    { profile: resolveEngineProfile({ engine: 'llama.cpp', runtimeVersion: build }) },
  );
  const part = growth?.parts.find(({ kind }) => kind === 'context-checkpoints');
  return {
    ...part,
    eachMib: (part?.mostBytes ?? NaN) / 32 / (settings.parallelSequences ?? 4) / MIB,
  };
}

// llama-server prints the size of each checkpoint ('created context checkpoint'). The printed size includes up to 13 bytes for each
// cell that are not part of the cache: 0.054 MiB for 4608 cells.
describe('a context checkpoint of a windowed cache', () => {
  test.each([
    // kyuz0/amd-strix-halo-toolboxes #89: four sequences share 4 * 1024 + 512 cells, of which one has all.
    ['31B of four sequences', GEMMA4_31B, { parallelSequences: 4, kvUnified: true }, 3600.054],
    // ggml-org/llama.cpp #23398: one sequence has 1024 + 512 cells.
    ['31B of one sequence', GEMMA4_31B, { ...Q8, parallelSequences: 1 }, 637.519],
    // ggml-org/llama.cpp #21510: the cache still holds a whole prompt of 988 tokens.
    ['26B-A4B', GEMMA4_26B_A4B, { parallelSequences: 1, contextLengthTokens: 988 }, 192.981],
  ])(
    'has all cells of a sequence before llama.cpp #23981: Gemma 4 %s',
    async (_, model, settings, mib) => {
      const { eachMib, isKnown } = await checkpointsOf('gemma4', model, 'b9000', settings);
      expect(Math.abs(eachMib - mib)).toBeLessThan(0.06);
      // It is not known whether a build this old makes checkpoints.
      expect(isKnown).toBe(false);
    },
  );

  test.each([
    // llama-server b11430, although the cache still held 4608 cells (pos_min = 3873, pos_max = 8480): the decision record 'A
    // sliding-window entry caps its context checkpoints' of the program villa.
    ['31B of four sequences', GEMMA4_31B, { parallelSequences: 4, kvUnified: true }, 800.013],
    // A log of unsloth/gemma-4-12b-it-GGUF on a DGX Spark: ten sequences with separate caches of 1536 cells.
    ['12B of ten', GEMMA4_12B, { ...Q8, parallelSequences: 10, kvUnified: false }, 170.013],
  ])('has only the window since llama.cpp #23981: Gemma 4 %s', async (_, model, settings, mib) => {
    const checkpoints = await checkpointsOf('gemma4', model, 'b11430', settings);
    expect(Math.abs(checkpoints.eachMib - mib)).toBeLessThan(0.06);
    expect(checkpoints).toMatchObject({ isKnown: true, source: expect.stringContaining('23981') });
  });

  test('has the larger size in builds around llama.cpp #23981, and is not known', async () => {
    const settings = { parallelSequences: 4, kvUnified: true };
    const { eachMib, isKnown } = await checkpointsOf('gemma4', GEMMA4_31B, 'b9400', settings);
    expect([eachMib, isKnown]).toEqual([3600, false]);
  });

  test.each([
    // 12 layers, and keys and values of 8 heads of 64 as F16: 24 KiB for each token.
    ['b9000', (128 * 4 + 512) * 24],
    ['b11430', 128 * 24],
  ])('of gpt-oss-20b in %s takes %d KiB', async (build, kib) => {
    const settings = { parallelSequences: 4, kvUnified: true };
    const { eachMib } = await checkpointsOf('gpt-oss', GPT_OSS_20B, build, settings);
    expect(eachMib * 1024).toBe(kib);
  });
});
