import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { corpusHeader } from '../../test/corpus.js';
import {
  emptyFile,
  headerOf,
  languageModel,
  type FileContents,
  type MetadataValue,
} from '../../test/language-model.js';
import { refuseMlx } from './other-kinds.js';
import { refuseEmbedded, refuseModel } from './refuse-model.js';
import type { ModelRefusalCode } from './model-refusal.js';

/** A language model with a change. */
function model(change: (file: FileContents) => void): FileContents {
  const file = languageModel();
  change(file);
  return file;
}

/** A file of another kind: its metadata and the names of its tensors. */
function other(
  architecture: string | null,
  metadata: Readonly<Record<string, string | number | boolean>>,
  ...tensors: readonly string[]
): FileContents {
  const file = emptyFile(architecture);
  for (const [key, value] of Object.entries(metadata)) file.metadata.set(key, value);
  for (const name of tensors) file.tensors.set(name, { shape: [32] });
  return file;
}

/** A llama model under the name of another architecture. */
function renamed(architecture: string): FileContents {
  const { metadata, tensors } = languageModel();
  const pairs = [...metadata].map(
    ([key, value]) => [key.replace(/^llama\./, `${architecture}.`), value] as const,
  );
  return {
    metadata: new Map<string, MetadataValue>([...pairs, ['general.architecture', architecture]]),
    tensors,
  };
}

test('a language model is accepted, even with an unknown architecture', async () => {
  expect(refuseModel(await headerOf(languageModel()))).toBeNull();
  expect(refuseModel(await headerOf(renamed('newer-than-this-package')))).toBeNull();
});

// llama.cpp loads these files.
test.each<[string, (file: FileContents) => void]>([
  ['a general.type of another kind', ({ metadata }) => metadata.set('general.type', 'adapter')],
  ['an unknown general.type', ({ metadata }) => metadata.set('general.type', 'quantized')],
  [
    'a vocabulary size in place of a vocabulary',
    ({ metadata }) => {
      metadata.set('tokenizer.ggml.model', 'none').set('llama.vocab_size', 8);
      metadata.delete('tokenizer.ggml.tokens');
    },
  ],
])('accepts a language model with %s', async (_, change) => {
  expect(refuseModel(await headerOf(model(change)))).toBeNull();
});

const names = readdirSync(join(__dirname, '../../test/corpus/headers'))
  .filter((name) => name.endsWith('.gguf-header.gz'))
  .map((name) => name.replace('.gguf-header.gz', ''));

test.each(names)('accepts %s, which llama.cpp loads', async (name) => {
  expect(refuseModel(await corpusHeader(name))).toBeNull();
});

test('a norm of Falcon H1 has no ending', async () => {
  const header = await corpusHeader('falcon-h1-1.5b-q4km');
  const tensors = header.tensors.map((tensor) =>
    tensor.name === 'blk.3.ffn_norm' ? { ...tensor, name: 'blk.3.ffn_norm.weight' } : tensor,
  );
  expect(refuseModel({ ...header, tensors })).toEqual({
    code: 'TENSORS_MISSING',
    reason: 'it lacks the tensor blk.3.ffn_norm',
  });
});

