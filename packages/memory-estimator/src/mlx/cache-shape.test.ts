import { KIMI_LINEAR, LLAMA_8B } from '../../test/mlx-models.js';
import { cacheShapeOf } from './cache-shape.js';

const layersOf = (pattern: readonly string[], times: number) =>
  Array.from({ length: times }, () => pattern).flat();

describe('equals the measurements of mlx-engine (tests/test_batched_vision_context_fit.py)', () => {
  test('Qwen3.6-35B-A3B: 10 of 40 layers have KV, the other layers have a state in f32', () => {
    const config = {
      num_hidden_layers: 40,
      hidden_size: 2048,
      num_attention_heads: 16,
      num_key_value_heads: 2,
      head_dim: 256,
      layer_types: layersOf([...layersOf(['linear_attention'], 3), 'full_attention'], 10),
      linear_num_key_heads: 16,
      linear_num_value_heads: 32,
      linear_key_head_dim: 128,
      linear_value_head_dim: 128,
      linear_conv_kernel_dim: 4,
    };
    expect(cacheShapeOf(config, 'qwen3_5_moe_text')).toEqual({
      numberBytes: 2,
      kvBytesPerToken: 20_480,
      windowBytesPerToken: 0,
      windowTokens: 0,
      stateBytes: 64_389_120,
      inputBytesPerToken: 4096,
      scoreBytes: 32,
      isKnown: true,
    });
  });

  test('gemma-4-E2B: the last 20 of 35 layers share caches, and full layers have wider heads', () => {
    const config = {
      num_hidden_layers: 35,
      hidden_size: 1536,
      num_attention_heads: 8,
      num_key_value_heads: 1,
      head_dim: 256,
      global_head_dim: 512,
      num_kv_shared_layers: 20,
      sliding_window: 512,
      hidden_size_per_layer_input: 256,
      layer_types: layersOf([...layersOf(['sliding_attention'], 4), 'full_attention'], 7),
    };
    expect(cacheShapeOf(config, 'gemma4_text')).toEqual({
      numberBytes: 2,
      kvBytesPerToken: 6144,
      // Measured: 31,444,992 bytes at a step of 2048, for 512 - 1 + 2048 tokens.
      windowBytesPerToken: 12_288,
      windowTokens: 512,
      stateBytes: 0,
      // Measured: 3072, without the second embedding of 35 * 256 * 2 bytes.
      inputBytesPerToken: 3072 + 17_920,
      scoreBytes: 16,
      isKnown: true,
    });
  });
});

const GPT_OSS = {
  num_hidden_layers: 24,
  hidden_size: 2880,
  num_attention_heads: 64,
  num_key_value_heads: 8,
  head_dim: 64,
  sliding_window: 128,
};

test('gpt-oss: every other layer has a window, and scores are stored only where heads are not 64 wide', () => {
  // 8 * 64 * 2 * 2 bytes = 2048 per layer and token.
  const shape = cacheShapeOf(GPT_OSS, 'gpt_oss');
  expect(shape).toMatchObject({ kvBytesPerToken: 24_576, windowBytesPerToken: 24_576 });
  expect(shape).toMatchObject({ windowTokens: 128, scoreBytes: 0, isKnown: true });
  expect(cacheShapeOf({ ...GPT_OSS, head_dim: 128 }, 'gpt_oss')).toMatchObject({ scoreBytes: 128 });
  // Only gpt-oss was checked.
  expect(cacheShapeOf(GPT_OSS, 'llama')).toMatchObject({ scoreBytes: 128 });
});

test('granite 4 hybrids: the state of Mamba 2 is in f32', () => {
  // ibm-granite/granite-4.0-h-tiny: 36 Mamba layers of 48 heads of 64, 4 layers with 4 KV heads of 128.
  const config = {
    num_hidden_layers: 40,
    hidden_size: 1536,
    num_attention_heads: 12,
    num_key_value_heads: 4,
    layer_types: layersOf([...layersOf(['mamba'], 9), 'attention'], 4),
    mamba_n_heads: 48,
    mamba_d_head: 64,
    mamba_d_state: 128,
    mamba_d_conv: 4,
    mamba_n_groups: 1,
  };
  expect(cacheShapeOf(config, 'granitemoehybrid')).toMatchObject({
    kvBytesPerToken: 4 * 2 * 4 * 128 * 2,
    // 36 * (3 * (48 * 64 + 2 * 128) * 2 + 48 * 64 * 128 * 4)
    stateBytes: 36 * (19_968 + 1_572_864),
    isKnown: true,
  });
  const { mamba_d_state: _, ...without } = config;
  expect(cacheShapeOf(without, 'granitemoehybrid')).toMatchObject({
    stateBytes: 0,
    isKnown: false,
  });
});

