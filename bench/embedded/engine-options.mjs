const THREADS = 1;

/**
 * The options that the embedded engine gives to its binding (packages/llama-runtime, context-options.ts), with the
 * defaults of the estimator's profile.
 */
export function engineOptions(file, load, { settings }) {
  const { context, parallel, flashAttention, embedding } = load;
  const slots = embedding && settings.embeddingSequences.value === 'single' ? 1 : parallel;
  const batch = embedding
    ? Math.min(context, settings.embeddingBatch.value)
    : settings.ubatchTokens.value;
  return {
    options: {
      model: file,
      n_ctx: context * slots,
      n_batch: batch,
      n_ubatch: batch,
      n_parallel: slots,
      n_threads: THREADS,
      n_gpu_layers: 0,
      n_cpu_moe: 0,
      flash_attn_type: flashAttention === null ? 'auto' : flashAttention ? 'on' : 'off',
      cache_type_k: load.kvK,
      cache_type_v: load.kvV,
      ctx_shift: false,
      kv_unified: settings.kvUnified.value,
      swa_full: settings.swaFull.value,
      use_mmap: true,
      use_mlock: settings.locksWeights.value,
      embedding,
    },
    stepTokens: batch,
    // One token of each sequence is left for the answer.
    promptTokens: embedding ? context : context - 1,
  };
}
