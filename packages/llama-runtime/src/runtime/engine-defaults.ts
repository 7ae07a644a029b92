import type { KvCacheType } from '@mai/memory-ledger';

/**
 * The settings that an engine uses where a load configuration says nothing, and the settings that no load
 * configuration has. The memory estimator's profile of this engine has the same values.
 */
export const ENGINE_DEFAULTS = {
  /**
   * Tokens of context, or the model's maximum where that is less. A model's own maximum (131,072 and more) would
   * take more memory than its weights. LM Studio began with the same value.
   */
  contextLengthTokens: 4096,
  /** Requests at the same time. The cache is unified, so further sequences take no further cache. */
  parallelSequences: 4,
  /** All sequences share the cells of one KV cache, so a single request can use the whole context. */
  kvUnified: true,
  /** llama.cpp's own default. Quantized types cost accuracy, so only a caller chooses them. */
  kvCacheTypeK: 'f16',
  kvCacheTypeV: 'f16',
  /**
   * `null`: llama.cpp uses flash attention where the back end has it for this model. The CPU back end has it for
   * every model. The memory estimate assumes flash attention.
   */
  flashAttention: null,
  /** Share of the layers on the GPU where the binding has a GPU build: as many as the caller's memory plan allows. */
  offloadRatio: 1,
  /** Experts follow their layers. */
  cpuExpertRatio: 0,
  /** Weights are mapped and not locked, so that the system can drop and read them again under pressure. */
  locksWeights: false,
  /**
   * Tokens of a batch. A running batch is finished before a cancellation takes effect, and the compute buffers grow
   * with it. 512 is also llama.cpp's micro-batch, so a larger batch would not be faster.
   */
  batchTokens: 512,
  /** Tokens of a micro-batch: llama.cpp's own default. */
  ubatchTokens: 512,
  /** Layers with a sliding window keep the window only, which is llama.cpp's own default. */
  swaFull: false,
} as const satisfies {
  readonly kvCacheTypeK: KvCacheType;
  readonly kvCacheTypeV: KvCacheType;
  readonly [setting: string]: unknown;
};
