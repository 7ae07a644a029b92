import {
  ARCHITECTURES,
  architectureModel,
  MIXED_MODELS,
  optionalTensors,
} from './architectures.js';
import { languageModel, type FileContents, type MetadataValue } from './language-model.js';

/** A file, and whether llama.cpp loads it. */
export interface JudgedFile {
  readonly name: string;
  readonly file: FileContents;
  readonly loads: boolean;
}

/** Keys that llama.cpp does not need, of the models that `architectureModel` makes. */
const NOT_NEEDED =
  /^tokenizer\.|^general\.|\.(vocab_size|attention\.head_count_kv|attention\.(key|value)_length_mla)$/;
/** These models load without the counts of attention heads and the width of dense networks. */
const WITHOUT_HEADS = new Set(['mamba', 'mamba2']);
const WITHOUT_WIDTH = new Set(['glm4moe', 'gpt-oss', 'mamba', 'mamba2']);

/** A model of each architecture, and the same model without each key that it needs. */
export function filesWithoutKeys(): readonly JudgedFile[] {
  return ARCHITECTURES.flatMap((name) => {
    const whole = { name, file: architectureModel(name), loads: true };
    return [
      whole,
      ...[...whole.file.metadata.keys()].filter(isNeeded(name)).map((key) => {
        const file = architectureModel(name);
        file.metadata.delete(key);
        return { name: `${name} without ${key}`, file, loads: false };
      }),
    ];
  });
}

function isNeeded(name: string): (key: string) => boolean {
  return (key) =>
    !NOT_NEEDED.test(key) &&
    !(WITHOUT_HEADS.has(name) && key.endsWith('.attention.head_count')) &&
    !(WITHOUT_WIDTH.has(name) && key.endsWith('.feed_forward_length'));
}

/** Architectures whose layers differ. */
const WITHOUT_PLAN = new Set(['glm4moe']);

/** A model of each architecture without each tensor of its last layer, and without each tensor outside of layers. */
export function filesWithoutTensors(): readonly JudgedFile[] {
  return ARCHITECTURES.filter((name) => !WITHOUT_PLAN.has(name)).flatMap((name) =>
    [...architectureModel(name).tensors.keys()]
      .filter((tensor) => !tensor.startsWith('blk.0.'))
      .map((tensor) => {
        const file = architectureModel(name);
        file.tensors.delete(tensor);
        return { name: `${name} without ${tensor}`, file, loads: false };
      }),
  );
}

/** Parts of a network that llama.cpp loads alone and then does not use: such a file is no model. */
const HALF_A_NETWORK =
  /ffn_(gate|up|down|gate_inp|norm)|pre_ffw|post_ffw_norm_|layer_output_norm|attn_q_a_norm/;

/**
 * Models whose layers differ: each whole, without each tensor, with each tensor that is optional, and with a tensor that the
 * architecture does not have.
 */
export function mixedFiles(): readonly JudgedFile[] {
  return MIXED_MODELS.flatMap((name) => {
    const changed = (change: string, loads: boolean, apply: (file: FileContents) => void) => {
      const file = architectureModel(name);
      apply(file);
      return { name: `${name} ${change}`, file, loads };
    };
    const set = (tensor: string, shape: readonly number[]) => (file: FileContents) =>
      file.tensors.set(tensor, { shape });
    return [
      changed('whole', true, () => undefined),
      ...[...architectureModel(name).tensors.keys()].map((tensor) =>
        changed(`without ${tensor}`, false, ({ tensors }) => tensors.delete(tensor)),
      ),
      ...Object.entries(optionalTensors(name))
        .filter(([tensor]) => !HALF_A_NETWORK.test(tensor))
        .map(([tensor, shape]) => changed(`with ${tensor}`, true, set(tensor, shape))),
      ...['blk.1.foo.weight', 'position_embd.weight', 'blk.1.attn_sinks.bias'].map((tensor) =>
        changed(`with ${tensor}`, false, set(tensor, [64])),
      ),
    ];
  });
}

const f32 = (value: number): MetadataValue => ({ type: 'f32', value });

const TOKENS = Array.from({ length: 8 }, (_, i) => `t${i}`);

