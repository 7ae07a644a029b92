import type { GgufHeader } from '../gguf/gguf-header.js';
import { projectorType } from '../gguf/projector-type.js';

const BYTES_PER_VALUE = 4;
const CHANNELS = 3;
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

/**
 * How the tokens of an image attend to each other; `none` without a projector. Non-causal is in both directions, so the
 * engine computes an image in one step.
 */
export type ImageAttention = 'none' | 'causal' | 'non-causal';

/** Types of projectors in `mtmd_decode_use_non_causal` of tools/mtmd/mtmd.cpp. */
const NON_CAUSAL: ReadonlySet<unknown> = new Set(['gemma3', 'gemma4v', 'gemma4uv']);

/** How the tokens of a projector's images attend to each other. */
export function imageAttentionOf(projector: GgufHeader): Exclude<ImageAttention, 'none'> {
  return NON_CAUSAL.has(projectorType(projector)) ? 'non-causal' : 'causal';
}

/**
 * Bytes of the buffer of a projector's encoder, which is reserved at the load: the picture, its positions, and of two
 * stages the larger: the hidden state and twice the width of the feed-forward network, or the hidden state and twice the
 * width of a projector of two layers. `null` where the header lacks a figure. Exact for Qwen3-VL-4B (322.49 MiB on LM
 * Studio's runtime 2.13.0), and for LLaVA 1.5 on the CPU with build 10257 of llama.cpp; a third too much for Gemma 3 there.
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
  const patches = Math.floor(side / patch) ** 2;
  const widest = Math.max(feedForward, mlpWidth(projector));
  const values = CHANNELS * side * side + patches * (POSITIONS_PER_PATCH + hidden + 2 * widest);
  const scores = flashAttention ? 0 : heads * patches * patches;
  return BYTES_PER_VALUE * (values + scores);
}

/** Width of the vectors that a projector of two layers makes of each patch; 0 for another projector. */
function mlpWidth(projector: GgufHeader): number {
  if (projectorType(projector) !== 'mlp') return 0;
  const [, width = 0] = projector.tensors.find(({ name }) => name === 'mm.0.weight')?.shape ?? [];
  return width;
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
