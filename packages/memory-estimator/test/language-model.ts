import { readGgufHeader } from '../src/gguf/read-gguf-header.js';
import type { GgufHeader } from '../src/gguf/gguf-header.js';
import { GgufWriter, TENSOR_TYPES, type Value, type WrittenTensor } from './gguf-writer.js';

/** A number is written as a uint32, and a list as strings. `Value` names another type. */
export type MetadataValue = string | number | boolean | readonly string[] | Value;

/** The contents of a file: metadata by key, tensors by name. A test may change both before the file is written. */
export interface FileContents {
  readonly metadata: Map<string, MetadataValue>;
  readonly tensors: Map<string, { readonly shape: readonly number[]; readonly type?: number }>;
}

/** A llama model, of two small layers unless told otherwise, which llama.cpp v0.5.0 loads. */
export function languageModel({
  layers = 2,
  width = 64,
  feedForward = 96,
  contextLength = 512,
} = {}): FileContents {
  const [keys, vocabulary] = [width / 2, 8];
  const metadata: FileContents['metadata'] = new Map<string, MetadataValue>([
    ['general.architecture', 'llama'],
    ['general.type', 'model'],
    ['llama.block_count', layers],
    ['llama.context_length', contextLength],
    ['llama.embedding_length', width],
    ['llama.feed_forward_length', feedForward],
    ['llama.attention.head_count', 4],
    ['llama.attention.head_count_kv', 2],
    ['llama.attention.layer_norm_rms_epsilon', { type: 'f32', value: 1e-5 }],
    ['tokenizer.ggml.model', 'llama'],
    ['tokenizer.ggml.tokens', Array.from({ length: vocabulary }, (_, i) => `t${i}`)],
  ]);
  const tensors: FileContents['tensors'] = new Map([
    ['token_embd.weight', { shape: [width, vocabulary] }],
    ['output_norm.weight', { shape: [width] }],
  ]);
  for (let layer = 0; layer < layers; layer += 1) {
    for (const [part, shape] of Object.entries({
      attn_norm: [width],
      attn_q: [width, width],
      attn_k: [width, keys],
      attn_v: [width, keys],
      attn_output: [width, width],
      ffn_norm: [width],
      ffn_gate: [width, feedForward],
      ffn_up: [width, feedForward],
      ffn_down: [feedForward, width],
    }))
      tensors.set(`blk.${layer}.${part}.weight`, { shape });
  }
  return { metadata, tensors };
}

/** A file with only an architecture. */
export function emptyFile(architecture: string | null): FileContents {
  return {
    metadata: new Map(architecture === null ? [] : [['general.architecture', architecture]]),
    tensors: new Map(),
  };
}

/** Reads the header of a file. */
export async function headerOf(
  contents: FileContents,
  options: { readonly bigEndian?: boolean } = {},
): Promise<GgufHeader> {
  return readGgufHeader(bytesOf(contents, options));
}

/** The bytes of a file, with tensor data of zeros. */
export function bytesOf(
  contents: FileContents,
  options: { readonly bigEndian?: boolean } = {},
): Buffer {
  const { header, dataBytes } = headerBytesOf(contents, options);
  return Buffer.concat([header, Buffer.alloc(dataBytes)]);
}

/** The bytes of a file's header, and the length of the tensor data after it. */
export function headerBytesOf(
  { metadata, tensors }: FileContents,
  options: { readonly bigEndian?: boolean } = {},
): { readonly header: Buffer; readonly dataBytes: number } {
  const writer = new GgufWriter(options).counts(tensors.size, metadata.size);
  for (const [key, value] of metadata) {
    if (typeof value === 'string') writer.pair(key, { type: 'string', value });
    else if (typeof value === 'number') writer.pair(key, { type: 'u32', value });
    else if (typeof value === 'boolean') writer.pair(key, { type: 'bool', value });
    else if ('type' in value) writer.pair(key, value);
    else writer.pair(key, { type: 'strings', value });
  }
  let offset = 0;
  for (const [name, { shape, type = TENSOR_TYPES.F32 }] of tensors) {
    const tensor: WrittenTensor = { name, shape, type, offset };
    writer.tensor(tensor);
    offset += Math.ceil(shape.reduce((product, extent) => product * extent, 4) / 32) * 32;
  }
  const header = writer.bytes();
  const padding = (32 - (header.length % 32)) % 32;
  return { header: Buffer.concat([header, Buffer.alloc(padding)]), dataBytes: offset };
}