/** Gives a model the tokenizer of PLaMo 2 with the first byte tokens. */
function plamo2({ metadata, tensors }: FileContents, bytes: number): void {
  const codes = Array.from({ length: bytes }, (_, i) => i.toString(16).toUpperCase());
  const tokens = [...TOKENS, ...codes.map((code) => `<0x${code.padStart(2, '0')}>`)];
  const types = tokens.map((token) => (token.startsWith('<0x') ? 6 : 1));
  metadata
    .set('tokenizer.ggml.model', 'plamo2')
    .set('tokenizer.ggml.tokens', tokens)
    .set('tokenizer.ggml.token_type', { type: 'i32s', value: types });
  tensors.set('token_embd.weight', { shape: [64, tokens.length] });
}

/** Chat templates, and whether the embedded engine loads a model with them. It aborts where it cannot parse one. */
const TEMPLATES: readonly (readonly [template: string, loads: boolean])[] = [
  ["{% for m in messages %}{{ '<|' + m['role'] + '|>' }}{% endfor %}", true],
  [
    '{%- if tools -%}{%- set x = {"a": {"b": [1]}} -%}{%- elif y -%}{%- else -%}{%- endif -%}',
    true,
  ],
  ['{% macro f(a, b=1) %}{{ a if b else "}}" }}{% endmacro %}{{ f(1) }}', true],
  ['{% generation %}{% break %}{% set x %}a{% endset %}{# {{ #}', true],
  ['{{ x | nosuchfilter }}{{ not x.y[1:-1] is nosuchtest }}}} %}', true],
  ['', false],
  ['{{ broken', false],
  ['{# broken', false],
  ['{{ "broken }}', false],
  ['{% if x %}a', false],
  ['{% if x %}a{% endfor %}', false],
  ['{% endif %}', false],
  ['{% else %}', false],
  ['{% if %}a{% endif %}', false],
  ['{% include "x" %}', false],
  ['{% raw %}a{% endraw %}', false],
  ['{% set x %}a', false],
  ['{{ }}', false],
  ['{{ (x }}', false],
  ['{{ x ] }}', false],
  ['{{ 1 + }}', false],
  ['{{ a b }}', false],
  ['{{ a ? b : c }}', false],
];

