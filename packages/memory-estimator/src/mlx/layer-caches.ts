import { isJsonObject, type JsonObject } from '../files/json-object.js';
import { countIn } from './read-json-file.js';

/**
 * The kinds of cache of a layer. A layer keeps every token, a window of tokens, a state of fixed size, or nothing.
 */
export type LayerCache =
  'full' | 'window' | 'delta-net' | 'kimi-delta' | 'mamba' | 'short-conv' | 'none';

/** The cache of each layer of a model. */
export interface LayerCaches {
  readonly layers: readonly LayerCache[];
  /** Whether mlx-lm was looked up for the architecture. If not, the layers have the caches that config.json names. */
  readonly isKnown: boolean;
}

/** The caches by their names in `layer_types`. */
const NAMED: ReadonlyMap<unknown, LayerCache> = new Map([
  ['full_attention', 'full'],
  ['attention', 'full'],
  ['sliding_attention', 'window'],
  ['linear_attention', 'delta-net'],
  ['mamba', 'mamba'],
  ['conv', 'short-conv'],
]);

/** The letters of `hybrid_override_pattern` (nemotron_h): Mamba, attention, feed-forward, experts. */
const LETTERS: ReadonlyMap<string, LayerCache> = new Map([
  ['M', 'mamba'],
  ['*', 'full'],
  ['-', 'none'],
  ['E', 'none'],
]);

/** Architectures without a cache class of their own in mlx-lm: every layer keeps all tokens. */
const ALL_FULL = [
  'llama',
  'mistral',
  'mixtral',
  'qwen2',
  'qwen2_moe',
  'qwen3',
  'qwen3_moe',
  'phi3',
  'phimoe',
  'gemma',
  'gemma2',
  'glm4',
  'glm4_moe',
  'granite',
  'granitemoe',
  'olmo2',
  'starcoder2',
  'smollm3',
  'deepseek_v3',
  'kimi_k2',
  'qwen2_vl',
  'qwen2_5_vl',
  'qwen3_vl',
  'qwen3_vl_moe',
  'qwen2_vl_text',
  'qwen2_5_vl_text',
  'qwen3_vl_text',
  'qwen3_vl_moe_text',
  'mistral3',
];
/** Architectures whose windowed and recurrent layers mlx-lm takes from the config (`make_cache`). */
const MIXED =
  /^(gemma3|gemma3_text|gemma3n|gemma3n_text|gemma4.*|gpt_oss|cohere2|qwen3_next|qwen3_[56].*|lfm2|lfm2_moe|granitemoehybrid)$/;

/**
 * In every group of `every` layers, the last layer keeps all tokens, and the other layers have the cache `others`.
 */
const INTERVALS: readonly (readonly [
  pattern: RegExp,
  field: string,
  every: number,
  others: LayerCache,
])[] = [
  [/^(gemma3|gemma3_text)$/, 'sliding_window_pattern', 6, 'window'],
  [/^gemma4/, 'sliding_window_pattern', 5, 'window'],
  [/^gemma3n/, 'sliding_window_pattern', 5, 'window'],
  [/^cohere2$/, 'sliding_window_pattern', 4, 'window'],
  [/^gpt_oss$/, 'sliding_window_pattern', 2, 'window'],
  [/^qwen3_(next|[56])/, 'full_attention_interval', 4, 'delta-net'],
];

/** The cache of every layer, by the architecture's rules in mlx-lm and the fields of the config. */
export function layerCachesOf(
  config: JsonObject,
  architecture: string,
  count: number,
): LayerCaches {
  const isKnown = ALL_FULL.includes(architecture) || MIXED.test(architecture);
  const own = Math.max(0, count - (countIn(config, 'num_kv_shared_layers') ?? 0));
  const layers = listed(config, architecture, count) ?? byInterval(config, architecture, count);
  const kept = MIXED.test(architecture) ? layers : layers.map(withoutWindow);
  // The last layers of gemma3n and gemma4 read the caches of earlier layers.
  return { layers: kept.slice(0, own), isKnown };
}

/**
 * For other architectures, a window saves no memory (mlx-lm keeps the masked tokens), or mlx-lm was not looked up.
 */
function withoutWindow(layer: LayerCache): LayerCache {
  return layer === 'window' ? 'full' : layer;
}

function listed(
  config: JsonObject,
  architecture: string,
  count: number,
): readonly LayerCache[] | null {
  const { layer_types: types, full_attn_idxs: full, hybrid_override_pattern: letters } = config;
  const { linear_attn_config: linear } = config;
  if (Array.isArray(types) && types.length >= count) {
    // An unknown name counts as the kind that takes the most memory.
    return types.slice(0, count).map((name: unknown) => NAMED.get(name) ?? 'full');
  }
  if (Array.isArray(full) && architecture.startsWith('lfm2')) {
    return Array.from({ length: count }, (_, layer) =>
      full.includes(layer) ? 'full' : 'short-conv',
    );
  }
  // `kimi_linear.py`: the list counts layers from 1.
  const delta = isJsonObject(linear) ? linear['kda_layers'] : null;
  if (Array.isArray(delta)) {
    return Array.from({ length: count }, (_, layer) =>
      delta.includes(layer + 1) ? 'kimi-delta' : 'full',
    );
  }
  if (typeof letters === 'string' && letters.length >= count) {
    return Array.from(letters.slice(0, count), (letter) => LETTERS.get(letter) ?? 'full');
  }
  return null;
}

function byInterval(
  config: JsonObject,
  architecture: string,
  count: number,
): readonly LayerCache[] {
  const rule = INTERVALS.find(([pattern]) => pattern.test(architecture));
  if (rule === undefined) return Array.from({ length: count }, () => 'full');
  const [, field, usual, others] = rule;
  const every = countIn(config, field) ?? usual;
  return Array.from({ length: count }, (_, layer) =>
    layer % every === every - 1 ? 'full' : others,
  );
}
