import { isGgufArray, type GgufHeader } from '../gguf/gguf-header.js';
import type { GgufValueType } from '../gguf/bytes/value-types.js';
import { layerPlanOf } from './tensors/plans/layer-plans.js';
import { mixedPlanOf } from './tensors/plans/mixed-plans.js';
import { contradiction, missingKey } from './metadata-refusals.js';
import { wrongType } from './metadata-types.js';
import type { ModelRefusal } from './model-refusal.js';

const RMS = 'attention.layer_norm_rms_epsilon';
const NORM = 'attention.layer_norm_epsilon';
const STATE = 'ssm.conv_kernel ssm.inner_size ssm.state_size ssm.time_step_rank';
const GROUPED_STATE = `${STATE} ssm.group_count`;
const EXPERT_WIDTH = 'expert_feed_forward_length';
const SHARED_EXPERTS = `${EXPERT_WIDTH} expert_shared_count`;
const QUERY_RANK = 'attention.q_lora_rank';
const LATENT = `${QUERY_RANK} attention.kv_lora_rank`;
const INDEXER = 'attention.indexer.head_count attention.indexer.key_length attention.indexer.top_k';
const SECTIONS = 'rope.dimension_sections';
const WINDOW = 'attention.sliding_window';
const WINDOWS = `${WINDOW} attention.sliding_window_pattern`;
const RANKS =
  'attention.decay_lora_rank attention.iclr_lora_rank attention.value_residual_mix_lora_rank';

/** Keys that every model has. */
const COMMON = 'context_length embedding_length block_count';

/**
 * The keys after the architecture's name that llama.cpp requires besides `COMMON`, and the architectures that require exactly
 * these keys. Found by loading files without them: build 10257 of llama.cpp (llama.node 1.7.15) refused each file with 'key not
 * found in model', until it had all keys of its line. Other architectures are not known to need more than one of the two
 * epsilons.
 */
const BY_ARCHITECTURE: readonly (readonly [keys: string, architectures: string])[] = [
  [
    RMS,
    [
      'apertus arcee arctic baichuan bitnet chameleon chatglm cogvlm deci dream ernie4_5 eurobert exaone exaone4',
      'gemma gemma2 gemma3 glm4 grok hunyuan-dense hunyuan_vl internlm2 llada llada-moe llama llama-embed',
      'maincoder minicpm mistral3 nanbeige neo-bert olmo2 olmoe openelm paddleocr pangu-embedded phi3 phimoe',
      'plamo plamo3 qwen qwen2 qwen2moe qwen3 qwen3moe refact rnd1 seed_oss smallthinker smollm3 xverse',
    ].join(' '),
  ],
  [
    NORM,
    [
      'bert bloom codeshell command-r falcon gpt2 jais jais2 jina-bert-v2 jina-bert-v3 modern-bert mpt nemotron',
      'nomic-bert nomic-bert-moe olmo orion phi2 stablelm starcoder starcoder2',
    ].join(' '),
  ],
  [`${RMS} ${EXPERT_WIDTH}`, 'hunyuan-moe hy_v3 mellum minimax-m2'],
  [`${RMS} ${EXPERT_WIDTH} interleave_moe_layer_step`, 'ernie4_5-moe llama4'],
  [`${RMS} ${EXPERT_WIDTH} leading_dense_block_count`, 'laguna'],
  [`${RMS} ${EXPERT_WIDTH} expert_gating_func ${WINDOW}`, 'exaone-moe'],
  [`${RMS} ${EXPERT_WIDTH} ${WINDOW}`, 'gpt-oss'],
  [`${RMS} ${EXPERT_WIDTH} ${WINDOWS}`, 'mimo2 step35'],
  [`${RMS} ${EXPERT_WIDTH} expert_group_scale experts_per_group`, 'grovemoe'],
  [`${RMS} ${EXPERT_WIDTH} expert_gating_func shortconv.l_cache`, 'lfm2moe'],
  [`${RMS} ${SHARED_EXPERTS}`, 'afmoe bailingmoe deepseek deepseek2-ocr dots1 glm4moe'],
  [`${RMS} ${SHARED_EXPERTS} expert_gating_func`, 'bailingmoe2'],
  [
    `${RMS} ${SHARED_EXPERTS} expert_gating_func ${INDEXER} attention.indexer.block_size attention.indexer.local_blocks`,
    'minimax-m3',
  ],
  [`${RMS} ${SHARED_EXPERTS} ${LATENT}`, 'deepseek2 mistral4'],
  [`${RMS} ${SHARED_EXPERTS} ${LATENT} ${INDEXER}`, 'glm-dsa'],
  [`${RMS} ${SHARED_EXPERTS} ${LATENT} ${INDEXER} expert_gating_func`, 'deepseek32'],
  [
    `${RMS} ${SHARED_EXPERTS} expert_gating_func attention.key_length_mla attention.value_length_mla attention.kv_lora_rank ssm.conv_kernel kda.head_dim`,
    'kimi-linear',
  ],
  [`${RMS} ${LATENT}`, 'minicpm3'],
  [`${RMS} attention.kv_lora_rank`, 'plm'],
  [`${RMS} ${SECTIONS}`, 'qwen3vl qwen3vlmoe'],
  [SECTIONS, 'qwen2vl'],
  [`${RMS} ${SECTIONS} ${GROUPED_STATE}`, 'qwen35 qwen35moe'],
  [
    `${RMS} ${GROUPED_STATE}`,
    'falcon-h1 granitehybrid mamba2 nemotron_h nemotron_h_moe plamo2 qwen3next',
  ],
  [`${RMS} ${STATE}`, 'jamba mamba'],
  [`${RMS} shortconv.l_cache`, 'lfm2'],
  [`${RMS} logit_scale`, 'granite granitemoe talkie'],
  [`${RMS} ${WINDOW}`, 'gemma-embedding gemma3n'],
  [
    `${RMS} ${WINDOWS} embedding_length_per_layer_input attention.key_length_swa attention.value_length_swa`,
    'gemma4',
  ],
  [`${RMS} attention.relative_buckets_count`, 't5 t5encoder'],
  [
    [
      `${RMS} ${WINDOW} ${SHARED_EXPERTS} ${INDEXER} ${QUERY_RANK} attention.output_group_count`,
      'attention.output_lora_rank attention.compress_rope_freq_base attention.compress_ratios expert_gating_func',
      'expert_weights_scale expert_weights_norm swiglu_clamp_exp hyper_connection.count hyper_connection.epsilon',
      'hyper_connection.sinkhorn_iterations hash_layer_count',
    ].join(' '),
    'deepseek4',
  ],
  [`${NORM} ${WINDOW} logit_scale`, 'cohere2 cohere2moe'],
  [`${NORM} attention.clamp_kqv`, 'dbrx'],
  [`${NORM} use_parallel_residual`, 'gptneox'],
  ['wkv.head_size time_mix_extra_dim time_decay_extra_dim', 'rwkv6 rwkv6qwen2'],
  [`wkv.head_size ${RANKS}`, 'arwkv7 rwkv7'],
];

