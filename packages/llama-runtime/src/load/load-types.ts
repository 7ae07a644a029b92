import type { LoadConfig } from '@mai/memory-ledger';
import type { ModelKind } from '../model-kind.js';
import type { ResidentInstance } from '../residents/resident-types.js';
import type { CallOptions } from '../within.js';

/** A request to load a model. */
export interface LoadRequest extends CallOptions {
  readonly modelKey: string;
  /** Fields that are `null` get the engine's defaults; see the README. */
  readonly loadConfig?: LoadConfig | undefined;
  /** Identifier of the loaded copy. Default: the model key. */
  readonly identifier?: string | null | undefined;
  /**
   * Whether to use a loaded copy of the same model that serves the request (equal settings, enough context),
   * whatever its identifier. Default: `true` without an identifier, else `false`.
   */
  readonly reuse?: boolean | undefined;
  /** Idle time in milliseconds after which the copy is unloaded. `null` (default): never. */
  readonly ttlMs?: number | null | undefined;
  /** Kind of the model. Default: the kind in the list of models. */
  readonly kind?: ModelKind | null | undefined;
  /** Lock the weights in memory (mlock). `null` (default): no. */
  readonly keepModelInMemory?: boolean | null | undefined;
  /** Only `null` is possible: this machine. */
  readonly deviceIdentifier?: string | null | undefined;
  /** Whether to ask the `estimate` port first, and to refuse a load that it refuses. Default: `true`. */
  readonly checkGuardrails?: boolean | undefined;
  /** Called with ratios from 0 to 1 that never decrease. Its exceptions are ignored. */
  readonly onProgress?: ((ratio: number) => void) | undefined;
  /** Deadline in milliseconds, including the wait for other loads. Default: 10 minutes. */
  readonly timeoutMs?: number | undefined;
}

/** A setting of the loaded copy that differs from the requested setting. */
export interface LoadMismatch {
  readonly field: 'identifier' | 'ttlMs' | 'keepModelInMemory' | keyof LoadConfig;
  readonly asked: string | number | boolean | null;
  /** The value of the loaded copy. */
  readonly got: string | number | boolean | null;
}

/** A completed load. */
export interface LoadResult {
  readonly instance: ResidentInstance;
  /** The settings that differ from the request; empty when all match. */
  readonly verified: readonly LoadMismatch[];
  /** `true`: a loaded copy serves the request, so nothing was loaded. */
  readonly reused: boolean;
}

/** The load that `loadFirst` completed. */
export interface LoadFirstResult extends LoadResult {
  /** Index of its request. */
  readonly index: number;
  /** The failure of each earlier request, in order. */
  readonly failures: readonly { readonly modelKey: string; readonly error: unknown }[];
}

/** A request with every default filled in. Equal requests share a load. */
export interface NormalizedLoad {
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
  readonly identifier: string;
  /** The caller gave the identifier, so a second copy of a resident model is intended. */
  readonly named: boolean;
  readonly reuse: boolean;
  readonly ttlMs: number | null;
  readonly kind: ModelKind | null;
  readonly keepModelInMemory: boolean | null;
  readonly deviceIdentifier: string | null;
  readonly checkGuardrails: boolean;
}

/** An estimate of memory, from the `estimate` port. */
export interface ResourceEstimate {
  readonly confidence: 'high' | 'low';
  readonly weightsBytes: number;
  readonly contextBytes: number;
  /** RAM and VRAM together. */
  readonly totalBytes: number;
  readonly weightsVramBytes: number;
  readonly contextVramBytes: number;
  readonly totalVramBytes: number;
  /** `false`: a load with `checkGuardrails` is refused. */
  readonly passesGuardrails: boolean;
}

/** Options of an estimate, besides the model and its load configuration. */
export interface EstimateOptions extends CallOptions {
  readonly kind?: ModelKind | undefined;
  readonly keepModelInMemory?: boolean | null | undefined;
  readonly deviceIdentifier?: string | null | undefined;
}
