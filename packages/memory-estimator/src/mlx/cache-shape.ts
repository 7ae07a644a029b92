import { isJsonObject, type JsonObject } from '../files/json-object.js';
import { layerCachesOf, type LayerCache } from './layer-caches.js';
import { countIn } from './read-json-file.js';

/** The figures that the memory of an MLX model depends on, without the weights. */
export interface MlxCacheShape {
  /** Bytes of a number in the KV cache: 2, or 4 for a model in f32. */
  readonly numberBytes: number;
  /** KV cache of the layers that keep every token, in bytes for each token. */
  readonly kvBytesPerToken: number;
  /** KV cache of the layers that keep a window, in bytes for each token. */
  readonly windowBytesPerToken: number;
  /** Tokens of the window; 0 where no layer has a window. */
  readonly windowTokens: number;
  /** Recurrent and convolution states of one sequence, in bytes. */
  readonly stateBytes: number;
  /** Bytes for each token of a prompt's embeddings, which stay in memory until the prompt is read. */
  readonly inputBytesPerToken: number;
  /** Attention scores: bytes for each token of the cache and each token of the prefill step. */
  readonly scoreBytes: number;
  /**
   * Whether the rules of the architecture were looked up in mlx-lm and the config has every field that they need.
   * If not, the figures are guesses.
   */
  readonly isKnown: boolean;
}

/** Activations and caches are f16 or bf16 unless the config says f32. */
const HALF_BYTES = 2;
/** Recurrent states are f32: `gated_delta.py` and `ssm.py` of mlx-lm. */
const STATE_BYTES = 4;

/**
 * Computes the caches of a model from its config.json.
 *
 * Sources: `make_cache` and `ModelArgs` of the architectures in mlx-lm (`gemma3_text.py`, `gpt_oss.py`,
 * `qwen3_next.py`, `granitemoehybrid.py`, `deepseek_v3.py`), and the profiles that mlx-engine measured
 * (`tests/test_batched_vision_context_fit.py`).
 *
 * @param config The config of the language model.
 * @returns `null` where the config does not state the number of layers, the heads and the hidden size.
 */
export function cacheShapeOf(config: JsonObject, architecture: string): MlxCacheShape | null {
  const count = countIn(config, 'num_hidden_layers', 'n_layers');
  const hidden = countIn(config, 'hidden_size', 'd_model');
  const heads = countIn(config, 'num_attention_heads', 'n_heads');
  if (count === null || hidden === null || heads === null || count > MOST_LAYERS) return null;
  const { layers, isKnown } = layerCachesOf(config, architecture, count);
  const numberBytes = numberBytesOf(config);
  const kv = kvWidths(config, architecture, hidden, heads);
  const full = layers.filter((layer) => layer === 'full').length;
  const windowed = layers.filter((layer) => layer === 'window').length;
  const windowTokens = windowed === 0 ? 0 : countIn(config, 'sliding_window');
  const states = layers.filter((layer) => layer in STATES).map((l) => STATES[l]?.(config, hidden));
  const stateBytes = states.map((sizes) => sizes ?? null);
  const missing = windowTokens === null || stateBytes.includes(null);
  return {
    numberBytes,
    // A window of unknown length counts as no window.
    kvBytesPerToken:
      numberBytes * (full * kv.full + (windowTokens === null ? windowed * kv.windowed : 0)),
    windowBytesPerToken: windowTokens === null ? 0 : numberBytes * windowed * kv.windowed,
    windowTokens: windowTokens ?? 0,
    stateBytes: stateBytes.reduce<number>(
      (sum, sizes) =>
        sum + (sizes === null ? 0 : numberBytes * sizes.conv + STATE_BYTES * sizes.state),
      0,
    ),
    inputBytesPerToken: numberBytes * (hidden + perLayerInputs(config, count)),
    // MLX computes the attention of gpt-oss without storing the scores (mlx-engine: `head_dim` 64 only).
    scoreBytes:
      architecture === 'gpt_oss' && countIn(config, 'head_dim') === 64 ? 0 : numberBytes * heads,
    isKnown: isKnown && !missing,
  };
}

/** More layers than any model has. */
const MOST_LAYERS = 4096;

function numberBytesOf({ torch_dtype: older, dtype }: JsonObject): number {
  return (dtype ?? older) === 'float32' ? 4 : HALF_BYTES;
}