/** Architectures that llama.cpp refuses without experts. Their files need the counts of experts. */
const ONLY_EXPERTS =
  'dbrx deepseek32 glm-dsa glm4moe grok llama4 olmoe phimoe qwen2moe qwen3moe qwen3next qwen3vlmoe qwen35moe';

/** Keys without the architecture's name that llama.cpp requires of some architectures. */
const FULL_KEYS: readonly (readonly [keys: string, architectures: string])[] = [
  ['tokenizer.ggml.token_type_count', 'bert jina-bert-v3 nomic-bert nomic-bert-moe'],
  ['xielu.alpha_n xielu.alpha_p xielu.beta xielu.eps', 'apertus'],
];

/** Types of the keys above that are not a uint32. An array may hold the values of the layers. */
const TYPES: ReadonlyMap<string, GgufValueType> = new Map([
  [RMS, 'float32'],
  [NORM, 'float32'],
  ['logit_scale', 'float32'],
  ['attention.clamp_kqv', 'float32'],
  ['expert_group_scale', 'float32'],
  ['attention.compress_rope_freq_base', 'float32'],
  ['expert_weights_scale', 'float32'],
  ['hyper_connection.epsilon', 'float32'],
  ['expert_weights_norm', 'bool'],
  ['use_parallel_residual', 'bool'],
]);

/** Keys whose value is an array, or may be one. */
const LISTS = new Set([
  SECTIONS,
  'attention.compress_ratios',
  'attention.sliding_window_pattern',
  'swiglu_clamp_exp',
]);

/** Counts that may be an array with a count for each layer. Their types are checked with all types. */
const PER_LAYER = new Set(['expert_used_count', 'attention.head_count', 'feed_forward_length']);

/** Architectures with different layers that read no number of attention heads. */
const WITHOUT_HEADS = /^a?rwkv\d/;

/** Architectures with a layer plan that read the width of experts only. */
const WITHOUT_WIDTH = new Set(['gpt-oss', 'grovemoe']);

let required: ReadonlyMap<string, readonly string[]> | null = null;

