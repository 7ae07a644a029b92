import { recordedHeader } from '../../test/lmstudio-loads.js';
import { gemma4, GEMMA4_12B, statedHeader, type StatedFigures } from '../../test/stated-models.js';
import { estimateReport } from '../estimate/estimate-report.js';
import { resolveEngineProfile, withKnownSettings } from '../profile/resolve-profile.js';
import { NO_SETTINGS, type EstimateSettings } from '../settings/estimate-settings.js';

// Sizes in public logs of llama.cpp. The figures of the models are those of their `config.json`.

const MIB = 1024 ** 2;

const GEMMA4_E4B = gemma4(42, 2, {
  embedding_length: 2560,
  'attention.head_count': 8,
  'attention.sliding_window': 512,
  'attention.shared_kv_layers': 18,
});
/** A Qwen model with three recurrent layers before each layer of attention. */
const qwenHybrid = (layers: number, width: number, kvHeads: number) => ({
  block_count: layers,
  embedding_length: width,
  'attention.head_count': 16,
  'attention.head_count_kv': kvHeads,
  'attention.key_length': 256,
  'attention.value_length': 256,
  'ssm.conv_kernel': 4,
  'ssm.state_size': 128,
  'ssm.group_count': 16,
  'ssm.time_step_rank': 32,
  'ssm.inner_size': 4096,
  full_attention_interval: 4,
});
const QWEN35_9B = qwenHybrid(32, 4096, 4);
const QWEN36_35B_MTP = { ...qwenHybrid(41, 2048, 2), nextn_predict_layers: 1, expert_count: 256 };

async function reportOf(
  architecture: string,
  figures: StatedFigures,
  settings: Partial<EstimateSettings>,
  draftTokens = 0,
) {
  const profile = resolveEngineProfile({
    engine: 'llama.cpp',
    runtimeVersion: 'b9849',
  });
  const { ram } = estimateReport(
    await statedHeader(architecture, figures),
    { ...NO_SETTINGS, parallelSequences: 1, flashAttention: true, ...settings },
    null,
    { profile: withKnownSettings(profile, { draftTokens }, 'the report') },
  );
  return [ram.kvCacheBytes / MIB, Number((ram.recurrentStateBytes / MIB).toFixed(2))];
}

// qualcomm/GenieX #1346: 64 MiB without a window, and 160 MiB with the full size or 60 MiB for 1,536 cells with it.
test.each([
  [{ swaFull: true }, 64 + 160],
  [{ ubatchTokens: 1024 }, 64 + 60],
])('Gemma 4 E4B with %p takes %d MiB', async (settings, mib) => {
  expect(await reportOf('gemma4', GEMMA4_E4B, { contextLengthTokens: 4096, ...settings })).toEqual([
    mib,
    0,
  ]);
});

test('Gemma 4 12B has 255 MiB of q8_0 in the 1,536 cells of 40 layers, beside 8 layers without a window', async () => {
  // ollama/ollama #16617. A layer without a window has one head of 512 numbers, of which 32 take 34 bytes.
  const full = (8 * 131_072 * 2 * 512 * 34) / 32 / MIB;
  const settings = {
    contextLengthTokens: 131_072,
    kvCacheTypeK: 'q8_0',
    kvCacheTypeV: 'q8_0',
  } as const;
  expect(await reportOf('gemma4', GEMMA4_12B, settings)).toEqual([255 + full, 0]);
});

test('Qwen3.5 9B has a state of 50.25 MiB for one sequence', async () => {
  // JamePeng/llama-cpp-python #78
  const [, state] = await reportOf('qwen35', QWEN35_9B, { contextLengthTokens: 8192 });
  expect(state).toBe(50.25);
});

test('Qwen3.6 35B-A3B that drafts 2 tokens has 1280 MiB for 65,536 tokens, and a state of 188.44 MiB', async () => {
  // ggml-org/llama.cpp #23269: 10 layers of attention, 1 sequence, n_rs_seq 2
  const settings = { contextLengthTokens: 65_536 };
  expect(await reportOf('qwen35moe', QWEN36_35B_MTP, settings, 2)).toEqual([1280, 188.44]);
});

test('Qwen3.6 35B-A3B that keeps 7 more states has 1745.16 MiB of q8_0 for 168,192 tokens, and a state of 502.50 MiB', async () => {
  // ggml-org/llama.cpp #26499
  const settings = {
    contextLengthTokens: 168_192,
    kvCacheTypeK: 'q8_0',
    kvCacheTypeV: 'q8_0',
  } as const;
  const [kv, state] = await reportOf('qwen35moe', QWEN36_35B_MTP, settings, 7);
  expect([kv?.toFixed(2), state]).toEqual(['1745.16', 502.5]);
});

test('Qwen3.6 27B that drafts 6 tokens has a state of 1047.38 MiB', async () => {
  // GenerelSchwerz/llama.cpp #37
  const model = {
    ...qwenHybrid(65, 5120, 4),
    'ssm.time_step_rank': 48,
    'ssm.inner_size': 6144,
    nextn_predict_layers: 1,
  };
  const [, state] = await reportOf('qwen35', model, { contextLengthTokens: 8192 }, 6);
  expect(state).toBe(1047.38);
});

test('Qwen3.5 0.8B has 1,610,612,736 bytes for 131,072 tokens', async () => {
  // unslothai/unsloth #5849
  const model = qwenHybrid(24, 1024, 2);
  const [kv] = await reportOf('qwen35', model, { contextLengthTokens: 131_072 });
  expect(kv).toBe(1_610_612_736 / MIB);
});

