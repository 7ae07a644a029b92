import type { KvCacheType } from '@mai/memory-ledger';
import type { EngineRules, GpuBackend } from '../settings/estimate-settings.js';

/** Every setting that an engine has a default for. */
export interface ProfileValues extends EngineRules {
  /** Tokens; `maximum` is the context that the model was trained for. */
  readonly contextLengthTokens: number | 'maximum';
  readonly kvCacheTypeK: KvCacheType;
  readonly kvCacheTypeV: KvCacheType;
  readonly flashAttention: boolean;
  readonly batchTokens: number;
  readonly ubatchTokens: number;
  readonly parallelSequences: number;
  readonly kvUnified: boolean;
  readonly swaFull: boolean;
}

/** An engine's default for one setting. */
export interface ProfileSetting<T> {
  /** The known value, or the likeliest value. */
  readonly value: T;
  /** Other values that the engine may have; empty where the value is known. */
  readonly alternatives: readonly T[];
  /** Where the value comes from: a log, an issue, a schema, source code. */
  readonly source: string;
}

/** The memory that an engine takes for a model, and that llama.cpp's log leaves out. */
export interface EngineMemory {
  /** For each model. */
  readonly modelBytes: number;
  /** For each token of the vocabulary. */
  readonly tokenBytes: number;
  /** For each merge of the vocabulary. */
  readonly mergeBytes: number;
  readonly source: string;
}

/** The defaults of an engine. */
export interface EngineProfile {
  readonly engine: 'llama.cpp' | 'lmstudio' | 'embedded';
  /** The requested version; `null` where no version was requested. */
  readonly runtimeVersion: string | null;
  /**
   * The version that the facts belong to. For a requested version without facts of its own: the known versions before
   * and after it, or the oldest or newest known version.
   */
  readonly factsVersion: string;
  /** The back end that the facts belong to; `null` where it is not known. */
  readonly backend: GpuBackend | null;
  /** Whether this version's compute buffers were compared with the estimate. */
  readonly isCompared: boolean;
  /** `null` where it is not known. */
  readonly engineMemory: EngineMemory | null;
  readonly settings: { readonly [K in keyof ProfileValues]: ProfileSetting<ProfileValues[K]> };
}

/** A setting whose value is known. */
export function known<T>(value: T, source: string): ProfileSetting<T> {
  return { value, alternatives: [], source };
}
