import type { MlxCacheShape } from './cache-shape.js';

/** How mlx-engine quantizes the KV cache. It is off by default. */
export interface MlxKvQuantization {
  readonly bits: 2 | 3 | 4 | 6 | 8;
  /** Numbers that share a scale and an offset of 2 bytes each. LM Studio's default is 64. */
  readonly groupSize: 32 | 64 | 128;
  /** The cache is not quantized up to this number of tokens. LM Studio's default is 5000. */
  readonly fromTokens: number;
}

/** Numbers of tokens that mlx-engine may read of a prompt at once. It takes the first number that fits. */
export const PREFILL_STEPS = [2048, 1024, 512] as const;

/** The memory of one sequence while its prompt is read, in bytes. */
export interface SequenceMemory {
  readonly kvCacheBytes: number;
  /** Recurrent and convolution states. */
  readonly stateBytes: number;
  /** Embeddings of the prompt. */
  readonly promptInputBytes: number;
  /** Attention scores of one prefill step. */
  readonly attentionBytes: number;
}

/**
 * The peak memory of one sequence whose prompt fills the context.
 *
 * The formula comes from mlx-engine's `batched_vision/context_fit.py`. Prompt and cache have the same length:
 * `windowed bytes/token * (window - 1 + step) + input bytes/token * tokens + full KV bytes/token * tokens + heads *
 * number bytes * step * tokens`.
 *
 * @param tokens Tokens in the context.
 * @param stepTokens Tokens of the prompt that are read at once.
 */
export function sequenceMemory(
  shape: MlxCacheShape,
  tokens: number,
  stepTokens: number,
  kvQuantization: MlxKvQuantization | null = null,
): SequenceMemory {
  const windowed = Math.min(tokens, shape.windowTokens - 1 + stepTokens);
  return {
    kvCacheBytes:
      shape.windowBytesPerToken * windowed + fullCacheBytes(shape, tokens, kvQuantization),
    stateBytes: shape.stateBytes,
    promptInputBytes: shape.inputBytesPerToken * tokens,
    attentionBytes: shape.scoreBytes * stepTokens * tokens,
  };
}

export function sumSequence(memory: SequenceMemory): number {
  const { kvCacheBytes, stateBytes, promptInputBytes, attentionBytes } = memory;
  return kvCacheBytes + stateBytes + promptInputBytes + attentionBytes;
}

/** Bytes of a scale and an offset, which each group of quantized numbers has. */
const GROUP_BYTES = 4;

/** Bytes of the cache that is not windowed. mlx-engine never quantizes a windowed cache. */
function fullCacheBytes(
  { kvBytesPerToken, numberBytes }: MlxCacheShape,
  tokens: number,
  quantization: MlxKvQuantization | null,
): number {
  if (quantization === null) return kvBytesPerToken * tokens;
  const { bits, groupSize, fromTokens } = quantization;
  const ratio = (bits / 8 + GROUP_BYTES / groupSize) / numberBytes;
  // The cache is quantized only after `fromTokens` tokens, so it has its full width until then.
  const before = kvBytesPerToken * Math.min(tokens, fromTokens);
  return Math.max(before, Math.ceil(kvBytesPerToken * tokens * ratio));
}