test('LFM2: a short convolution keeps its last inputs', () => {
  const config = {
    num_hidden_layers: 16,
    hidden_size: 2048,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    conv_L_cache: 3,
    full_attn_idxs: [2, 5, 8, 10, 12, 14],
  };
  expect(cacheShapeOf(config, 'lfm2')).toMatchObject({
    kvBytesPerToken: 6 * 2 * 8 * 64 * 2,
    stateBytes: 10 * 2 * 2048 * 2,
    isKnown: true,
  });
});

test('Gemma 4 12B: a full layer has one head of 512 numbers, so each token takes 16 KiB', () => {
  // raullenchai/Rapid-MLX #1423. The windows of 1024 tokens have 8 heads of 256 numbers.
  const config = {
    num_hidden_layers: 48,
    hidden_size: 3840,
    num_attention_heads: 16,
    num_key_value_heads: 8,
    head_dim: 256,
    num_global_key_value_heads: 1,
    global_head_dim: 512,
    sliding_window: 1024,
    layer_types: layersOf([...layersOf(['sliding_attention'], 5), 'full_attention'], 8),
  };
  expect(cacheShapeOf(config, 'gemma4_text')).toMatchObject({
    kvBytesPerToken: 16 * 1024,
    windowBytesPerToken: 40 * 2 * 8 * 256 * 2,
    isKnown: true,
  });
});

test('Kimi Linear: 7 of 27 layers keep the keys and values of every head, and 20 have a state', () => {
  expect(cacheShapeOf(KIMI_LINEAR, 'kimi_linear')).toMatchObject({
    // Keys of 128 + 64 numbers and values of 128, in 32 heads.
    kvBytesPerToken: 7 * 32 * (192 + 128) * 2,
    // 3 inputs of 3 convolutions of 32 * 128 numbers, and 32 states of 128 * 128 numbers in f32.
    stateBytes: 20 * (3 * 3 * 4096 * 2 + 32 * 128 * 128 * 4),
    // Newer versions of mlx-lm may keep the latent vector only.
    isKnown: false,
  });
});

test('a latent vector is counted for deepseek_v3, but every head for an architecture that was not looked up', () => {
  const config = {
    num_hidden_layers: 61,
    hidden_size: 7168,
    num_attention_heads: 128,
    kv_lora_rank: 512,
    qk_rope_head_dim: 64,
    qk_nope_head_dim: 128,
    v_head_dim: 128,
  };
  expect(cacheShapeOf(config, 'deepseek_v3')).toMatchObject({
    kvBytesPerToken: 61 * 576 * 2,
    isKnown: true,
  });
  expect(cacheShapeOf(config, 'deepseek_v2')).toMatchObject({
    kvBytesPerToken: 61 * 128 * 320 * 2,
    isKnown: false,
  });
});

describe('where the config is ambiguous, the larger cache is counted', () => {
  const windows = layersOf(['sliding_attention'], 32);

  test('windows of an architecture that keeps old tokens or was not looked up', () => {
    const config = { ...LLAMA_8B.config, layer_types: windows, sliding_window: 512 };
    for (const architecture of ['qwen2', 'exaone9'])
      expect(cacheShapeOf(config, architecture)).toMatchObject({
        kvBytesPerToken: 131_072,
        windowBytesPerToken: 0,
      });
  });

  test('a window of unknown length, and a kind of layer that is not known', () => {
    const config = { ...LLAMA_8B.config, head_dim: 128 };
    for (const layer_types of [windows, layersOf(['some_attention'], 32)])
      expect(cacheShapeOf({ ...config, layer_types }, 'gemma3_text')).toMatchObject({
        kvBytesPerToken: 131_072,
        windowBytesPerToken: 0,
      });
  });
});

test('a model in f32 has numbers of 4 bytes', () => {
  expect(cacheShapeOf({ ...LLAMA_8B.config, torch_dtype: 'float32' }, 'llama')).toMatchObject({
    numberBytes: 4,
    kvBytesPerToken: 262_144,
    inputBytesPerToken: 16_384,
    scoreBytes: 128,
  });
});
