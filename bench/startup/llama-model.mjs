// A llama-like model with a complete header. The tensors' data is a hole in a sparse file.
import { writeGguf } from '../accuracy/src/models/write-gguf.mjs';

/**
 * @param {string} file
 * @param {{ name: string, layers: number, width: number, vocabulary: number }} shape
 */
export function writeLlamaModel(file, shape) {
  writeGguf(file, { metadata: metadata(shape), tensors: tensors(shape) });
}

function metadata({ name, layers, width, vocabulary }) {
  return {
    'general.architecture': 'llama',
    'general.name': name,
    'general.file_type': 1,
    'llama.context_length': 32_768,
    'llama.embedding_length': width,
    'llama.block_count': layers,
    'llama.feed_forward_length': width * 3,
    'llama.attention.head_count': 32,
    'llama.attention.head_count_kv': 8,
    'llama.attention.layer_norm_rms_epsilon': 1e-5,
    'llama.rope.dimension_count': width / 32,
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.tokens': Array.from({ length: vocabulary }, (_, i) => `token${i}`),
  };
}

function tensors({ layers, width, vocabulary }) {
  const tensor = (name, ...dims) => ({ name: `${name}.weight`, dims, type: 'F16' });
  const kv = width / 4;
  return [
    tensor('token_embd', width, vocabulary),
    tensor('output_norm', width),
    tensor('output', width, vocabulary),
    ...Array.from({ length: layers }, (_, layer) => [
      tensor(`blk.${layer}.attn_norm`, width),
      tensor(`blk.${layer}.attn_q`, width, width),
      tensor(`blk.${layer}.attn_k`, width, kv),
      tensor(`blk.${layer}.attn_v`, width, kv),
      tensor(`blk.${layer}.attn_output`, width, width),
      tensor(`blk.${layer}.ffn_norm`, width),
      tensor(`blk.${layer}.ffn_gate`, width, width * 3),
      tensor(`blk.${layer}.ffn_up`, width, width * 3),
      tensor(`blk.${layer}.ffn_down`, width * 3, width),
    ]).flat(),
  ];
}
