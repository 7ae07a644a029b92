import type { LoadConfig } from '@mai/memory-ledger';
import type { EngineActivity } from '../process/messages.js';
import type { ModelKind } from '../model-kind.js';

/** One loaded copy of a model. */
export interface ResidentInstance {
  readonly instanceIdentifier: string;
  /** Names this copy. No other copy gets this name. */
  readonly reference: string;
  readonly modelKey: string;
  /** Always `null` here: each file is a model of its own. */
  readonly variant: string | null;
  readonly kind: ModelKind;
  readonly displayName: string;
  /** Path of the model relative to its folder, with forward slashes; `null`: not known. */
  readonly path: string | null;
  readonly sizeBytes: number;
  /** The context length that the engine allocated. The requested length can differ. */
  readonly contextLengthTokens: number;
  readonly maxContextLengthTokens: number | null;
  /** Idle time after which the copy is unloaded; `null`: never. */
  readonly ttlMs: number | null;
  /** Milliseconds since the epoch; `null`: never used, or the engine does not answer. */
  readonly lastUsedAtMs: number | null;
  /** Always `null` here: this machine. */
  readonly deviceIdentifier: string | null;
  /** An engine that does not answer in time counts as `processing-prompt`. */
  readonly activity: EngineActivity;
  /** Requests that wait or run, the current one included. */
  readonly queued: number;
  /** The configuration that the instance runs with. */
  readonly loadConfig: LoadConfig;
  /** Whether the weights are locked in memory (mlock). Outside Linux, whether that was requested. */
  readonly keepModelInMemory: boolean;
  readonly settings: InstanceSettings;
}

/** The settings of an instance that `LoadConfig` does not have. `null`: this engine has no such setting. */
export interface InstanceSettings {
  /** Whether all parallel sequences share one KV cache. */
  readonly kvUnified: boolean;
  /** Tokens of a logical batch (llama.cpp's `n_batch`). */
  readonly batchTokens: number;
  /** Tokens of a micro-batch (llama.cpp's `n_ubatch`). */
  readonly ubatchTokens: number;
  readonly contextCheckpoints: null;
  /** Always 0: no speculative decoding. */
  readonly draftTokens: number;
  readonly draftMethods: readonly never[];
  readonly draftModelKey: null;
  /** Always `false`: context and layers on the GPU are as set. */
  readonly autoFit: boolean;
  readonly autoFitMinContextTokens: null;
  /** Whether the layers on the GPU have their KV cache on the GPU, too. */
  readonly offloadKvCacheToGpu: boolean;
  readonly tryMmap: boolean;
  readonly tryDirectIo: boolean;
  readonly numExperts: null;
  readonly gpuSplit: null;
  readonly gpuStrictVramCap: null;
  readonly mlxDiskCache: null;
  readonly mlxKvCache: null;
}
