import { DEFAULT_LOAD_CONFIG, type LoadConfig } from '@mai/memory-ledger';
import { emptyFile, headerOf, type MetadataValue } from '../../test/language-model.js';
import { CPU_ENVIRONMENT } from '../load/environment.js';
import { estimateFootprint } from '../estimate/estimate-footprint.js';
import { resolveEngineProfile } from '../profile/resolve-profile.js';

const CONTEXT = 65_536;
const F16 = 2;

/** The engine of a load, and its settings. */
interface Loaded {
  readonly engine?: 'lmstudio' | 'llama.cpp' | 'embedded';
  readonly version?: string | null;
  readonly load?: Partial<LoadConfig>;
}

/** The parts in RAM of a load with one sequence, for a header with this metadata. */
async function partsOf(
  architecture: string,
  metadata: Readonly<Record<string, MetadataValue>>,
  { engine = 'llama.cpp', version = null, load = {} }: Loaded = {},
) {
  const file = emptyFile(architecture);
  for (const [key, value] of Object.entries(metadata))
    file.metadata.set(`${architecture}.${key}`, value);
  const profile = resolveEngineProfile({ engine, runtimeVersion: version, backend: null });
  const loadConfig: LoadConfig = {
    ...DEFAULT_LOAD_CONFIG,
    contextLengthTokens: CONTEXT,
    parallelSequences: 1,
    flashAttention: true,
    ...load,
  };
  const estimate = estimateFootprint(await headerOf(file), loadConfig, {
    ...CPU_ENVIRONMENT,
    profile,
  });
  return { ...estimate.parts.ram, interval: estimate.partIntervals.kvCacheBytes, estimate };
}

/** Expects exactly one figure, or an interval that covers both. */
function expectCovers(
  { lowBytes, highBytes }: { readonly lowBytes: number; readonly highBytes: number },
  least: number,
  most: number,
) {
  if (least === most) {
    expect([lowBytes, highBytes]).toEqual([least, most]);
    return;
  }
  expect(lowBytes).toBeLessThanOrEqual(least);
  expect(highBytes).toBeGreaterThanOrEqual(most);
}

/** Latent attention of DeepSeek and GLM: 512 values and 64 positions for each token. */
const LATENT = {
  embedding_length: 6144,
  'attention.head_count': 64,
  'attention.head_count_kv': 1,
  'attention.key_length': 576,
  'attention.value_length': 512,
  'attention.key_length_mla': 256,
  'attention.value_length_mla': 256,
};
const INDEXER = {
  'attention.indexer.head_count': 32,
  'attention.indexer.key_length': 128,
  'attention.indexer.top_k': 2048,
};

// Sizes of config.json of zai-org/GLM-5, zai-org/GLM-5.2 and deepseek-ai/DeepSeek-V3.2. The rule that an indexer keeps one key for
// each token was compared with the log of llama.cpp b10257 (llama.node 1.7.15) for small models of the same architectures.
test.each([
  ['GLM-5', 'glm-dsa', 79, 1, 202_752, 78, 78],
  ['GLM-5.2, whose indexer is in 21 layers', 'glm-dsa', 79, 1, 1_048_576, 78, 21],
  ['DeepSeek V3.2', 'deepseek32', 61, 0, 163_840, 61, 61],
])(
  'the keys of the indexer of sparse attention are counted: %s',
  async (_name, architecture, blocks, nextToken, trained, layers, indexed) => {
    const { kvCacheBytes } = await partsOf(architecture, {
      ...LATENT,
      ...INDEXER,
      block_count: blocks,
      nextn_predict_layers: nextToken,
      context_length: trained,
    });
    expect(kvCacheBytes).toBe(CONTEXT * F16 * (576 * layers + 128 * indexed));
  },
);

// llama.cpp #26382: the cache of GLM-5.2's indexer went from 663 to 178.5 MiB, when only the layers that have an indexer kept keys.
test('the cache of the indexer of GLM-5.2 takes what a report says', async () => {
  const metadata = {
    ...LATENT,
    ...INDEXER,
    block_count: 79,
    nextn_predict_layers: 1,
    context_length: 1_048_576,
  };
  const load = { kvCacheTypeK: 'q8_0', kvCacheTypeV: 'q8_0' } as const;
  const { kvCacheBytes } = await partsOf('glm-dsa', metadata, { load });
  const rowsBytes = (CONTEXT * 34) / 32;
  expect(kvCacheBytes - 78 * 576 * rowsBytes).toBe(178.5 * 2 ** 20);
});

test('the indexer of MiniMax M3 has a cache in the layers after the dense ones, with a head of values', async () => {
  // The log of llama.cpp b10257 for these sizes: 24 MiB in 3 layers, and 20 MiB in 2 layers for the indexer.
  const { kvCacheBytes, computeBytes } = await partsOf('minimax-m3', {
    embedding_length: 64,
    'attention.head_count': 4,
    'attention.head_count_kv': 2,
    'attention.key_length': 16,
    'attention.value_length': 16,
    'attention.indexer.head_count': 2,
    'attention.indexer.key_length': 64,
    block_count: 3,
    leading_dense_block_count: 1,
    context_length: 512,
  });
  expect(kvCacheBytes).toBe(44 * 2 ** 20);
  // The log: 705.4 MiB, of which the scores of the indexer are 640 MiB.
  expect(computeBytes / 2 ** 20).toBeCloseTo(705.4, -1);
});

