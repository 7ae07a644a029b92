import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const ALIGNMENT = 32;
const UINT32 = 4;
const FLOAT32 = 6;
const STRING = 8;
const F16 = 1;

export interface TinyModel {
  readonly name?: string;
  readonly layers?: number;
  readonly width?: number;
  readonly vocabulary?: number;
  readonly contextLength?: number;
}

/** The bytes of a llama-like GGUF header, and the size of the weights that follow the header. */
export function tinyGguf(model: TinyModel = {}): { header: Buffer; dataBytes: number } {
  const { name = 'Tiny', layers = 2, width = 256, vocabulary = 512, contextLength = 8192 } = model;
  const metadata: [string, number, string | number][] = [
    ['general.architecture', STRING, 'llama'],
    ['general.name', STRING, name],
    ['llama.context_length', UINT32, contextLength],
    ['llama.embedding_length', UINT32, width],
    ['llama.block_count', UINT32, layers],
    ['llama.feed_forward_length', UINT32, width * 3],
    ['llama.attention.head_count', UINT32, 4],
    ['llama.attention.head_count_kv', UINT32, 2],
    ['llama.attention.layer_norm_rms_epsilon', FLOAT32, 1e-5],
    ['llama.vocab_size', UINT32, vocabulary],
    ['tokenizer.ggml.model', STRING, 'none'],
    ['tokenizer.chat_template', STRING, '{% if tools %}{{ tools }}{% endif %}'],
  ];
  const tensors: [string, number[]][] = [
    ['token_embd.weight', [width, vocabulary]],
    ['output_norm.weight', [width]],
    ['output.weight', [width, vocabulary]],
  ];
  for (let layer = 0; layer < layers; layer += 1) {
    const add = (part: string, shape: number[]) =>
      tensors.push([`blk.${layer}.${part}.weight`, shape]);
    add('attn_norm', [width]);
    add('attn_q', [width, width]);
    add('attn_k', [width, width / 2]);
    add('attn_v', [width, width / 2]);
    add('attn_output', [width, width]);
    add('ffn_norm', [width]);
    add('ffn_gate', [width, width * 3]);
    add('ffn_up', [width, width * 3]);
    add('ffn_down', [width * 3, width]);
  }
  const parts = [Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(metadata.length)];
  for (const [key, type, value] of metadata) {
    parts.push(text(key), u32(type));
    if (typeof value === 'string') parts.push(text(value));
    else parts.push(type === FLOAT32 ? f32(value) : u32(value));
  }
  let dataBytes = 0;
  for (const [key, shape] of tensors) {
    parts.push(text(key), u32(shape.length), ...shape.map(u64), u32(F16), u64(dataBytes));
    const bytes = shape.reduce((product, size) => product * size, 2);
    dataBytes += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
  }
  const header = Buffer.concat(parts);
  const padding = Buffer.alloc((ALIGNMENT - (header.length % ALIGNMENT)) % ALIGNMENT);
  return { header: Buffer.concat([header, padding]), dataBytes };
}

/** Writes a whole model file. The weights are a hole in the file, so they take no disk space. */
export function writeTinyModel(file: string, model: TinyModel = {}): void {
  const { header, dataBytes } = tinyGguf(model);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, header);
  truncateSync(file, header.length + dataBytes);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

function f32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeFloatLE(value);
  return buffer;
}

function u64(value: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
}
