import type { Architecture } from '../architecture/architectures.js';
import { findArchitecture } from '../architecture/architectures.js';
import { printable } from '../gguf/bytes/checked-reader.js';
import { isGgufArray, type GgufHeader } from '../gguf/gguf-header.js';
import type { GgufValueType } from '../gguf/bytes/value-types.js';
import type { ModelRefusal } from './model-refusal.js';

type MetadataValue = ReturnType<GgufHeader['metadata']['get']>;

/** A type, and the keys of that type, separated by spaces. */
type KeysOfType = readonly [type: GgufValueType, keys: string];

/**
 * The types of the keys that llama.cpp reads of each model. llama.cpp converts no type: it refuses an int32 or a uint64
 * where it reads a uint32. Each key was tried with another type, with build 10257 of llama.cpp.
 */
const COMMON: readonly KeysOfType[] = [
  ['string', 'general.architecture general.name tokenizer.ggml.model *.rope.scaling.type'],
  [
    'uint32',
    [
      'general.file_type *.context_length *.embedding_length *.embedding_length_out *.block_count *.vocab_size',
      '*.expert_count *.expert_group_count *.expert_group_used_count *.pooling_type *.rope.dimension_count',
      '*.rope.dimension_count_swa *.rope.scaling.original_context_length',
    ].join(' '),
  ],
  [
    'float32',
    '*.rope.freq_base *.rope.scaling.factor *.rope.scale_linear *.rope.scaling.attn_factor *.rope.scaling.alpha',
  ],
  ['bool', '*.attention.causal *.rope.scaling.finetuned'],
];

/** Keys of models with attention heads. */
const OF_HEADS =
  '*.attention.key_length *.attention.value_length *.attention.key_length_swa *.attention.value_length_swa';

/** Keys with one count for all layers, or an array with a count for each. */
const PER_LAYER =
  '*.feed_forward_length *.attention.head_count *.attention.head_count_kv *.expert_used_count';

/** Keys of a vocabulary. */
const VOCABULARY: readonly KeysOfType[] = [
  ['string', 'tokenizer.ggml.pre'],
  [
    'uint32',
    [
      ...'bos eos eot eom unknown seperator padding mask prefix suffix middle'.split(' '),
      ...'pre suf mid pad rep sep'.split(' ').map((part) => `fim_${part}`),
    ]
      .map((token) => `tokenizer.ggml.${token}_token_id`)
      .concat('tokenizer.ggml.token_type_count')
      .join(' '),
  ],
  [
    'bool',
    [
      'tokenizer.ggml.add_bos_token tokenizer.ggml.add_eos_token tokenizer.ggml.add_sep_token',
      'tokenizer.ggml.add_space_prefix tokenizer.ggml.remove_extra_whitespaces',
      'tokenizer.ggml.normalizer.lowercase',
    ].join(' '),
  ],
];

/** uint32 keys of a property of architectures. The models of other architectures may have them with any type. */
const OF_ARCHITECTURES: readonly (readonly [has: (one: Architecture) => boolean, keys: string])[] =
  [
    [({ window, name }) => window !== null || name === 'phi3', '*.attention.sliding_window'],
    [
      ({ memory }) => memory === 'recurrent' || memory === 'hybrid',
      '*.ssm.conv_kernel *.ssm.inner_size *.ssm.state_size *.ssm.time_step_rank *.ssm.group_count *.wkv.head_size *.shortconv.l_cache *.full_attention_interval',
    ],
    [
      ({ latentAttention }) => latentAttention,
      '*.attention.q_lora_rank *.attention.kv_lora_rank *.attention.key_length_mla *.attention.value_length_mla',
    ],
    [({ name }) => /moe$|^gpt-oss$/.test(name), '*.expert_feed_forward_length'],
  ];

/** Types of the elements of an array that llama.cpp reads as counts. */
const COUNTS: readonly GgufValueType[] = ['uint32', 'int32'];

/** A key that has another type than llama.cpp reads; `null` without such a key. */
export function findWrongType(header: GgufHeader): ModelRefusal | null {
  for (const [type, keys] of keysOf(header))
    for (const key of keys.split(' ')) {
      const fault = wrongType(header, fullKey(key, header), type);
      if (fault !== null) return fault;
    }
  const layers = header.metadata.get(fullKey('*.block_count', header));
  for (const key of PER_LAYER.split(' ')) {
    const fault = wrongPerLayer(header, fullKey(key, header), layers);
    if (fault !== null) return fault;
  }
  return null;
}

function keysOf(header: GgufHeader): readonly KeysOfType[] {
  const { metadata } = header;
  const architecture = findArchitecture(header.architecture);
  const tokenizer = metadata.get('tokenizer.ggml.model');
  const hasVocabulary = tokenizer !== 'none' && tokenizer !== 'no_vocab';
  const hasHeads = metadata.get(fullKey('*.attention.head_count', header)) !== 0;
  return [
    ...COMMON,
    ...(hasVocabulary ? VOCABULARY : []),
    ...(hasHeads ? [['uint32', OF_HEADS] as const] : []),
    ...OF_ARCHITECTURES.filter(([has]) => has(architecture)).map(
      ([, keys]) => ['uint32', keys] as const,
    ),
  ];
}

function fullKey(key: string, { architecture }: GgufHeader): string {
  return key.startsWith('*') ? `${architecture ?? ''}${key.slice(1)}` : key;
}

/** The refusal of a key that is there and has another type. */
export function wrongType(
  { metadata, valueTypes }: GgufHeader,
  key: string,
  wanted: GgufValueType,
): ModelRefusal | null {
  const type = valueTypes.get(key);
  if (type === undefined) return null;
  const isArray = isGgufArray(metadata.get(key));
  return type === wanted && !isArray ? null : refusal(key, inWords(type, isArray), wanted);
}

function wrongPerLayer(
  header: GgufHeader,
  key: string,
  layers: MetadataValue,
): ModelRefusal | null {
  const value = header.metadata.get(key);
  if (!isGgufArray(value)) return wrongType(header, key, 'uint32');
  const type = header.valueTypes.get(key) ?? 'uint32';
  if (!COUNTS.includes(type)) return refusal(key, inWords(type, true), 'an array of int32');
  return typeof layers === 'number' && value.length !== layers
    ? wrongLength(key, value.length, layers, true)
    : null;
}

/** The refusal of a list with more or fewer values than llama.cpp reads. */
export function wrongLength(
  key: string,
  length: number,
  wanted: number,
  ofLayers: boolean,
): ModelRefusal {
  return refusal(
    key,
    `has ${length} values`,
    ofLayers ? `${wanted}, one for each layer` : `${wanted}`,
  );
}

/** The refusal of a key whose array has other elements than strings, or which is not an array. */
export function notStrings(header: GgufHeader, key: string): ModelRefusal | null {
  const type = header.valueTypes.get(key);
  const isArray = isGgufArray(header.metadata.get(key));
  if (type === undefined || (isArray && type === 'string')) return null;
  return refusal(key, inWords(type, isArray), 'an array of strings');
}

function inWords(type: GgufValueType, isArray: boolean): string {
  return isArray ? `is an array of ${type}` : `has the type ${type}`;
}

function refusal(key: string, is: string, wanted: string): ModelRefusal {
  return {
    code: 'METADATA_TYPE',
    reason: `its ${printable(key)} ${is}, but llama.cpp reads ${wanted}`,
  };
}