/** The keys of `BY_ARCHITECTURE`. The map is made on its first use, so that commands that judge no header start faster. */
function requiredKeysOf(architecture: string): readonly string[] | null {
  required ??= new Map(
    BY_ARCHITECTURE.flatMap(([keys, architectures]) =>
      architectures.split(' ').map((name) => [name, keys.split(' ')] as const),
    ),
  );
  return required.get(architecture) ?? null;
}

const EXPERTS = new Set(ONLY_EXPERTS.split(' '));

/** A key that llama.cpp requires and the header lacks or has with another type; `null` without such a key. */
export function findMissingKey(header: GgufHeader): ModelRefusal | null {
  const { architecture, metadata } = header;
  if (architecture === null || architecture === '') return missingKey('general.architecture');
  const own = requiredKeysOf(architecture);
  const keys = [...COMMON.split(' '), ...(own ?? [])];
  if (EXPERTS.has(architecture)) keys.push('expert_count', 'expert_used_count');
  const plan = layerPlanOf(architecture);
  if (plan !== null && plan.feedForward !== 'none') {
    keys.push('attention.head_count');
    if (!WITHOUT_WIDTH.has(architecture)) keys.push('feed_forward_length');
  }
  if (mixedPlanOf(architecture) !== null && !WITHOUT_HEADS.test(architecture))
    keys.push('attention.head_count');
  for (const name of keys) {
    const key = `${architecture}.${name}`;
    if (name === QUERY_RANK && hasWholeQueries(header)) continue;
    if (!metadata.has(key)) return missingKey(key);
    const wrong =
      LISTS.has(name) || PER_LAYER.has(name)
        ? null
        : wrongType(header, key, TYPES.get(name) ?? 'uint32');
    if (wrong !== null) return wrong;
  }
  if (own === null) {
    const fault = findMissingEpsilon(header, architecture);
    if (fault !== null) return fault;
  }
  for (const [full, names] of FULL_KEYS) {
    const missing = names.split(' ').includes(architecture)
      ? full.split(' ').find((key) => !metadata.has(key))
      : undefined;
    if (missing !== undefined) return missingKey(missing);
  }
  return metadata.has('tokenizer.ggml.model') ? null : missingKey('tokenizer.ggml.model');
}

/**
 * Whether a model with latent attention has one matrix for its queries, and so no rank. llama.cpp recognises these models by their
 * depth and their vocabulary: DeepSeek-V2-Lite, GigaChat3-10B and Kanana-2-30B. Tried with each figure beside it.
 */
function hasWholeQueries({ metadata, architecture }: GgufHeader): boolean {
  if (architecture !== 'deepseek2' && architecture !== 'mistral4') return false;
  const layers = metadata.get(`${architecture}.block_count`);
  const tokens = metadata.get('tokenizer.ggml.tokens');
  const listed = isGgufArray(tokens) ? tokens.length : 0;
  const vocabulary = metadata.get(`${architecture}.vocab_size`) ?? listed;
  return layers === 26 || layers === 27 || (layers === 48 && vocabulary === 128_256);
}

/** A file that belongs to a split model and does not say which part it is, or is not the first part. */
export function findWrongPart(header: GgufHeader): ModelRefusal | null {
  const { metadata, valueTypes } = header;
  if (valueTypes.get('split.count') !== 'uint16' || Number(metadata.get('split.count')) <= 1)
    return null;
  const part = metadata.get('split.no');
  if (part === undefined) return missingKey('split.no');
  if (part !== 0) return contradiction(`its split.no is ${Number(part)}, but it is the first part`);
  return metadata.has('split.tensors.count')
    ? wrongType(header, 'split.tensors.count', 'int32')
    : missingKey('split.tensors.count');
}

/** Each other architecture requires one of the two epsilons. llama.cpp reads only the one of the architecture. */
function findMissingEpsilon(header: GgufHeader, architecture: string): ModelRefusal | null {
  const keys = [RMS, NORM].map((name) => `${architecture}.${name}`);
  if (keys.some((key) => header.metadata.has(key) && wrongType(header, key, 'float32') === null))
    return null;
  const wrong = keys.map((key) => wrongType(header, key, 'float32')).find((one) => one !== null);
  return wrong ?? missingKey(keys[0] ?? '');
}

/** The epsilon with which llama.cpp aborts, because it is negative or not a number; `null` where it is sound. */
export function findBadEpsilon({ metadata, architecture }: GgufHeader): string | null {
  const read = requiredKeysOf(architecture ?? '') ?? [RMS, NORM];
  const bad = [RMS, NORM].find((name) => {
    const value = metadata.get(`${architecture ?? ''}.${name}`);
    return read.includes(name) && typeof value === 'number' && !(value >= 0);
  });
  return bad === undefined ? null : `${architecture ?? ''}.${bad}`;
}
