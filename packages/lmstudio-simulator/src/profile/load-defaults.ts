const MIB = 2 ** 20;

/**
 * The load settings that one generation of LM Studio uses where a request leaves them out, and the traits of
 * its llama.cpp engine that change the memory of a load.
 */
export interface LoadDefaults {
  /** Tokens of context. */
  readonly contextLengthTokens: number;
  /** Sequences that an instance processes at the same time. */
  readonly parallelSequences: number;
  /** Whether all sequences share one KV cache. */
  readonly unifiedKvCache: boolean;
  /** llama.cpp's `n_batch`, in tokens. */
  readonly evalBatchTokens: number;
  /** llama.cpp's `n_ubatch`, in tokens. */
  readonly physicalBatchTokens: number;
  /** Whether flash attention is on. Without it, the compute buffers grow with the context. */
  readonly flashAttention: boolean;
  /** Whether the engine reduces the layers on the GPU until the model fits. */
  readonly autoFit: boolean;
  /** Checkpoints of windowed or recurrent state that the engine keeps for each sequence. */
  readonly contextCheckpoints: number;
  /** The most RAM that the prompt cache of one instance may fill; 0: there is no prompt cache. */
  readonly promptCacheBytes: number;
  /** Layers with a sliding window: `window` stores the window, `full` the whole context. */
  readonly slidingWindowCache: 'window' | 'full';
  /** Whether the batch and the micro-batch of an embedding model are as long as its context. */
  readonly embeddingBatchIsContext: boolean;
  /** The rows of logits in the compute buffer: one for each token of the batch, or one for each sequence. */
  readonly logitRows: 'batch' | 'sequences';
}

/**
 * 2025. Sources: public logs of loads of July to October 2025 (batch sizes, flash attention off, one sequence),
 * and the history of `packages/lms-kv-config/src/schema.ts` in lmstudio-js.
 */
export const DEFAULTS_OF_2025: LoadDefaults = {
  contextLengthTokens: 4096,
  parallelSequences: 1,
  unifiedKvCache: false,
  evalBatchTokens: 512,
  physicalBatchTokens: 512,
  flashAttention: false,
  autoFit: false,
  contextCheckpoints: 0,
  promptCacheBytes: 0,
  slidingWindowCache: 'window',
  embeddingBatchIsContext: false,
  logitRows: 'batch',
};

/**
 * LM Studio 0.4. Four sequences and one KV cache since 23 January 2026 (schema of lmstudio-js; lmstudio-bug-tracker
 * #1862). A context of 8192 in reports of all 0.4 versions. Flash attention is on in a CUDA log of 0.4.6. For other
 * backends the setting is not known.
 */
export const DEFAULTS_OF_0_4: LoadDefaults = {
  ...DEFAULTS_OF_2025,
  contextLengthTokens: 8192,
  parallelSequences: 4,
  unifiedKvCache: true,
  flashAttention: true,
};

/** Spring 2026: a prompt cache of up to 8192 MiB (lmstudio-bug-tracker #1764 and #2086). */
export const DEFAULTS_OF_SPRING_2026: LoadDefaults = {
  ...DEFAULTS_OF_0_4,
  promptCacheBytes: 8192 * MIB,
};

/** Since 22 May 2026, `n_batch` is 2048 (schema of lmstudio-js, logs). */
export const DEFAULTS_OF_JUNE_2026: LoadDefaults = {
  ...DEFAULTS_OF_SPRING_2026,
  evalBatchTokens: 2048,
};

/**
 * Since July 2026: autoFit (schema, 6 July) and 32 checkpoints (schema, 10 July). Embedding models get a
 * batch as long as their context in runtimes 2.23.1 to 2.28.2 (lmstudio-bug-tracker #2293).
 */
export const DEFAULTS_OF_SUMMER_2026: LoadDefaults = {
  ...DEFAULTS_OF_JUNE_2026,
  autoFit: true,
  contextCheckpoints: 32,
  embeddingBatchIsContext: true,
};

/**
 * Runtime 2.37.0, which is llama.cpp b10914: logits only for the requested outputs (logs of b9849 and newer). It is
 * not known whether embedding models still get a batch as long as their context. Here they do not. A headless
 * capture of 21 September 2026 has flash attention off. Here it is on.
 */
export const DEFAULTS_OF_SEPTEMBER_2026: LoadDefaults = {
  ...DEFAULTS_OF_SUMMER_2026,
  embeddingBatchIsContext: false,
  logitRows: 'sequences',
};