test.each<[string, FileContents, ModelRefusalCode]>([
  [
    'imatrix',
    other(null, { 'general.type': 'imatrix' }, 'blk.0.attn_q.weight.in_sum2'),
    'IMPORTANCE_MATRIX',
  ],
  [
    'imatrix by its tensors',
    other(null, {}, 'blk.0.attn_q.weight.in_sum2', 'blk.0.attn_q.weight.counts'),
    'IMPORTANCE_MATRIX',
  ],
  [
    'LoRA',
    other(
      'llama',
      { 'general.type': 'adapter', 'adapter.type': 'lora' },
      'blk.0.attn_q.weight.lora_a',
    ),
    'ADAPTER',
  ],
  [
    'LoRA of token embeddings',
    other('llama', {}, 'token_embd.weight.lora_a', 'token_embd.weight.lora_b'),
    'ADAPTER',
  ],
  ['control vector', other('controlvector', {}, 'direction.1', 'direction.2'), 'CONTROL_VECTOR'],
  ['MTP head of Gemma 4', renamed('gemma4-assistant'), 'DRAFT_HEAD'],
  ['EAGLE-3', renamed('eagle3'), 'DRAFT_HEAD'],
  [
    'projector',
    other('clip', { 'general.type': 'mmproj' }, 'v.blk.0.attn_q.weight', 'mm.0.weight'),
    'PROJECTOR',
  ],
  [
    'projector without a type',
    other('clip', { 'clip.has_audio_encoder': true }, 'a.blk.0.attn_q.weight'),
    'PROJECTOR',
  ],
  [
    'vocabulary',
    other('llama', { 'llama.block_count': 32, 'tokenizer.ggml.model': 'llama' }),
    'VOCABULARY',
  ],
  ['FLUX', other('flux', {}, 'double_blocks.0.img_attn.qkv.weight'), 'PICTURE_MODEL'],
  ['Wan', other('wan', {}, 'blocks.0.cross_attn.k.weight'), 'PICTURE_MODEL'],
  [
    'Stable Diffusion without an architecture',
    other(null, {}, 'model.diffusion_model.input_blocks.0.0.weight'),
    'PICTURE_MODEL',
  ],
  ['Whisper', other('whisper', {}, 'encoder.conv1.weight'), 'SPEECH_MODEL'],
  ['WavTokenizer', renamed('wavtokenizer-dec'), 'SPEECH_MODEL'],
  ['nothing known', other('made-up', {}, 'some.weight'), 'NOT_A_LANGUAGE_MODEL'],
  ['an empty file', other(null, {}), 'NOT_A_LANGUAGE_MODEL'],
  ['gpt-oss as Ollama names it', renamed('gptoss'), 'ARCHITECTURE'],
])('refuses: %s', async (_, file, code) => {
  expect(refuseModel(await headerOf(file))?.code).toBe(code);
});

const shape = (...extents: readonly number[]) => ({ shape: extents });

