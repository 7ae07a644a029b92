import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A published model: the fields of its config.json that matter, and the bytes of its tensors. */
export interface PublishedModel {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly weightsBytes: number;
}

/**
 * mlx-community/Llama-3.1-8B-Instruct-4bit. Config: meta-llama/Llama-3.1-8B-Instruct. Bytes: exo,
 * `PINNED_NCCL_MODEL_CARDS` in its tests, revision 90215b22. The bytes also follow from the shapes: 4-bit weights
 * in groups of 64 with a scale and an offset of 2 bytes take 0.5 + 4 / 64 = 0.5625 bytes each.
 *
 *     layer   4096 * (4096 + 1024 + 1024 + 4096) + 3 * 4096 * 14336 =   218,103,808
 *     all     32 * 218,103,808 + 2 * 128,256 * 4096                 = 8,029,995,008, * 0.5625 = 4,516,872,192
 *     norms   65 * 4096 * 2                                         =                                 532,480
 */
export const LLAMA_8B: PublishedModel = {
  name: 'Llama-3.1-8B-Instruct-4bit',
  config: {
    model_type: 'llama',
    num_hidden_layers: 32,
    hidden_size: 4096,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    max_position_embeddings: 131_072,
    torch_dtype: 'bfloat16',
  },
  weightsBytes: 4_517_404_672,
};

/**
 * mlx-community/gemma-3-1b-it-4bit, revision 2d44e83d. The model's index was not found. The bytes follow from the
 * shapes, with a separate output layer (`sanitize` in mlx-lm's gemma3_text.py adds it). Published: 733 MB on the
 * disk.
 *
 *     layer   1152 * (1024 + 256 + 256 + 1024) + 3 * 1152 * 6912    =    26,836,992
 *     all     26 * 26,836,992 + 2 * 262,144 * 1152                  = 1,301,741,568, * 0.5625 = 732,229,632
 *     norms   (26 * (4 * 1152 + 2 * 256) + 1152) * 2                =                               268,544
 */
export const GEMMA_1B: PublishedModel = {
  name: 'gemma-3-1b-it-4bit',
  config: {
    model_type: 'gemma3_text',
    num_hidden_layers: 26,
    hidden_size: 1152,
    num_attention_heads: 4,
    num_key_value_heads: 1,
    head_dim: 256,
    sliding_window: 512,
    sliding_window_pattern: 6,
    max_position_embeddings: 32_768,
    torch_dtype: 'bfloat16',
  },
  weightsBytes: 732_498_176,
};

/** Config of moonshotai/Kimi-Linear-48B-A3B-Instruct, whose context has another name (lmstudio-bug-tracker #1256). */
export const KIMI_LINEAR = {
  model_type: 'kimi_linear',
  num_hidden_layers: 27,
  hidden_size: 2304,
  num_attention_heads: 32,
  num_key_value_heads: 32,
  head_dim: 72,
  kv_lora_rank: 512,
  qk_nope_head_dim: 128,
  qk_rope_head_dim: 64,
  v_head_dim: 128,
  linear_attn_config: {
    head_dim: 128,
    num_heads: 32,
    short_conv_kernel_size: 4,
    kda_layers: [1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15, 17, 18, 19, 21, 22, 23, 25, 26],
    full_attn_layers: [4, 8, 12, 16, 20, 24, 27],
  },
  num_experts: 256,
  num_experts_per_token: 8,
  model_max_length: 1_048_576,
} as const;

/**
 * mlx-community/Qwen3-Coder-Next-4bit. Config: Qwen/Qwen3-Coder-Next. Bytes: exo, as for the first model, revision
 * 7b9321ea.
 */
export const QWEN_NEXT: PublishedModel = {
  name: 'Qwen3-Coder-Next-4bit',
  config: {
    model_type: 'qwen3_next',
    num_hidden_layers: 48,
    hidden_size: 2048,
    num_attention_heads: 16,
    num_key_value_heads: 2,
    head_dim: 256,
    full_attention_interval: 4,
    linear_num_key_heads: 16,
    linear_num_value_heads: 32,
    linear_key_head_dim: 128,
    linear_value_head_dim: 128,
    linear_conv_kernel_dim: 4,
    max_position_embeddings: 262_144,
    torch_dtype: 'bfloat16',
  },
  weightsBytes: 44_844_060_160,
};

/** The header of a safetensors file: `header`, or a header with one tensor. */
export function safetensorsHeader(tensorBytes: number, header?: string): Buffer {
  const tensor = { dtype: 'U8', shape: [tensorBytes], data_offsets: [0, tensorBytes] };
  const json = Buffer.from(
    header ?? JSON.stringify({ __metadata__: { format: 'mlx' }, 'model.weight': tensor }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json]);
}

/** Writes a sparse safetensors file, whose weights take no disk space. */
export function writeSafetensors(file: string, tensorBytes: number, missingBytes = 0): void {
  const header = safetensorsHeader(tensorBytes);
  const fd = openSync(file, 'w');
  writeSync(fd, header);
  ftruncateSync(fd, header.length + tensorBytes - missingBytes);
  closeSync(fd);
}

/** A new folder with the given files. */
export function modelFolder(files: Readonly<Record<string, string | Buffer>> = {}): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'mlx-model-'));
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files))
    writeFileSync(path.join(folder, name), content);
  return folder;
}

/** The folder of a published model, in one file without its weights. */
export function publishedFolder({ config, weightsBytes }: PublishedModel): string {
  const folder = modelFolder({ 'config.json': JSON.stringify(config) });
  writeSafetensors(path.join(folder, 'model.safetensors'), weightsBytes);
  return folder;
}