/** A llama model with a change, whether it then loads, and the change. */
const CHANGES: readonly (readonly [string, boolean, (file: FileContents) => void])[] = [
  ['bias of queries', true, ({ tensors }) => tensors.set('blk.0.attn_q.bias', { shape: [64] })],
  [
    'short bias of queries',
    false,
    ({ tensors }) => tensors.set('blk.0.attn_q.bias', { shape: [32] }),
  ],
  ['bias of a norm', false, ({ tensors }) => tensors.set('blk.0.attn_norm.bias', { shape: [64] })],
  [
    'norm of queries',
    false,
    ({ tensors }) => tensors.set('blk.0.attn_q_norm.weight', { shape: [16] }),
  ],
  [
    'router without experts',
    false,
    ({ tensors }) => tensors.set('blk.0.ffn_gate_inp.weight', { shape: [64, 2] }),
  ],
  [
    'second norm',
    false,
    ({ tensors }) => tensors.set('blk.0.post_ffw_norm.weight', { shape: [64] }),
  ],
  [
    'joined queries beside queries',
    false,
    ({ tensors }) => tensors.set('blk.0.attn_qkv.weight', { shape: [64, 128] }),
  ],
  [
    'layer with two zeros',
    false,
    ({ tensors }) => tensors.set('blk.00.attn_norm.weight', { shape: [64] }),
  ],
  ['rotation factors', true, ({ tensors }) => tensors.set('rope_freqs.weight', { shape: [8] })],
  ['factors of longrope', true, (file) => longFactors(file)],
  [
    'factors of longrope without its scaling',
    false,
    ({ tensors }) => tensors.set('rope_factors_long.weight', { shape: [8] }),
  ],
  [
    'rotation factors beside the scaling longrope',
    false,
    (file) => longFactors(file).tensors.set('rope_freqs.weight', { shape: [8] }),
  ],
  [
    'a tensor that no version has',
    false,
    ({ tensors }) => tensors.set('blk.0.attn_new.weight', { shape: [64] }),
  ],
  [
    'too many rotation factors',
    false,
    ({ tensors }) => tensors.set('rope_freqs.weight', { shape: [9] }),
  ],
  [
    'rotation factors in a layer',
    false,
    ({ tensors }) => tensors.set('blk.0.rope_freqs.weight', { shape: [8] }),
  ],
  ['output matrix', true, ({ tensors }) => tensors.set('output.weight', { shape: [64, 8] })],
  ['wide output matrix', false, ({ tensors }) => tensors.set('output.weight', { shape: [64, 9] })],
  ['positions', false, ({ tensors }) => tensors.set('position_embd.weight', { shape: [64, 512] })],
  ['long norm', false, ({ tensors }) => tensors.set('blk.1.ffn_norm.weight', { shape: [65] })],
  [
    'norm of two dimensions',
    false,
    ({ tensors }) => tensors.set('output_norm.weight', { shape: [64, 2] }),
  ],
  [
    'norm with a last dimension of 1',
    true,
    ({ tensors }) => tensors.set('output_norm.weight', { shape: [64, 1] }),
  ],
  [
    'wide attention output',
    false,
    ({ tensors }) => tensors.set('blk.0.attn_output.weight', { shape: [64, 96] }),
  ],
  [
    'turned gate',
    false,
    ({ tensors }) => tensors.set('blk.0.ffn_gate.weight', { shape: [96, 64] }),
  ],
  [
    'wide matrix upwards',
    false,
    ({ tensors }) => tensors.set('blk.1.ffn_up.weight', { shape: [64, 128] }),
  ],
  [
    'whole numbers as weights',
    false,
    ({ tensors }) => tensors.set('blk.1.ffn_down.weight', { shape: [96, 64], type: 24 }),
  ],
  [
    'epsilon of -1',
    false,
    ({ metadata }) => metadata.set('llama.attention.layer_norm_rms_epsilon', f32(-1)),
  ],
  [
    'epsilon that is no number',
    false,
    ({ metadata }) => metadata.set('llama.attention.layer_norm_rms_epsilon', f32(NaN)),
  ],
  [
    'epsilon of 0',
    true,
    ({ metadata }) => metadata.set('llama.attention.layer_norm_rms_epsilon', f32(0)),
  ],
  ['unknown rope scaling', false, ({ metadata }) => metadata.set('llama.rope.scaling.type', 'ntk')],
  ['rope scaling of YaRN', true, ({ metadata }) => metadata.set('llama.rope.scaling.type', 'yarn')],
  [
    'more layers for other tokens than layers',
    true,
    ({ metadata }) => metadata.set('llama.nextn_predict_layers', 3),
  ],
  [
    'count of tensors, but no parts',
    true,
    ({ metadata }) => metadata.set('split.tensors.count', { type: 'i32', value: 30 }),
  ],
  [
    'two parts without a number',
    false,
    ({ metadata }) => metadata.set('split.count', { type: 'u16', value: 2 }),
  ],
  [
    'a factor of RoPE as a whole number',
    false,
    ({ metadata }) => metadata.set('llama.rope.scaling.alpha', 1),
  ],
  [
    'used experts for each layer',
    false,
    ({ metadata }) => metadata.set('llama.expert_used_count', { type: 'i32s', value: [0, 0] }),
  ],
  [
    'experts without tensors',
    false,
    ({ metadata }) => metadata.set('llama.expert_count', 4).set('llama.expert_used_count', 2),
  ],
  [
    'pairs for Gemma 4 with an unknown pre-tokenizer',
    true,
    ({ metadata }) =>
      metadata
        .set('tokenizer.ggml.model', 'gemma4')
        .set('tokenizer.ggml.pre', 'x')
        .set('tokenizer.ggml.merges', ['a b']),
  ],
  ['no pairs', false, ({ metadata }) => metadata.set('tokenizer.ggml.model', 'gpt2')],
  [
    'an empty list of pairs',
    true,
    ({ metadata }) => metadata.set('tokenizer.ggml.model', 'gpt2').set('tokenizer.ggml.merges', []),
  ],
  [
    'no pairs, as Kimi K2',
    true,
    ({ metadata }) =>
      metadata.set('tokenizer.ggml.model', 'gpt2').set('tokenizer.ggml.pre', 'kimi-k2'),
  ],
  [
    'PLaMo 2 without types',
    false,
    ({ metadata }) => metadata.set('tokenizer.ggml.model', 'plamo2'),
  ],
  [
    'a token twice',
    false,
    ({ metadata }) => metadata.set('tokenizer.ggml.tokens', [...TOKENS.slice(1), 't3']),
  ],
  [
    'tokens that differ after a zero byte',
    false,
    ({ metadata }) => metadata.set('tokenizer.ggml.tokens', [...TOKENS.slice(2), 'a', 'a\0']),
  ],
  [
    'two empty tokens',
    true,
    ({ metadata }) => metadata.set('tokenizer.ggml.tokens', [...TOKENS.slice(2), '', '']),
  ],
  ['PLaMo 2 with a token for each byte', true, (file) => plamo2(file, 256)],
  ['PLaMo 2 without the last byte', false, (file) => plamo2(file, 255)],
  ...TEMPLATES.map(
    ([template, loads]) =>
      [
        `the chat template ${template}`,
        loads,
        ({ metadata }: FileContents) => metadata.set('tokenizer.chat_template', template),
      ] as const,
  ),
  ...['bert', 't5', 'rwkv'].map(
    (name) =>
      [
        `tokens alone for ${name}`,
        true,
        ({ metadata }: FileContents) => metadata.set('tokenizer.ggml.model', name),
      ] as const,
  ),
];

