import type { LoadConfig } from '@mai/memory-ledger';
import type { ResidentInstance } from '../models/model-types.js';
import type { CallOptions } from '../wire/deadline.js';
import type { ModelKind } from '../wire/wire.js';

/** A request to load a model. */
export interface LoadRequest extends CallOptions {
  readonly modelKey: string;
  /** LM Studio chooses the fields that are `null`. Without a configuration, LM Studio chooses all fields. */
  readonly loadConfig?: LoadConfig | undefined;
  /** Identifier of the loaded copy. Default: the model key. */
  readonly identifier?: string | null | undefined;
  /**
   * Whether to use a loaded copy of the same model that serves the request (equal settings, enough context),
   * whatever its identifier. Default: `true` without an identifier, else `false`.
   */
  readonly reuse?: boolean | undefined;
  /** Idle time after which LM Studio unloads the copy, in whole milliseconds, at least 1. `null` (default): never. */
  readonly ttlMs?: number | null | undefined;
  /** Kind of the model. Default: the kind in the list of downloaded models. */
  readonly kind?: ModelKind | null | undefined;
  /** Lock the weights in memory (mlock). `null` (default): LM Studio chooses. */
  readonly keepModelInMemory?: boolean | null | undefined;
  /**
   * LM Link device; `null`: LM Studio's own machine. Left out: LM Studio's own machine where it has
   * the model, else a device that has the model.
   */
  readonly deviceIdentifier?: string | null | undefined;
  /** Whether to ask LM Studio's guardrails first, and to refuse a load that they refuse. Default: `true`. */
  readonly checkGuardrails?: boolean | undefined;
  /** Called with ratios from 0 to 1 that never decrease. Its exceptions are ignored. */
  readonly onProgress?: ((ratio: number) => void) | undefined;
  /** Deadline in milliseconds, including the wait for other loads, at least 0. Default: 10 minutes. */
  readonly timeoutMs?: number | undefined;
}

/** A setting of the loaded copy that differs from the requested setting. */
export interface LoadMismatch {
  readonly field: 'identifier' | 'ttlMs' | 'keepModelInMemory' | keyof LoadConfig;
  readonly asked: string | number | boolean | null;
  /** The value of the loaded copy; `null`: LM Studio has no such setting for this model. */
  readonly got: string | number | boolean | null;
}

/** A completed load. */
export interface LoadResult {
  readonly instance: ResidentInstance;
  /** The settings that differ from the request; empty when all match. */
  readonly verified: readonly LoadMismatch[];
  /**
   * `true`: a loaded copy serves the request, so nothing was loaded. Its context may be longer than requested.
   * `verified` then lists the difference.
   */
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
  readonly deviceIdentifier: string | null | undefined;
  readonly checkGuardrails: boolean;
}

/** An abandoned load. LM Studio has not confirmed its end, so the copy may still appear. */
export interface UnconfirmedLoad {
  readonly modelKey: string;
  readonly instanceIdentifier: string;
  /** The LM Link device of the load; `null`: LM Studio's own machine. */
  readonly deviceIdentifier: string | null;
}
