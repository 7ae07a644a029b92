/** The growth of an instance since its load, in bytes. */
export interface MemoryGrowth {
  /** Saved prompts, in RAM. */
  readonly promptCacheBytes: number;
  /** Saved windowed and recurrent states, in RAM. */
  readonly checkpointBytes: number;
  /** The KV cache of the MLX engine, which is allocated with the tokens. 0 for llama.cpp. */
  readonly kvCacheBytes: number;
}

export const NO_GROWTH: MemoryGrowth = { promptCacheBytes: 0, checkpointBytes: 0, kvCacheBytes: 0 };

/** A prompt with its answer in llama.cpp's prompt cache. */
export interface SavedPrompt {
  readonly text: string;
  readonly bytes: number;
}