// llama.cpp v0.5.0 refuses each of these. Each was tried, except 'no layers', 'no tokens' and 'another width'.
test.each<[string, (file: FileContents) => void, ModelRefusalCode, RegExp]>([
  [
    'vision tensors',
    ({ tensors }) => tensors.set('v.blk.0.attn_q.weight', shape(32)),
    'LEFTOVER_TENSORS',
    /1 tensors of a vision/,
  ],
  [
    'a projection of pictures',
    ({ tensors }) => tensors.set('mm.0.weight', shape(32)),
    'LEFTOVER_TENSORS',
    /"mm\.0\.weight"/,
  ],
  [
    'a tensor of an unknown name',
    ({ tensors }) => tensors.set('foo.weight', shape(32)),
    'LEFTOVER_TENSORS',
    /"foo\.weight"/,
  ],
  [
    'a tensor after the last layer',
    ({ tensors }) => tensors.set('blk.9.attn_norm.weight', shape(64)),
    'LEFTOVER_TENSORS',
    /blk\.9/,
  ],
  [
    'one layer fewer in the metadata than in the tensors',
    ({ metadata }) => metadata.set('llama.block_count', 1),
    'LEFTOVER_TENSORS',
    /blk\.1/,
  ],
  [
    'one layer more in the metadata than in the tensors',
    ({ metadata }) => metadata.set('llama.block_count', 3),
    'TENSORS_MISSING',
    /blk\.2/,
  ],
  [
    'no token embeddings',
    ({ tensors }) => tensors.delete('token_embd.weight'),
    'TENSORS_MISSING',
    /token_embd/,
  ],
  [
    'no norm of the output',
    ({ tensors }) => tensors.delete('output_norm.weight'),
    'TENSORS_MISSING',
    /output_norm\.weight/,
  ],
  [
    'half of a feed-forward network',
    ({ tensors }) => tensors.delete('blk.1.ffn_down.weight'),
    'TENSORS_MISSING',
    /blk\.1\.ffn_down\.weight/,
  ],
  [
    'attention without its output',
    ({ tensors }) => tensors.delete('blk.0.attn_output.weight'),
    'TENSORS_MISSING',
    /blk\.0\.attn_output\.weight/,
  ],
  [
    'a tokenizer that llama.cpp does not have',
    ({ metadata }) => metadata.set('tokenizer.ggml.model', 'rwkv2'),
    'TOKENIZER',
    /"rwkv2"/,
  ],
  [
    'an empty name of the architecture',
    ({ metadata }) => metadata.set('general.architecture', ''),
    'METADATA_MISSING',
    /lacks general\.architecture$/,
  ],
  [
    'an architecture with control characters, which the reason leaves out',
    ({ metadata }) => metadata.set('general.architecture', 'a\n\u001b[31m'),
    'METADATA_MISSING',
    /lacks a\?\?\[31m\.context_length$/,
  ],
  [
    'no context_length',
    ({ metadata }) => metadata.delete('llama.context_length'),
    'METADATA_MISSING',
    /llama\.context_length/,
  ],
  [
    'no embedding_length',
    ({ metadata }) => metadata.delete('llama.embedding_length'),
    'METADATA_MISSING',
    /embedding_length/,
  ],
  [
    'no block_count',
    ({ metadata }) => metadata.delete('llama.block_count'),
    'METADATA_MISSING',
    /block_count/,
  ],
  [
    'no epsilon',
    ({ metadata }) => metadata.delete('llama.attention.layer_norm_rms_epsilon'),
    'METADATA_MISSING',
    /epsilon/,
  ],
  [
    'no architecture',
    ({ metadata }) => metadata.delete('general.architecture'),
    'METADATA_MISSING',
    /general\.architecture/,
  ],
  [
    'no tokenizer',
    ({ metadata }) => metadata.delete('tokenizer.ggml.model'),
    'METADATA_MISSING',
    /tokenizer\.ggml\.model/,
  ],
  [
    'no tokens',
    ({ metadata }) => metadata.delete('tokenizer.ggml.tokens'),
    'METADATA_MISSING',
    /tokenizer\.ggml\.tokens/,
  ],
  [
    'a vocabulary of another size',
    ({ metadata }) => metadata.set('tokenizer.ggml.tokens', ['a', 'b']),
    'METADATA_CONTRADICTORY',
    /2 tokens, but its token embeddings have 8 rows/,
  ],
  [
    'no head_count',
    ({ metadata }) => metadata.delete('llama.attention.head_count'),
    'METADATA_MISSING',
    /lacks llama\.attention\.head_count$/,
  ],
  [
    'no head_count_kv',
    ({ metadata }) => metadata.delete('llama.attention.head_count_kv'),
    'METADATA_CONTRADICTORY',
    /shapes/,
  ],
  [
    'twice as many heads in the metadata as in the tensors',
    ({ metadata }) =>
      metadata
        .set('llama.attention.head_count', 8)
        .set('llama.attention.key_length', 16)
        .set('llama.attention.value_length', 16),
    'METADATA_CONTRADICTORY',
    /attn_q/,
  ],
  [
    'another feed-forward width',
    ({ metadata }) => metadata.set('llama.feed_forward_length', 128),
    'METADATA_CONTRADICTORY',
    /ffn_down/,
  ],
  [
    'another width',
    ({ metadata }) => metadata.set('llama.embedding_length', 128),
    'METADATA_CONTRADICTORY',
    /token_embd\.weight" has the shape 64 × 8/,
  ],
  [
    'rotation of half a key',
    ({ metadata }) => metadata.set('llama.rope.dimension_count', 8),
    'METADATA_CONTRADICTORY',
    /rope\.dimension_count is 8/,
  ],
  [
    'a number of used experts, but no experts',
    ({ metadata }) => metadata.set('llama.expert_used_count', 2),
    'METADATA_CONTRADICTORY',
    /2 of 0 experts/,
  ],
  [
    'experts in the metadata, but no expert tensors',
    ({ metadata }) => metadata.set('llama.expert_count', 8).set('llama.expert_used_count', 2),
    'TENSORS_MISSING',
    /blk\.0\.ffn_gate_inp/,
  ],
  [
    'no layers',
    ({ metadata }) => metadata.set('llama.block_count', 0),
    'METADATA_CONTRADICTORY',
    /block_count is 0/,
  ],
])('refuses a language model with %s', async (_, change, code, reason) => {
  const refusal = refuseModel(await headerOf(model(change)));
  expect(refusal?.code).toBe(code);
  expect(refusal?.reason).toMatch(reason);
});

test.each([
  [31, /Q4_0_4_4, which llama\.cpp no longer has/],
  [36, /no longer has/],
  [139, /type 139, which llama\.cpp v0\.5\.0 does not have/],
])('refuses the tensor type %i', async (type, reason) => {
  // The last tensor is changed, because the end of a tensor of an unknown type is found only there.
  const file = model(({ tensors }) =>
    tensors.set('blk.1.ffn_down.weight', { shape: [96, 64], type }),
  );
  const refusal = refuseModel(await headerOf(file));
  expect(refusal?.code).toBe('TENSOR_TYPE');
  expect(refusal?.reason).toMatch(reason);
});

test('refuses a big-endian file', async () => {
  const header = await headerOf(languageModel(), { bigEndian: true });
  expect(refuseModel(header)?.code).toBe('BYTE_ORDER');
});

test('accepts a header without a vocabulary if the file lacks its weights too', async () => {
  const file = model(({ metadata }) => metadata.delete('tokenizer.ggml.tokens'));
  expect(refuseModel({ ...(await headerOf(file)), complete: false })).toBeNull();
});

test('accepts a split model whose other file is not downloaded yet', async () => {
  const file = model(({ tensors, metadata }) => {
    for (const name of [...tensors.keys()].slice(3)) tensors.delete(name);
    metadata.set('split.count', 2).set('split.tensors.count', 20);
  });
  const refusal = refuseModel(await headerOf(file));
  expect(refusal).toBeNull();
});

test('the embedded engine refuses an architecture that it does not have', async () => {
  expect(refuseEmbedded(await headerOf(renamed('qwen9')))).toEqual({
    code: 'ARCHITECTURE',
    reason: 'the embedded engine does not have its architecture "qwen9"',
  });
  expect(refuseEmbedded(await headerOf(renamed('qwen3')))).toBeNull();
});

test.each([
  ['llama', undefined],
  ['made-up', undefined],
  ['whisper', 'SPEECH_MODEL'],
  ['flux', 'PICTURE_MODEL'],
  [null, 'METADATA_MISSING'],
])('an MLX model of the kind %s has the refusal %s', (architecture, code) => {
  expect(refuseMlx({ architecture })?.code).toBe(code);
});

// Each was tried with build 10257 of llama.cpp, which gives the same verdict.
describe('a key of another type', () => {
  const refused = async (key: string, value: MetadataValue) =>
    refuseModel(await headerOf(model(({ metadata }) => metadata.set(key, value))));

  test.each<[string, MetadataValue, string]>([
    [
      'llama.block_count',
      { type: 'u64', value: 2 },
      'has the type uint64, but llama.cpp reads uint32',
    ],
    ['llama.block_count', { type: 'i32', value: 2 }, 'has the type int32'],
    ['llama.block_count', { type: 'f32', value: 2 }, 'has the type float32'],
    ['llama.block_count', '2', 'has the type string'],
    ['llama.context_length', { type: 'u64', value: 512 }, 'has the type uint64'],
    ['llama.attention.head_count', '4', 'has the type string'],
    ['llama.attention.head_count_kv', ['2', '2'], 'is an array of string'],
    ['llama.feed_forward_length', { type: 'f32s', value: [96, 96] }, 'is an array of float32'],
    ['llama.feed_forward_length', { type: 'u64s', value: [96, 96] }, 'is an array of uint64'],
    ['llama.feed_forward_length', { type: 'i32s', value: [96, 96, 96] }, 'has 3 values'],
    [
      'llama.attention.layer_norm_rms_epsilon',
      1,
      'has the type uint32, but llama.cpp reads float32',
    ],
    ['llama.rope.freq_base', { type: 'f64', value: 1e4 }, 'has the type float64'],
    ['llama.rope.scaling.type', 1, 'has the type uint32, but llama.cpp reads string'],
    ['llama.attention.key_length', { type: 'f32', value: 16 }, 'has the type float32'],
    ['llama.attention.causal', 1, 'has the type uint32, but llama.cpp reads bool'],
    ['llama.vocab_size', '8', 'has the type string'],
    ['general.name', 1, 'has the type uint32, but llama.cpp reads string'],
    ['general.file_type', '7', 'has the type string'],
    ['tokenizer.ggml.model', 1, 'has the type uint32'],
    ['tokenizer.ggml.tokens', { type: 'i32s', value: [0, 1, 2, 3, 4, 5, 6, 7] }, 'array of int32'],
    ['tokenizer.ggml.merges', 3, 'has the type uint32, but llama.cpp reads an array of strings'],
    ['tokenizer.ggml.bos_token_id', { type: 'i32', value: 1 }, 'has the type int32'],
    ['tokenizer.ggml.add_bos_token', 'true', 'has the type string, but llama.cpp reads bool'],
  ])('%s: %j', async (key, value, reason) => {
    const refusal = await refused(key, value);
    expect(refusal?.code).toBe('METADATA_TYPE');
    expect(refusal?.reason).toContain(reason);
  });

  test.each<[string, MetadataValue]>([
    ['llama.feed_forward_length', { type: 'i32s', value: [96, 96] }],
    // llama.cpp does not read these keys for this architecture.
    ['llama.attention.layer_norm_epsilon', { type: 'f64', value: 1e-5 }],
    ['llama.attention.sliding_window', '64'],
    ['llama.ssm.conv_kernel', { type: 'f32', value: 4 }],
    ['tokenizer.chat_template', 1],
  ])('accepts %s: %j', async (key, value) => {
    expect(await refused(key, value)).toBeNull();
  });

  test('lists of a vocabulary that are too short are refused', async () => {
    expect(await refused('tokenizer.ggml.scores', { type: 'f32s', value: [0] })).toMatchObject({
      code: 'METADATA_CONTRADICTORY',
      reason: expect.stringContaining('has 1 values, but its vocabulary has 8 tokens'),
    });
    expect((await refused('tokenizer.ggml.token_type', 3))?.code).toBe('METADATA_CONTRADICTORY');
  });
});

test.each(['gpt2', 'gemma4', 'hybriddna', 'whitespace'])(
  'a tokenizer %s that lacks the pairs that it merges is refused',
  async (name) => {
    const refused = async (pre: string) =>
      refuseModel(
        await headerOf(
          model(({ metadata }) =>
            metadata.set('tokenizer.ggml.model', name).set('tokenizer.ggml.pre', pre),
          ),
        ),
      );
    expect(await refused('default')).toMatchObject({
      reason: 'its metadata lacks tokenizer.ggml.merges',
    });
    // Gemma 4 has a pre-tokenizer of its own.
    expect((await refused('kimi-k2')) === null).toBe(name !== 'gemma4');
    // A vocabulary of tokens alone was shortened, if the file has no data either.
    const shortened = await headerOf(
      model(({ metadata }) => metadata.set('tokenizer.ggml.model', name)),
    );
    expect(refuseModel(shortened)?.reason).toBe('its metadata lacks tokenizer.ggml.merges');
    expect(refuseModel({ ...shortened, hasData: false })).toBeNull();
  },
);

describe('the embedded engine', () => {
  const refused = async (change: (file: FileContents) => void) =>
    refuseModel(await headerOf(model(change)), 'embedded');

  test('refuses a pre-tokenizer that its build does not have', async () => {
    const pre = (value: string) => (file: FileContents) =>
      file.metadata
        .set('tokenizer.ggml.model', 'gpt2')
        .set('tokenizer.ggml.pre', value)
        .set('tokenizer.ggml.merges', ['a b']);
    expect(await refused(pre('qwen2'))).toBeNull();
    expect((await refused(pre('qwen9')))?.reason).toContain('its pre-tokenizer "qwen9"');
    // A newer llama.cpp may have it.
    expect(refuseModel(await headerOf(model(pre('qwen9'))))).toBeNull();
  });

  test('refuses a number of parts in another type', async () => {
    const count = (value: MetadataValue) =>
      refused(({ metadata }) => metadata.set('split.count', value));
    expect(await count({ type: 'u16', value: 1 })).toBeNull();
    expect((await count(1))?.code).toBe('METADATA_TYPE');
  });
});
