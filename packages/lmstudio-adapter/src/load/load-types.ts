import type { CallOptions, LoadConfig, ModelKind, ResidentInstance } from '../models/model-types.js';

/** What to load and how. */
export interface LoadRequest extends CallOptions {
  readonly modelKey: string;
  /** `null` fields are LM Studio's to choose; all of them unless given. */
  readonly loadConfig?: LoadConfig | undefined;
  /** Name of the loaded copy; the model key unless given. */
  readonly identifier?: string | null | undefined;
  /** Idle time in milliseconds after which LM Studio unloads it; `null` (unless given): never. */
  readonly ttlMs?: number | null | undefined;
  /** Looked up in what is downloaded unless given. */
  readonly kind?: ModelKind | null | undefined;
  /** Lock the weights in memory (mlock); `null` (unless given): LM Studio chooses. */
  readonly keepModelInMemory?: boolean | null | undefined;
  /** LM Link device; `null`: LM Studio's own machine. Left out: LM Studio chooses. */
  readonly deviceIdentifier?: string | null | undefined;
  /** Ask LM Studio's guardrails first, and do not load what they refuse; `true` unless given. */
  readonly checkGuardrails?: boolean | undefined;
  /** Called with 0 to 1, never decreasing; what it throws is ignored. */
  readonly onProgress?: ((ratio: number) => void) | undefined;
  /** Deadline in milliseconds, waiting for other loads included; 10 minutes unless given. */
  readonly timeoutMs?: number | undefined;
}

/** A setting that came out differently from what was asked for. */
export interface LoadMismatch {
  readonly field: 'identifier' | 'ttlMs' | 'keepModelInMemory' | keyof LoadConfig;
  readonly asked: string | number | boolean | null;
  /** What the instance has; `null`: LM Studio has no such setting for this model. */
  readonly got: string | number | boolean | null;
}

/** A completed load. */
export interface LoadResult {
  readonly instance: ResidentInstance;
  /** Where the instance differs from the request; empty when it is as asked. */
  readonly verified: readonly LoadMismatch[];
  /** `true`: it was loaded already, with these settings, and nothing was loaded now. */
  readonly reused: boolean;
}

/** What `loadFirst` settled on. */
export interface LoadFirstResult extends LoadResult {
  /** Which of the requests was loaded. */
  readonly index: number;
  /** Why each earlier one was not, in order. */
  readonly failures: readonly { readonly modelKey: string; readonly error: unknown }[];
}

/** A request with everything said; what two callers share when it is the same. */
export interface NormalizedLoad {
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
  readonly identifier: string;
  /** Whether the caller named the copy; then a second copy of a loaded model is meant. */
  readonly named: boolean;
  readonly ttlMs: number | null;
  readonly kind: ModelKind | null;
  readonly keepModelInMemory: boolean | null;
  readonly deviceIdentifier: string | null | undefined;
  readonly checkGuardrails: boolean;
}
