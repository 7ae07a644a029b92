import type { ModelShape } from '@mai/memory-ledger';
import { isJsonObject, type JsonObject } from '../files/json-object.js';
import type { MlxCacheShape } from './cache-shape.js';
import { countIn } from './read-json-file.js';
import type { Safetensor } from './safetensors.js';

/** Experts of a layer, stacked (`switch_mlp`, mlx-lm) or one by one (`experts.7`). */
const EXPERTS = /\.(switch_mlp|switch_glu|experts)\./;
/** Tables of which a token reads one row. */
const EMBEDDING = /(^|\.)embed_tokens\./;
const TABLE_OF_LAYERS = /(^|\.)embed_tokens_per_layer\./;
/** Encoders of images and sound, which generated tokens do not use. */
const ENCODERS = /^(vision_tower|vision_model|audio_tower|multi_modal_projector|visual)\./;
const SCALES = /\.(scales|biases)$/;
/** Quantized weights are packed into words of 32 bits. */
const WORD_BITS = 32;

/**
 * The figures of an MLX model that decide its speed. Bytes are exact sums of its tensors; see `modelShape` for what counts.
 *
 * @param config The config of the language model.
 * @returns null where the caches of the model are not known.
 */
export function mlxShape(
  tensors: readonly Safetensor[],
  config: JsonObject,
  layers: number,
  cache: MlxCacheShape | null,
): ModelShape | null {
  if (cache === null) return null;
  const experts = countIn(config, 'num_experts', 'num_local_experts', 'n_routed_experts');
  const used = countIn(
    config,
    'num_experts_per_tok',
    'num_experts_per_token',
    'experts_per_token',
    'top_k_experts',
  );
  const usedShare = experts === null || used === null ? 1 : Math.min(1, used / experts);
  const isTied = !tensors.some(({ name }) => /(^|\.)lm_head\./.test(name));
  const sum = { parameters: 0, active: 0, bytes: 0, activeBytes: 0, expert: 0 };
  for (const tensor of tensors) {
    const { name, bytes } = tensor;
    if (ENCODERS.test(name)) continue;
    const isExpert = EXPERTS.test(name);
    const isTable = TABLE_OF_LAYERS.test(name) || (EMBEDDING.test(name) && !isTied);
    const share = isExpert ? usedShare : isTable ? 0 : 1;
    const parameters = parametersOf(tensor, config);
    sum.parameters += parameters;
    sum.active += share * parameters;
    sum.bytes += bytes;
    sum.activeBytes += share * bytes;
    if (isExpert) sum.expert += bytes;
  }
  if (sum.parameters === 0) return null;
  return {
    parameters: Math.round(sum.parameters),
    activeParameters: Math.round(sum.active),
    layers,
    weightBytes: sum.bytes,
    activeWeightBytes: Math.round(sum.activeBytes),
    expertBytes: sum.expert,
    activeExpertBytes: Math.round(sum.expert * usedShare),
    kvBytesPerToken: cache.kvBytesPerToken,
    queryValuesPerToken: queryValuesOf(config, cache),
  };
}

/** Each key and value of the cache is multiplied by the queries of its group. Null for latent attention, which has no groups. */
function queryValuesOf(config: JsonObject, cache: MlxCacheShape): number | null {
  const heads = countIn(config, 'num_attention_heads', 'n_heads');
  if (heads === null || countIn(config, 'kv_lora_rank') !== null) return null;
  const groups =
    countIn(config, 'num_global_key_value_heads') ?? countIn(config, 'num_key_value_heads');
  const keyValues = cache.kvBytesPerToken / (2 * cache.numberBytes);
  return (keyValues * heads) / (groups ?? heads);
}

function parametersOf({ name, type, elements }: Safetensor, config: JsonObject): number {
  if (SCALES.test(name)) return 0;
  return type === 'U32' ? (elements * WORD_BITS) / bitsOf(name, config) : elements;
}

/** Bits of a quantized weight. Some weights have bits of their own in `quantization`. */
function bitsOf(name: string, config: JsonObject): number {
  const all = isJsonObject(config['quantization']) ? config['quantization'] : {};
  const own = all[name.replace(/\.weight$/, '')];
  return (isJsonObject(own) ? countIn(own, 'bits') : null) ?? countIn(all, 'bits') ?? WORD_BITS;
}