/** Llama models with one change. */
export function changedFiles(): readonly JudgedFile[] {
  return CHANGES.map(([name, loads, change]) => {
    const file = languageModel();
    change(file);
    return { name: `llama with: ${name}`, file, loads };
  });
}

/** Models, lists of their metadata, and whether llama.cpp checks the length of the list. */
const LISTS: readonly (readonly [
  model: string,
  key: string,
  value: readonly number[],
  checked: boolean,
])[] = [
  ['qwen3vl', 'qwen3vl.rope.dimension_sections', [4, 4, 0, 0], true],
  ['glm4moe', 'glm4moe.rope.dimension_sections', [4, 4, 0, 0], true],
  ['llama', 'llama.rope.dimension_sections', [4, 4, 0, 0], false],
  ['gemma4 dense', 'gemma4.attention.sliding_window_pattern', [1, 0], true],
  ['gemma3n dense', 'gemma3n.attention.sliding_window_pattern', [1, 0], false],
];

/** Models with a list of the right length, without its last value, and with one more value. */
export function filesWithLists(): readonly JudgedFile[] {
  return LISTS.flatMap(([name, key, whole, checked]) =>
    [whole, whole.slice(0, -1), [...whole, 0]].map((value) => {
      const file = architectureModel(name);
      file.metadata.set(key, { type: 'i32s', value });
      const loads = !checked || value.length === whole.length;
      return { name: `${name} with ${value.length} values in ${key}`, file, loads };
    }),
  );
}

/** A small model of an architecture whose layers have the tensors of llama, and these in each layer. */
function likeLlama(
  architecture: string,
  parts: Readonly<Record<string, readonly number[]>> = {},
): FileContents {
  const { metadata, tensors } = languageModel();
  for (const layer of [0, 1])
    for (const [part, shape] of Object.entries(parts))
      tensors.set(`blk.${layer}.${part}.weight`, { shape });
  const renamed = [...metadata].map(
    ([key, value]) => [key.replace(/^llama\./, `${architecture}.`), value] as const,
  );
  return { metadata: new Map([...renamed, ['general.architecture', architecture]]), tensors };
}

/** A small model of an architecture that joins queries, keys and values. */
function joined(architecture: string, change: (file: FileContents) => void): FileContents {
  const file = likeLlama(architecture, { attn_qkv: [64, 128] });
  for (const layer of [0, 1])
    for (const part of ['attn_q', 'attn_k', 'attn_v', 'ffn_gate'])
      file.tensors.delete(`blk.${layer}.${part}.weight`);
  change(file);
  return file;
}

/** Gives a model the scaling `longrope` and its factors. */
function longFactors(file: FileContents, architecture = 'llama'): FileContents {
  file.metadata.set(`${architecture}.rope.scaling.type`, 'longrope');
  for (const name of ['rope_factors_long', 'rope_factors_short'])
    file.tensors.set(`${name}.weight`, { shape: [8] });
  return file;
}

const BARE_NORMS = ['post_attention_norm', 'post_ffw_norm'];