test('the layers of DeepSeek V4 keep a window, and compressed tokens by their ratio', async () => {
  // The log of llama.cpp b10257 for these sizes: 0.38 + 4.00 + 0.06 + 4.00 MiB, states of 0.02 + 0.06 + 0.02 MiB.
  const metadata = {
    embedding_length: 64,
    'attention.head_count': 4,
    'attention.head_count_kv': 1,
    'attention.key_length': 64,
    'attention.value_length': 64,
    'attention.indexer.head_count': 2,
    'attention.indexer.key_length': 64,
    'attention.sliding_window': 128,
    'attention.compress_ratios': { type: 'i32s', value: [0, 4, 128, 4] },
    block_count: 4,
    context_length: 512,
  } as const;
  const window = 4 * 768;
  const compressed = 2 * 16_384 + 512;
  const indexed = 2 * 16_384;
  const one = await partsOf('deepseek4', metadata);
  expect(one.kvCacheBytes).toBe(64 * F16 * (window + compressed + indexed));
  expect(one.recurrentStateBytes).toBe(4 * 2 * (2 * (8 * 128) + 128 * 64 + 2 * (8 * 128)));
  // Each sequence has caches of its own, although llama.cpp was asked for one cache for all.
  const four = await partsOf('deepseek4', metadata, { load: { parallelSequences: 4 } });
  expect(four.kvCacheBytes).toBe(4 * one.kvCacheBytes);
  expect(four.recurrentStateBytes).toBe(4 * one.recurrentStateBytes);
});

test('a model that runs its layers twice for each token has two caches in each layer', async () => {
  // The log of llama.cpp b10257 for these sizes: 32 MiB in 4 layers.
  const { kvCacheBytes } = await partsOf('nanbeige', {
    embedding_length: 64,
    'attention.head_count': 4,
    'attention.head_count_kv': 2,
    block_count: 2,
    num_loops: 2,
    context_length: 512,
  });
  expect(kvCacheBytes).toBe(32 * 2 ** 20);
});

// Sizes of config.json of zai-org/GLM-4.5-Air: 46 layers and one for multi-token prediction.
const GLM_4_5_AIR = {
  embedding_length: 4096,
  'attention.head_count': 96,
  'attention.head_count_kv': 8,
  'attention.key_length': 128,
  'attention.value_length': 128,
  block_count: 47,
  nextn_predict_layers: 1,
  context_length: 131_072,
};
const LAYER_OF_AIR = CONTEXT * F16 * 2 * 8 * 128;

test.each([
  ['llama.cpp v0.5.0 keeps no cache for it', 'llama.cpp', null, 46, 46],
  ['llama.cpp b10257 keeps one', 'llama.cpp', 'b10257', 47, 47],
  ['the embedded engine (b10257) keeps one', 'embedded', null, 47, 47],
  ['LM Studio of 2025 keeps none', 'lmstudio', '1.50.0', 46, 46],
  ['LM Studio of summer 2026 may keep one', 'lmstudio', '2.28.2', 46, 47],
] as const)(
  'a layer for multi-token prediction has a cache where the engine gives it one: %s',
  async (_name, engine, version, least, most) => {
    const { interval } = await partsOf('glm4moe', GLM_4_5_AIR, { engine, version });
    expectCovers(interval, least * LAYER_OF_AIR, most * LAYER_OF_AIR);
  },
);

test('the layers for multi-token prediction of Qwen3.5 never have a cache beside the model', async () => {
  const { kvCacheBytes } = await partsOf(
    'qwen35',
    {
      embedding_length: 64,
      'attention.head_count': 4,
      'attention.head_count_kv': 2,
      'ssm.conv_kernel': 4,
      'ssm.inner_size': 64,
      'ssm.state_size': 16,
      'ssm.time_step_rank': 4,
      'ssm.group_count': 2,
      full_attention_interval: 2,
      block_count: 5,
      nextn_predict_layers: 1,
      context_length: 512,
    },
    { engine: 'embedded' },
  );
  // The log of llama.cpp b10257 for these sizes: 16 MiB in 2 layers.
  expect(kvCacheBytes).toBe(16 * 2 ** 20);
});

// Sizes of config.json of zai-org/GLM-4.7-Flash: 47 layers. llama.cpp pull request 19067 removed the values from the cache.
test.each([
  ['1.50.0', 576 + 512, 576 + 512],
  ['2.3.0', 576, 576 + 512],
  ['2.28.2', 576, 576],
])(
  'LM Studio with runtime %s keeps values of latent attention or reads them from the keys',
  async (version, least, most) => {
    const { interval } = await partsOf(
      'deepseek2',
      { ...LATENT, block_count: 47, context_length: 202_752 },
      { engine: 'lmstudio', version },
    );
    const perValue = 47 * CONTEXT * F16;
    expectCovers(interval, perValue * least, perValue * most);
  },
);
