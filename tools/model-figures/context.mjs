// Memory that a context takes in addition to the weights: the KV cache and the compute buffer, by
// llama.cpp's rules (ggml-org/llama.cpp: src/llama-kv-cache.cpp, src/llama-kv-cache-iswa.cpp, src/llama-
// graph.cpp).
import { bytesOf } from './blocks.mjs';

/** Tokens that are computed in one step, by default, in llama.cpp and LM Studio. */
const MICRO_BATCH_TOKENS = 512;
/** The cache of a sliding window is padded to a multiple of this (llama-kv-cache-iswa.cpp). */
const CACHE_PADDING_TOKENS = 256;
const KV_TYPE = 'Q8_0';
const EMBEDDING_KV_TYPE = 'F16';

/** Bytes of the KV cache with this many tokens of context. */
export function cacheBytes(model, contextTokens) {
  if (model.architecture === 'nomic-bert') return 0; // An encoder has no KV cache.
  const type = model.embedding === true ? EMBEDDING_KV_TYPE : KV_TYPE;
  const perToken = 2 * bytesOf(type, model.kvHeads * model.headDim);
  const { slidingWindow } = model;
  let cells = 0;
  for (let layer = 0; layer < model.layers; layer += 1) {
    const full = slidingWindow === undefined || (layer + 1) % slidingWindow.fullLayerEvery === 0;
    cells += full
      ? contextTokens
      : Math.min(
          contextTokens,
          Math.ceil((slidingWindow.tokens + MICRO_BATCH_TOKENS) / CACHE_PADDING_TOKENS) *
            CACHE_PADDING_TOKENS,
        );
  }
  return cells * perToken;
}

/**
 * Bytes of the compute buffer with flash attention: the largest of what the output layer, the attention and the
 * feed-forward network hold at once for one micro-batch. For nine of ten models the result differs from
 * llama.cpp's by at most 1 percent of the model's total memory.
 */
export function computeBytes(model, contextTokens) {
  const tokens = Math.min(MICRO_BATCH_TOKENS, contextTokens);
  const hidden = 4 * model.hiddenSize * tokens;
  const mask = 2 * contextTokens * tokens;
  const output = (model.embedding === true ? 0 : 4 * model.vocabSize * tokens) + 2 * hidden;
  const attention = mask + 8 * tokens * model.heads * model.headDim + 2 * hidden;
  const used = model.experts?.used ?? null;
  const feedForward =
    used === null
      ? 8 * model.feedForwardSize * tokens + 3 * hidden + mask
      : (8 * model.feedForwardSize + 4 * model.hiddenSize) * used * tokens + 3 * hidden + mask;
  return Math.max(output, attention, feedForward);
}
