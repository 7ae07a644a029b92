/**
 * The settings that an engine uses where a load configuration or a load request says nothing. The settings that no
 * load configuration has, such as the batch, are in `engine/context-options.ts`.
 */
export const ENGINE_DEFAULTS = {
  /**
   * Tokens of context, or the model's maximum where that is less. A model's own maximum (131,072 and more) would
   * take more memory than its weights. LM Studio began with the same value.
   */
  contextLengthTokens: 4096,
  /**
   * Requests at the same time. Each sequence has cells of its own in the KV cache, so a second sequence would take the
   * same memory again. Further requests wait in the engine's queue.
   */
  parallelSequences: 1,
  /** llama.cpp's own default. Quantized types cost accuracy, so only a caller chooses them. */
  kvCacheTypeK: 'f16',
  kvCacheTypeV: 'f16',
  /** `null`: llama.cpp uses flash attention where the back end has it for this model. The CPU has it for every model. */
  flashAttention: null,
  /** All layers on the GPU, where there is one. A caller who knows its free memory chooses less. */
  offloadRatio: 1,
  /** Experts follow their layers. */
  cpuExpertRatio: 0,
  /** Weights are mapped and not locked, so that the system can drop and read them again under pressure. */
  locksWeights: false,
} as const;