test('Falcon H1 1.5B has 768 MiB for 32,768 tokens, and a state of 72.98 MiB', async () => {
  // GeniePod/genie-claw #410: every layer has both.
  const model = {
    block_count: 24,
    embedding_length: 2048,
    'attention.head_count': 8,
    'attention.head_count_kv': 2,
    'attention.key_length': 128,
    'attention.value_length': 128,
    'ssm.conv_kernel': 4,
    'ssm.state_size': 256,
    'ssm.group_count': 1,
    'ssm.time_step_rank': 48,
    'ssm.inner_size': 3072,
  };
  expect(await reportOf('falcon-h1', model, { contextLengthTokens: 32_768 })).toEqual([768, 72.98]);
});

// unslothai/unsloth #5225 and #7530, measured with llama-server: caches of their own for 1 to 8 sequences.
test.each([
  [4096, 1, 27],
  [4096, 2, 42],
  [4096, 4, 72],
  // A sequence has 512 tokens, which are fewer than the window and a batch.
  [4096, 8, 72],
  [8192, 1, 39],
  [8192, 2, 54],
  // A third of 1024 tokens is rounded up to 512.
  [1024, 3, 27],
  [1024, 4, 18],
])(
  'Gemma 3 270M with %i tokens and %i sequences takes %i MiB',
  async (tokens, sequences, expected) => {
    const model = {
      block_count: 18,
      embedding_length: 640,
      'attention.head_count': 4,
      'attention.head_count_kv': 1,
      'attention.key_length': 256,
      'attention.value_length': 256,
      'attention.sliding_window': 512,
    };
    const [kv] = await reportOf('gemma3', model, {
      // llama-server's setting is for all sequences, and ours for each.
      contextLengthTokens: Math.floor(tokens / sequences),
      parallelSequences: sequences,
      kvUnified: false,
    });
    expect(kv).toBe(expected);
  },
);

test('Laguna XS 2.1 with windows of full size has 2720 MiB of q8_0 for 32,768 tokens', async () => {
  // ikawrakow/ik_llama.cpp #2310
  const model = {
    block_count: 40,
    embedding_length: 2048,
    'attention.head_count': 48,
    'attention.head_count_kv': 8,
    'attention.key_length': 128,
    'attention.value_length': 128,
    'attention.sliding_window': 512,
  };
  const q8 = { kvCacheTypeK: 'q8_0', kvCacheTypeV: 'q8_0', contextLengthTokens: 32_768 } as const;
  expect(await reportOf('laguna', model, { ...q8, swaFull: true })).toEqual([2720, 0]);
  // 10 layers of all tokens, and 30 layers of a window and a batch of 512 tokens each.
  expect(await reportOf('laguna', model, q8)).toEqual([680 + 63.75, 0]);
});

// lmstudio-bug-tracker #1176: Qwen3-VL 8B on LM Studio 0.3.31 (runtimes 1.5x) prints 1224.00 MiB of KV cache, and compute buffers of
// 352.77 MiB (CUDA0) and 40.02 MiB (CUDA_Host), of which 32 MiB are the mask in F32. Qwen3 8B has the same layers.
test('the compute buffers of a runtime that casts the mask lie within the interval', async () => {
  const header = await recordedHeader('qwen3-8b-q8_0');
  const said = {
    contextLengthTokens: 16_384,
    kvCacheTypeK: 'q8_0',
    kvCacheTypeV: 'q8_0',
    flashAttention: true,
  } as const;
  const report = (runtimeVersion: string) =>
    estimateReport(header, { ...NO_SETTINGS, ...said }, null, {
      profile: resolveEngineProfile({ engine: 'lmstudio', runtimeVersion, backend: 'cuda' }),
    });
  const { partIntervals } = report('1.52.1');
  expect(partIntervals.kvCacheBytes).toEqual({ lowBytes: 1224 * MIB, highBytes: 1224 * MIB });
  expect(partIntervals.computeBytes.highBytes / MIB).toBeGreaterThan(352.77 + 40.02);
  expect(partIntervals.computeBytes.lowBytes / MIB).toBeLessThan(352.77 + 40.02);
  // The mask has 16,384 times 512 numbers, of 4 bytes until ggml-org/llama.cpp #23764, and of 2 bytes since.
  const newer = report('2.37.0').ram.computeBytes;
  expect((report('1.52.1').ram.computeBytes - newer) / MIB).toBeCloseTo(
    (16_384 * 512 * 2) / MIB,
    1,
  );
});

describe('a build between the last one that is known to cast the mask and the first one that does not', () => {
  /** A load of an embedding model, of which nothing else is unknown. */
  const reportOfEmbedding = async (build: string, flashAttention: boolean) =>
    estimateReport(
      await recordedHeader('qwen3-embedding-4b-q5_k'),
      {
        ...NO_SETTINGS,
        contextLengthTokens: 8192,
        batchTokens: 512,
        ubatchTokens: 512,
        parallelSequences: 1,
        kvUnified: true,
        gpuBackend: 'cuda',
        flashAttention,
      },
      null,
      { profile: resolveEngineProfile({ engine: 'llama.cpp', runtimeVersion: build }) },
    );

  test('has an interval up to the memory of the former', async () => {
    const highBytes = async (build: string) =>
      (await reportOfEmbedding(build, true)).partIntervals.computeBytes.highBytes;
    const former = await highBytes('b9265');
    expect(await highBytes('b9400')).toBe(former);
    expect(await highBytes('b9570')).toBeLessThan(former);
  });

  test.each([true, false])(
    'names the mask as not known where flash attention is on: %s',
    async (isOn) => {
      const { profile } = await reportOfEmbedding('b9400', isOn);
      const settings = profile?.settings.map(({ setting }) => setting);
      expect(settings?.includes('castsMask')).toBe(isOn);
    },
  );
});
