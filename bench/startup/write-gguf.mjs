// Writes GGUF files with complete headers. The tensors' data is a hole in a sparse file and takes no disk
// space.
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';

const ALIGNMENT = 32;
const TYPE = { uint32: 4, float32: 6, string: 8, array: 9, int32: 5 };
const F16 = 1;

/**
 * A llama-like model.
 *
 * @param {string} file
 * @param {{ name: string, layers: number, width: number, vocabulary: number }} shape
 */
export function writeGguf(file, { name, layers, width, vocabulary }) {
  const metadata = [
    ['general.architecture', TYPE.string, 'llama'],
    ['general.name', TYPE.string, name],
    ['general.file_type', TYPE.uint32, 1],
    ['llama.context_length', TYPE.uint32, 32_768],
    ['llama.embedding_length', TYPE.uint32, width],
    ['llama.block_count', TYPE.uint32, layers],
    ['llama.feed_forward_length', TYPE.uint32, width * 3],
    ['llama.attention.head_count', TYPE.uint32, 32],
    ['llama.attention.head_count_kv', TYPE.uint32, 8],
    ['llama.attention.layer_norm_rms_epsilon', TYPE.float32, 1e-5],
    ['llama.rope.dimension_count', TYPE.uint32, width / 32],
    ['tokenizer.ggml.model', TYPE.string, 'gpt2'],
    [
      'tokenizer.ggml.tokens',
      TYPE.array,
      Array.from({ length: vocabulary }, (_, i) => `token${i}`),
    ],
  ];
  const kv = width / 4;
  const tensors = [
    ['token_embd.weight', [width, vocabulary]],
    ['output_norm.weight', [width]],
    ['output.weight', [width, vocabulary]],
    ...Array.from({ length: layers }, (_, layer) => [
      [`blk.${layer}.attn_norm.weight`, [width]],
      [`blk.${layer}.attn_q.weight`, [width, width]],
      [`blk.${layer}.attn_k.weight`, [width, kv]],
      [`blk.${layer}.attn_v.weight`, [width, kv]],
      [`blk.${layer}.attn_output.weight`, [width, width]],
      [`blk.${layer}.ffn_norm.weight`, [width]],
      [`blk.${layer}.ffn_gate.weight`, [width, width * 3]],
      [`blk.${layer}.ffn_up.weight`, [width, width * 3]],
      [`blk.${layer}.ffn_down.weight`, [width * 3, width]],
    ]).flat(),
  ];

  const parts = [Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(metadata.length)];
  for (const [key, type, value] of metadata)
    parts.push(string(key), u32(type), encode(type, value));
  let offset = 0;
  for (const [tensor, dimensions] of tensors) {
    parts.push(
      string(tensor),
      u32(dimensions.length),
      ...dimensions.map(u64),
      u32(F16),
      u64(offset),
    );
    const bytes = dimensions.reduce((product, size) => product * size, 2);
    offset += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
  }
  const header = Buffer.concat(parts);
  const dataStart = Math.ceil(header.length / ALIGNMENT) * ALIGNMENT;
  const descriptor = openSync(file, 'w');
  writeSync(descriptor, header);
  ftruncateSync(descriptor, dataStart + offset);
  closeSync(descriptor);
}

function encode(type, value) {
  if (type === TYPE.string) return string(value);
  if (type === TYPE.array) {
    return Buffer.concat([u32(TYPE.string), u64(value.length), ...value.map(string)]);
  }
  if (type === TYPE.float32) {
    const buffer = Buffer.alloc(4);
    buffer.writeFloatLE(value);
    return buffer;
  }
  return u32(value);
}

function string(text) {
  const bytes = Buffer.from(text);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function u32(value) {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

function u64(value) {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
}
