import type { EngineSpec } from '../process/messages.js';
import type { ContextOptions } from './llama-door.js';

/**
 * Prompt tokens that one step of the slot manager computes, which is also the micro-batch: llama.cpp reserves compute
 * buffers for a whole micro-batch. A step is finished before a cancellation takes effect, so on a CPU steps are short.
 * A GPU computes a large step about as fast as a small one. An image of Gemma 3 has 256 tokens, and one of Gemma 4 up to
 * 280 (set_limit_image_tokens in tools/mtmd/clip.cpp); where they attend in both directions, all must be in one step.
 */
const STEP_TOKENS = { short: 32, long: 512 };
/** Largest input of an embedding model. Its whole input is one micro-batch, so the compute buffers grow with it. */
const MOST_EMBEDDING_TOKENS = 2048;

/** Tokens of the largest input that an embedding model takes at once. */
export function embeddingInputTokens(spec: EngineSpec): number {
  return Math.min(spec.contextLengthTokens, MOST_EMBEDDING_TOKENS);
}

/** Requests that run at the same time. Embeddings run one by one: an input must not be split between two batches. */
export function slotsOf(spec: EngineSpec): number {
  return spec.kind === 'embedding' ? 1 : spec.parallelSequences;
}

/** Prompt tokens that one step computes. */
export function stepTokensOf(spec: EngineSpec): number {
  if (spec.kind === 'embedding') return embeddingInputTokens(spec);
  return spec.gpuLayers > 0 || spec.nonCausalImages ? STEP_TOKENS.long : STEP_TOKENS.short;
}

/**
 * The options of the context. The slot manager gives each sequence an equal share of the cells, so the KV cache has
 * cells for `contextLengthTokens` times `parallelSequences`.
 */
export function contextOptionsOf(spec: EngineSpec): ContextOptions {
  const isEmbedding = spec.kind === 'embedding';
  const batch = stepTokensOf(spec);
  return {
    model: spec.file,
    n_ctx: spec.contextLengthTokens * slotsOf(spec),
    n_batch: batch,
    n_ubatch: batch,
    n_parallel: slotsOf(spec),
    n_threads: spec.threads,
    n_gpu_layers: spec.gpuLayers,
    n_cpu_moe: spec.cpuExpertLayers,
    flash_attn_type: spec.flashAttention === null ? 'auto' : spec.flashAttention ? 'on' : 'off',
    cache_type_k: spec.kvCacheTypeK,
    cache_type_v: spec.kvCacheTypeV,
    // A full context ends an answer with `length`. Shifting would drop the start of the prompt silently.
    ctx_shift: false,
    kv_unified: true,
    swa_full: false,
    use_mmap: true,
    use_mlock: spec.locksWeights,
    embedding: isEmbedding,
  };
}
