import type { KvCacheType } from '@mai/memory-ledger';

/** The GPU back end of llama.cpp; `none`: the CPU computes alone. */
export type GpuBackend = 'none' | 'cuda' | 'metal' | 'vulkan';

/**
 * The CPU's instruction set, which decides which weights llama.cpp repacks. `auto`: that of this machine, or that of
 * the engine's build where the engine was built for a fixed instruction set.
 */
export type CpuKind = 'avx2' | 'generic' | 'auto';

/**
 * CPU kernels of llama.cpp that need weights in a layout of their own. `none`: no weights are repacked. With `-2025`: the
 * kernels of llama.cpp in late 2025, which are for fewer types.
 */
export type CpuKernels = 'avx2' | 'neon' | 'avx2-2025' | 'neon-2025' | 'none';

/** Everything that an estimate depends on besides the model. `null` takes the engine's default. */
export interface EstimateSettings {
  /** Tokens of each sequence for a split cache, and of all sequences together for a unified cache. */
  readonly contextLengthTokens: number | null;
  readonly kvCacheTypeK: KvCacheType | null;
  readonly kvCacheTypeV: KvCacheType | null;
  readonly flashAttention: boolean | null;
  /** Tokens of a logical batch. */
  readonly batchTokens: number | null;
  /** Tokens of a micro-batch, which go through the model at once. */
  readonly ubatchTokens: number | null;
  readonly parallelSequences: number | null;
  /** All sequences share one cache. */
  readonly kvUnified: boolean | null;
  /** Sliding-window layers keep the whole context. */
  readonly swaFull: boolean | null;
  /** Number of layers on the GPU. The output layer counts as one layer. */
  readonly gpuLayers: number | null;
  readonly gpuBackend: GpuBackend | null;
  readonly cpu: CpuKind | null;
}

/** Every setting has the engine's default. */
export const NO_SETTINGS: EstimateSettings = {
  contextLengthTokens: null,
  kvCacheTypeK: null,
  kvCacheTypeV: null,
  flashAttention: null,
  batchTokens: null,
  ubatchTokens: null,
  parallelSequences: null,
  kvUnified: null,
  swaFull: null,
  gpuLayers: null,
  gpuBackend: null,
  cpu: null,
};

/** Settings after the defaults are filled in. */
export type ResolvedSettings = {
  readonly [K in keyof EstimateSettings]-?: NonNullable<EstimateSettings[K]>;
};

/** Properties of an engine that change the memory of a load, and that `EstimateSettings` does not have. */
export interface EngineRules {
  /**
   * The tokens whose logits the compute buffer has room for: all of a micro-batch, or those that the engine
   * asks for (one for each sequence, and one more for each draft token).
   */
  readonly reservedLogits: 'micro-batch' | 'asked-outputs';
  /** Whether the output layer is the first or the last layer that is put on the GPU. */
  readonly outputLayer: 'first' | 'last';
  /** Tokens of a batch and of a micro-batch without layers on a GPU, where none are given; `null`: as on a GPU. */
  readonly cpuBatchTokens: number | null;
  /**
   * Whether a unified cache has cells for `contextLengthTokens` in all (`shared`), or for `contextLengthTokens` of each
   * sequence (`each`).
   */
  readonly unifiedContext: 'shared' | 'each';
  /**
   * The multiple that the cells of a cache are rounded up to: 256; 256 with flash attention and 32 without; or none, so that
   * there are as many cells as tokens.
   */
  readonly cellPadding: 256 | 'by-attention' | 'none';
  /**
   * The batch and micro-batch of an embedding model: as set, or as long as its context. A number: as long as its
   * context, but at most this many tokens.
   */
  readonly embeddingBatch: 'as-set' | 'context' | number;
  /** Whether an embedding model also keeps the logits of all tokens of an input. */
  readonly embeddingLogits: boolean;
  /** The parallel sequences of an embedding model: as set, or a single sequence. */
  readonly embeddingSequences: 'as-set' | 'single';
  /**
   * The kernels that the engine was built with. `machine`: the kernels for the machine's instruction set, and
   * `machine-2025`: those of late 2025.
   */
  readonly cpuKernels: CpuKernels | 'machine' | 'machine-2025';
  /** Whether a cache of latent attention also keeps values, although they can be read from its keys. */
  readonly cachesLatentValues: boolean;
  /** Whether layers for multi-token prediction have a KV cache where nothing is drafted. */
  readonly cachesNextToken: boolean;
  /** Whether flash attention gets its mask in F32 and casts it to F16. Otherwise the mask is in F16 from the start. */
  readonly castsMask: boolean;
  /**
   * Whether layers on a GPU have their KV cache and their recurrent state on this GPU (`offload_kqv`). Otherwise both are
   * in RAM, for all layers.
   */
  readonly offloadsKvCache: boolean;
  /**
   * Whether the CPU computes flash attention where the KV cache is in RAM. Otherwise the GPU computes it from a copy of the
   * layer's cache. Without flash attention, the CPU always computes the attention of such a cache.
   */
  readonly pinsFlashAttention: boolean;
  /** Whether weights in RAM are locked (mlock), which makes them anonymous memory. */
  readonly locksWeights: boolean;
  /** Tokens that are drafted for each sequence; 0 without speculative decoding. */
  readonly draftTokens: number;
  /** Whether the encoder of pictures uses flash attention. */
  readonly encoderFlashAttention: boolean;
  /** Maximum RAM of the prompt cache, in bytes; 0 without a prompt cache. */
  readonly promptCacheBytes: number;
  /** Maximum number of context checkpoints of each slot (parallel sequence); 0 without checkpoints. */
  readonly contextCheckpoints: number;
  /**
   * The cells of a windowed cache that a context checkpoint copies: those inside the window (`window`), or all that the cache
   * still holds for the sequence (`cache`).
   */
  readonly checkpointCells: 'window' | 'cache';
}

/** Every setting and rule that is in force in a load. */
export interface EngineSettings extends ResolvedSettings, EngineRules {
  /** Whether the model is loaded to compute embeddings. */
  readonly isEmbedding: boolean;
}

/** The settings of a load as they are reported: without the engine's own rules. */
export function reportedSettings(settings: EngineSettings, gpuLayers: number): ResolvedSettings {
  const { contextLengthTokens, kvCacheTypeK, kvCacheTypeV, flashAttention, batchTokens } = settings;
  const { ubatchTokens, parallelSequences, kvUnified, swaFull, gpuBackend, cpu } = settings;
  return {
    contextLengthTokens,
    kvCacheTypeK,
    kvCacheTypeV,
    flashAttention,
    batchTokens,
    ubatchTokens,
    parallelSequences,
    kvUnified,
    swaFull,
    gpuLayers,
    gpuBackend,
    cpu,
  };
}

/** More tokens than any model or machine can hold. Longer contexts count as this. */
export const MAX_TOKENS = 2 ** 30;

/** More layers than any model has. */
export const ALL_LAYERS = 9_999;