/** Small models of architectures like llama. */
const LIKE_LLAMA: Readonly<Record<string, () => FileContents>> = {
  nanbeige: () => likeLlama('nanbeige'),
  // Published models have these factors (llama.cpp #21150).
  minicpm: () => longFactors(likeLlama('minicpm'), 'minicpm'),
  deci: () => longFactors(likeLlama('deci'), 'deci'),
  llada: () => likeLlama('llada'),
  bitnet: () => likeLlama('bitnet', { attn_sub_norm: [64], ffn_sub_norm: [96] }),
  arctic: () => {
    const file = likeLlama('arctic', {
      ffn_gate_inp: [64, 4],
      ffn_norm_exps: [64],
      ffn_gate_exps: [64, 64, 4],
      ffn_up_exps: [64, 64, 4],
      ffn_down_exps: [64, 64, 4],
      ffn_gate: [64, 64],
      ffn_up: [64, 64],
      ffn_down: [64, 64],
    });
    file.metadata.set('arctic.expert_count', 4).set('arctic.expert_used_count', 2);
    file.metadata.set('arctic.feed_forward_length', 64);
    return file;
  },
  mpt: () =>
    joined('mpt', ({ metadata }) => {
      metadata.set('mpt.attention.layer_norm_epsilon', { type: 'f32', value: 1e-5 });
    }),
  plamo3: () =>
    joined('plamo3', ({ tensors }) => {
      for (const layer of [0, 1]) {
        for (const part of BARE_NORMS) tensors.set(`blk.${layer}.${part}`, { shape: [64] });
        for (const part of ['attn_q_norm', 'attn_k_norm'])
          tensors.set(`blk.${layer}.${part}.weight`, { shape: [16] });
        tensors.set(`blk.${layer}.ffn_up.weight`, { shape: [64, 192] });
      }
    }),
};

/** Renames a tensor. */
const withName = (from: string, to: string) => (all: FileContents['tensors']) => {
  const tensor = all.get(from);
  if (tensor === undefined || !all.delete(from)) throw new Error(`There is no tensor ${from}.`);
  all.set(to, tensor);
};

const CHANGES_LIKE_LLAMA: readonly (readonly [
  architecture: string,
  change: string,
  apply: (tensors: FileContents['tensors']) => unknown,
])[] = [
  ['nanbeige', 'wider queries', (all) => all.set('blk.0.attn_q.weight', { shape: [64, 96] })],
  ['nanbeige', 'wider keys', (all) => all.set('blk.1.attn_k.weight', { shape: [64, 64] })],
  ['llada', 'a bias of the queries', (all) => all.set('blk.0.attn_q.bias', { shape: [64] })],
  ['bitnet', 'a bias of the values', (all) => all.set('blk.1.attn_v.bias', { shape: [32] })],
  ['arctic', 'no dense gate', (all) => all.delete('blk.1.ffn_gate.weight')],
  ['arctic', 'no dense matrix', (all) => all.delete('blk.1.ffn_up.weight')],
  ['mpt', 'a norm of the queries', (all) => all.set('blk.1.attn_q_norm.weight', { shape: [64] })],
  ...BARE_NORMS.map(
    (part) =>
      [
        'plamo3',
        `an ending of ${part}`,
        withName(`blk.1.${part}`, `blk.1.${part}.weight`),
      ] as const,
  ),
  ['plamo3', 'no norm', (all) => all.delete('blk.1.post_ffw_norm')],
  ...['attn_norm', 'attn_q', 'ffn_down'].map(
    (part) =>
      [
        'nanbeige',
        `no ending of ${part}`,
        withName(`blk.0.${part}.weight`, `blk.0.${part}`),
      ] as const,
  ),
  ['nanbeige', 'no ending of a shared norm', withName('output_norm.weight', 'output_norm')],
];

/** Models of architectures like llama, whole and with a change for which llama.cpp refuses them. */
export function filesLikeLlama(): readonly JudgedFile[] {
  const whole = Object.entries(LIKE_LLAMA).map(([name, make]) => ({
    name,
    file: make(),
    loads: true,
  }));
  const changed = CHANGES_LIKE_LLAMA.map(([name, change, apply]) => {
    const file = LIKE_LLAMA[name]?.() ?? languageModel();
    apply(file.tensors);
    return { name: `${name} with ${change}`, file, loads: false };
  });
  return [...whole, ...changed];
}
