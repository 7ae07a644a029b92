/** Precision of the KV cache, in llama.cpp's names. */
export type KvCacheType =
  'f32' | 'f16' | 'bf16' | 'q8_0' | 'q5_1' | 'q5_0' | 'q4_1' | 'q4_0' | 'iq4_nl';

/** How a model is loaded. `null` leaves the choice to LM Studio. */
export interface LoadConfig {
  /** Tokens of context, prompts and responses together. */
  readonly contextLengthTokens: number | null;
  /** Predictions that may run at the same time. */
  readonly parallelSequences: number | null;
  /** Share of layers on the GPU, 0 to 1. */
  readonly offloadRatio: number | null;
  readonly kvCacheTypeK: KvCacheType | null;
  readonly kvCacheTypeV: KvCacheType | null;
  readonly flashAttention: boolean | null;
  /** Share of the layers whose experts stay on the CPU, 0 to 1. */
  readonly cpuExpertRatio: number | null;
}

/** What a model is for: text generation or embeddings. */
export type ModelKind = 'llm' | 'embedding';

/** A model on disk, as LM Studio lists it. */
export interface DownloadedModel {
  readonly modelKey: string;
  readonly kind: ModelKind;
  readonly displayName: string;
  readonly publisher: string | null;
  readonly architecture: string | null;
  /** File format in lower case: `gguf`, `mlx`, ... */
  readonly format: string;
  readonly quantization: { readonly name: string; readonly bits: number | null } | null;
  /** Bytes on disk; 0 only where an old LM Studio lists models without their size. */
  readonly sizeBytes: number;
  /** Number of parameters as LM Studio prints it, e.g. `7B`. */
  readonly parameters: string | null;
  readonly maxContextLengthTokens: number | null;
  readonly vision: boolean;
  readonly toolUse: boolean;
  /** Model keys of the variants (quantizations, formats), where there are several. */
  readonly variants: readonly string[];
  readonly selectedVariant: string | null;
  /** Path relative to the models folder, with forward slashes. */
  readonly path: string | null;
  /** The LM Link device that holds it; `null` is the machine LM Studio runs on. */
  readonly deviceIdentifier: string | null;
}

/** What an instance is doing. */
export type InstanceActivity = 'idle' | 'processing-prompt' | 'generating' | 'computing-embedding';

/** One loaded copy of a model. */
export interface ResidentInstance {
  readonly instanceIdentifier: string;
  readonly modelKey: string;
  readonly kind: ModelKind;
  readonly displayName: string;
  readonly path: string | null;
  readonly sizeBytes: number;
  /** The context length it really has, which may differ from what was asked for. */
  readonly contextLengthTokens: number | null;
  readonly maxContextLengthTokens: number | null;
  /** Idle time after which LM Studio unloads it; `null`: never. */
  readonly ttlMs: number | null;
  /** Milliseconds since the epoch; `null`: never used, or unknown. */
  readonly lastUsedAtMs: number | null;
  readonly deviceIdentifier: string | null;
  /** `null`: this LM Studio does not tell. */
  readonly activity: InstanceActivity | null;
  /** Requests waiting or running, the current one included; `null`: not told. */
  readonly queued: number | null;
  readonly loadConfig: LoadConfig;
  /** Locked in memory (mlock); `null`: not told. */
  readonly keepModelInMemory: boolean | null;
}

/** Every field left to LM Studio. */
export const DEFAULT_LOAD_CONFIG: LoadConfig = {
  contextLengthTokens: null,
  parallelSequences: null,
  offloadRatio: null,
  kvCacheTypeK: null,
  kvCacheTypeV: null,
  flashAttention: null,
  cpuExpertRatio: null,
};

/** What every call takes. */
export interface CallOptions {
  /** Cancels the call; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** Deadline of this call in milliseconds; the client's `timeoutMs` unless said. */
  readonly timeoutMs?: number | undefined;
}
