import type { GgufHeader } from '../gguf/gguf-header.js';
import { projectorType } from '../gguf/projector-type.js';
import { imageEncoderGraph } from './models/image-encoder.js';
import { reserve } from './packing/allocate.js';
import type { Graph } from './tensors/graph.js';
import { itemAt } from '../item-at.js';

const BYTES_PER_VALUE = 4;
const CHANNELS = 3;
/** The graph of an encoder with more layers, which no file of a model has, is not built. */
const LAYERS_MAX = 512;
/** Indices of each patch's position, and of its place in the merged picture. */
const POSITIONS_PER_PATCH = 4;

/**
 * Tokens of the picture that the encoder's buffer is reserved for, by the type of projector. Other types reserve
 * a picture of `image_size`. Source: set_warmup_n_tokens in tools/mtmd/clip.cpp.
 */
const RESERVED_TOKENS: Readonly<Record<string, number>> = {
  qwen2vl_merger: 46 * 46,
  'qwen2.5vl_merger': 46 * 46,
  qwen3vl_merger: 46 * 46,
  dots_ocr: 46 * 46,
  glm4v: 46 * 46,
  paddleocr: 28 * 28,
  gemma4v: 16 * 16,
  pixtral: 16 * 16,
  lightonocr: 16 * 16,
  kimivl: 16 * 16,
  youtuvl: 16 * 16,
  phi4: 16 * 16,
};

/** Alignment of tensors in ggml's CPU buffers (TENSOR_ALIGNMENT), in bytes. */
const ALIGNMENT = 32;

/**
 * Bytes of the buffer of a projector's encoder, which is reserved at the load. `null` where the header lacks a figure. The graphs
 * of Gemma 3 and LLaVA are packed as ggml packs them, and are exact for build 10257 of llama.cpp on the CPU.
 *
 * For other projectors: the picture, its positions, the hidden state and twice the width of the feed-forward network. Exact for
 * Qwen3-VL-4B (322.49 MiB on LM Studio's runtime 2.13.0).
 */
export function visionEncoderBytes(projector: GgufHeader, flashAttention: boolean): number | null {
  const read = (key: string) => {
    const value = projector.metadata.get(`clip.vision.${key}`);
    return typeof value === 'number' && value > 0 ? value : null;
  };
  const patch = read('patch_size');
  const hidden = read('embedding_length');
  const feedForward = read('feed_forward_length');
  const heads = read('attention.head_count');
  const side = reservedSide(projector, patch, read);
  if (patch === null || hidden === null || feedForward === null || heads === null || side === null)
    return null;
  const layers = read('block_count');
  const type = projectorType(projector);
  if (layers !== null && layers <= LAYERS_MAX && (type === 'gemma3' || type === 'mlp')) {
    const shape = { type, hidden, heads, layers, patch, side, flashAttention } as const;
    const graph = imageEncoderGraph(projector, shape);
    const bytes = graph === null ? null : packedBytes(graph);
    if (bytes !== null) return bytes;
  }
  const patches = Math.floor(side / patch) ** 2;
  const values =
    CHANNELS * side * side + patches * (POSITIONS_PER_PATCH + hidden + 2 * feedForward);
  const scores = flashAttention ? 0 : heads * patches * patches;
  return BYTES_PER_VALUE * (values + scores);
}

/** `null` where the sizes in the header contradict each other. */
function packedBytes({ nodes, leaves }: Graph): number | null {
  for (const tensor of nodes) tensor.device = 0;
  for (const tensor of leaves) tensor.device = 0;
  const bytes = itemAt(reserve(nodes, leaves, [ALIGNMENT]).bytes, 0);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Pixels of a side of the picture that the buffer is reserved for. */
function reservedSide(
  projector: GgufHeader,
  patch: number | null,
  read: (key: string) => number | null,
): number | null {
  const type = projectorType(projector);
  const tokens =
    typeof type === 'string' && Object.hasOwn(RESERVED_TOKENS, type)
      ? RESERVED_TOKENS[type]
      : undefined;
  if (tokens === undefined || patch === null) return read('image_size');
  const merge = read('spatial_merge_size') ?? (type === 'gemma4v' ? 3 : 1);
  return Math.sqrt(tokens) * patch * merge;
}
