// A model of 8 billion parameters with a vocabulary of 150,000 tokens, as converters write it: tokens, their types
// and the merges of a byte-pair encoding. The header is complete. The tensors' data is a hole in a sparse file.
import { writeGguf } from '../accuracy/src/models/write-gguf.mjs';

export const TOKENS = 150_000;
const LAYERS = 36;
const [WIDTH, KV_WIDTH, FEED_FORWARD] = [4096, 1024, 12_288];

/** Writes the model. The header has about 6 MiB. */
export function writeVocabularyModel(file) {
  writeGguf(file, { metadata: metadata(), tensors: tensors() });
}

function metadata() {
  const words = Array.from({ length: TOKENS }, (_, i) => word(i));
  return {
    'general.architecture': 'qwen3',
    'general.name': 'vocabulary of 150,000',
    'qwen3.block_count': LAYERS,
    'qwen3.context_length': 40_960,
    'qwen3.embedding_length': WIDTH,
    'qwen3.feed_forward_length': FEED_FORWARD,
    'qwen3.attention.head_count': 32,
    'qwen3.attention.head_count_kv': 8,
    'qwen3.attention.key_length': 128,
    'qwen3.attention.value_length': 128,
    'qwen3.attention.layer_norm_rms_epsilon': 0.000001,
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': 'qwen2',
    'tokenizer.ggml.tokens': words,
    'tokenizer.ggml.token_type': words.map(() => 1),
    'tokenizer.ggml.merges': words.map((text) => `${text.slice(0, 2)} ${text.slice(2)}`),
    'tokenizer.ggml.eos_token_id': 2,
  };
}

/** Each token is a different word of three to ten letters, like most real tokens. */
function word(i) {
  const letters = i.toString(36);
  return `\u0120${letters}${'abcdefgh'.slice(0, (i * 7) % 9)}`;
}

function tensors() {
  const matrix = (name, columns, rows) => ({
    name: `${name}.weight`,
    dims: [columns, rows],
    type: 'Q4_K',
  });
  const norm = (name, length) => ({ name: `${name}.weight`, dims: [length], type: 'F32' });
  return [
    matrix('token_embd', WIDTH, TOKENS),
    norm('output_norm', WIDTH),
    matrix('output', WIDTH, TOKENS),
    ...Array.from({ length: LAYERS }, (_, layer) =>
      [
        norm('attn_norm', WIDTH),
        matrix('attn_q', WIDTH, WIDTH),
        matrix('attn_k', WIDTH, KV_WIDTH),
        matrix('attn_v', WIDTH, KV_WIDTH),
        matrix('attn_output', WIDTH, WIDTH),
        norm('attn_q_norm', 128),
        norm('attn_k_norm', 128),
        norm('ffn_norm', WIDTH),
        matrix('ffn_gate', WIDTH, FEED_FORWARD),
        matrix('ffn_up', WIDTH, FEED_FORWARD),
        matrix('ffn_down', FEED_FORWARD, WIDTH),
      ].map((tensor) => ({ ...tensor, name: `blk.${layer}.${tensor.name}` })),
    ).flat(),
  ];
}