/** Numbers that a layer keeps for each token. */
function kvWidths(config: JsonObject, architecture: string, hidden: number, heads: number) {
  const rank = countIn(config, 'kv_lora_rank');
  if (rank !== null) return latentWidths(config, architecture, rank, heads);
  const kvHeads = countIn(config, 'num_key_value_heads') ?? heads;
  const headDim = countIn(config, 'head_dim') ?? usualHeadDim(architecture, hidden, heads);
  const windowed = 2 * kvHeads * headDim;
  if (!architecture.startsWith('gemma4')) return { full: windowed, windowed };
  const globalHeads = countIn(config, 'num_global_key_value_heads') ?? kvHeads;
  const globalDim = countIn(config, 'global_head_dim') ?? headDim;
  return { full: 2 * globalHeads * globalDim, windowed };
}

function usualHeadDim(architecture: string, hidden: number, heads: number): number {
  // The architecture's default, which many configs leave out.
  return /^gemma[34]/.test(architecture) ? 256 : Math.ceil(hidden / heads);
}

/**
 * deepseek_v3 keeps a latent vector and a rotated key (`kv_lora_rank` + `qk_rope_head_dim`). Other architectures
 * may keep the keys and values of every head.
 */
function latentWidths(config: JsonObject, architecture: string, rank: number, heads: number) {
  const rope = countIn(config, 'qk_rope_head_dim') ?? 0;
  const latent = rank + rope;
  if (['deepseek_v3', 'kimi_k2'].includes(architecture)) return { full: latent, windowed: latent };
  const nope = countIn(config, 'qk_nope_head_dim') ?? 0;
  const value = countIn(config, 'v_head_dim') ?? 0;
  const wide = Math.max(latent, heads * (nope + rope + value));
  return { full: wide, windowed: wide };
}

/** gemma3n and the small gemma4 models look up a second embedding for every layer. */
function perLayerInputs(config: JsonObject, layers: number): number {
  return layers * (countIn(config, 'hidden_size_per_layer_input') ?? 0);
}

/** Numbers of a layer's state: past inputs of the convolution, and the recurrent state. */
interface StateSizes {
  readonly conv: number;
  readonly state: number;
}

const STATES: Partial<
  Record<LayerCache, (config: JsonObject, hidden: number) => StateSizes | null>
> = {
  /** `qwen3_next.py`: the convolution sees queries, keys and values. */
  'delta-net': (config) => {
    const keyHeads = countIn(config, 'linear_num_key_heads');
    const valueHeads = countIn(config, 'linear_num_value_heads');
    const keyDim = countIn(config, 'linear_key_head_dim');
    const valueDim = countIn(config, 'linear_value_head_dim');
    const kernel = countIn(config, 'linear_conv_kernel_dim');
    if (keyHeads === null || valueHeads === null || keyDim === null) return null;
    if (valueDim === null || kernel === null) return null;
    return {
      conv: (kernel - 1) * (2 * keyHeads * keyDim + valueHeads * valueDim),
      state: valueHeads * valueDim * keyDim,
    };
  },
  /** `kimi_linear.py`: queries, keys and values have a convolution each. */
  'kimi-delta': ({ linear_attn_config: linear }) => {
    if (!isJsonObject(linear)) return null;
    const heads = countIn(linear, 'num_heads');
    const headDim = countIn(linear, 'head_dim');
    const kernel = countIn(linear, 'short_conv_kernel_size');
    if (heads === null || headDim === null || kernel === null) return null;
    return { conv: (kernel - 1) * 3 * heads * headDim, state: heads * headDim * headDim };
  },
  /** `granitemoehybrid.py`: Mamba 2. nemotron_h has other names for the same fields. */
  mamba: (config) => {
    const heads = countIn(config, 'mamba_n_heads', 'mamba_num_heads');
    const headDim = countIn(config, 'mamba_d_head', 'mamba_head_dim');
    const state = countIn(config, 'mamba_d_state', 'ssm_state_size');
    const kernel = countIn(config, 'mamba_d_conv', 'conv_kernel');
    const groups = countIn(config, 'mamba_n_groups', 'n_groups');
    if (heads === null || headDim === null || state === null) return null;
    if (kernel === null || groups === null) return null;
    const inner = heads * headDim;
    return { conv: (kernel - 1) * (inner + 2 * groups * state), state: inner * state };
  },
  /** `lfm2.py`: only the past inputs of a short convolution. */
  'short-conv': (config, hidden) => {
    const kernel = countIn(config, 'conv_L_cache');
    return kernel === null ? null : { conv: (kernel - 1) * hidden, state: 0 };
  },
};
