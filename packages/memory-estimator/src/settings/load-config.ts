/** Types that llama.cpp keeps a KV cache in. */
export type KvCacheType =
  'f32' | 'f16' | 'bf16' | 'q8_0' | 'q5_1' | 'q5_0' | 'q4_1' | 'q4_0' | 'iq4_nl';

/** How a model is to be loaded; null takes LM Studio's default. */
export interface LoadConfig {
  readonly contextLengthTokens: number | null;
  readonly parallelSequences: number | null;
  /** Share of the layers on the GPU, 0 to 1. */
  readonly offloadRatio: number | null;
  readonly kvCacheTypeK: KvCacheType | null;
  readonly kvCacheTypeV: KvCacheType | null;
  readonly flashAttention: boolean | null;
  /** Share of the layers whose experts stay on the CPU, 0 to 1. */
  readonly cpuExpertRatio: number | null;
}
