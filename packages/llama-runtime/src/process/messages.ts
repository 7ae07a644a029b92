import type { KvCacheType } from '@mai/memory-ledger';
import type { ModelKind } from '../model-kind.js';

/** The model that one engine process loads, and its settings. The parent has made every choice. */
export interface EngineSpec {
  /** Absolute path of the GGUF file; of the first part where the file is split. */
  readonly file: string;
  /** Absolute path of the projector for images; null without one. */
  readonly projectorFile: string | null;
  /** Whether the tokens of an image attend to each other in both directions. Then an image must be computed in one step. */
  readonly nonCausalImages: boolean;
  readonly kind: ModelKind;
  readonly modelKey: string;
  /** The name under which the engine serves the model, beside the model key. */
  readonly instanceIdentifier: string;
  /** Tokens of context for each sequence. */
  readonly contextLengthTokens: number;
  readonly parallelSequences: number;
  readonly kvCacheTypeK: KvCacheType;
  readonly kvCacheTypeV: KvCacheType;
  /** `null`: llama.cpp chooses. */
  readonly flashAttention: boolean | null;
  /** Layers on the GPU; 0 without a GPU. */
  readonly gpuLayers: number;
  /** Layers whose experts stay on the CPU. */
  readonly cpuExpertLayers: number;
  /** Whether the weights are locked in memory (mlock). */
  readonly locksWeights: boolean;
  readonly threads: number;
  /** Bearer token that every request needs. */
  readonly token: string;
}

/** Messages to an engine process. */
export type ToEngine =
  | { readonly type: 'load'; readonly spec: EngineSpec }
  /** The engine cancels open requests and ends with code 0. */
  | { readonly type: 'stop' };

/** The present activity of an engine. */
export type EngineActivity = 'idle' | 'processing-prompt' | 'generating' | 'computing-embedding';

/** Messages from an engine process. */
export type FromEngine =
  /** Share of the file that was read, 0 to 1. It never decreases. */
  | { readonly type: 'progress'; readonly ratio: number }
  | { readonly type: 'ready'; readonly port: number; readonly facts: EngineFacts }
  | {
      readonly type: 'failed';
      /** In plain text. */
      readonly message: string;
      readonly outOfMemory: boolean;
      /** Whether the reason stands in the error output, after which the process ends. */
      readonly reasonInOutput: boolean;
    }
  | { readonly type: 'activity'; readonly state: EngineState };

/** An engine's requests. */
export interface EngineState {
  readonly activity: EngineActivity;
  /** Requests that wait or run. */
  readonly queued: number;
  /** Epoch milliseconds; null: never used. */
  readonly lastUsedAtMs: number | null;
  /** Tokens and results that llama.cpp has reported since the load. */
  readonly reports: number;
  /** Tokens of the prompts of the requests that wait or run. llama.cpp reports nothing while it reads a prompt. */
  readonly promptTokens: number;
}

/** The facts of a loaded model. */
export interface EngineFacts {
  /** The context that the engine allocated for each sequence. */
  readonly contextLengthTokens: number;
  readonly flashAttention: boolean | null;
  readonly vision: boolean;
  /** Whether the chat template formats tools. */
  readonly toolUse: boolean;
  /** Lines of llama.cpp's log that name the size of a buffer. They contain no prompt. */
  readonly bufferLines: readonly string[];
}
