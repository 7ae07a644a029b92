import type { LoadConfig, SelectionPolicy, Tier } from '@mai/memory-ledger';
import type { CallOptions } from './call-options.js';

/**
 * The known facts about a model before it is loaded. A profile of `@mai/model-config` satisfies this type.
 */
export interface CandidateProfile {
  readonly modelKey: string;
  readonly displayName: string;
  readonly tier: Tier;
  readonly capabilities: readonly string[];
  /** The configured context length, unless `loadConfig` sets one. */
  readonly contextLengthTokens: number;
  /** The most that the model allows; null when unknown. */
  readonly maxContextLengthTokens: number | null;
  /**
   * The configured estimate, in bytes, of all memory that it takes without a GPU. Used when there is no
   * better estimate; null when not configured.
   */
  readonly minMemoryBytes: number | null;
  /** The part of `minMemoryBytes` that moves to a GPU with all layers there; null when not configured. */
  readonly minVramBytes: number | null;
  readonly loadConfig: LoadConfig;
  /** Idle time after which the runtime may unload it; null keeps it. */
  readonly ttlMs: number | null;
  readonly downloaded: boolean;
}

/** One reading of the configuration, applied whole or not at all. */
export interface CatalogReading {
  /** In order of preference. */
  readonly chain: readonly CandidateProfile[];
  readonly policy: SelectionPolicy;
  /**
   * Other downloaded quantizations of a model, by its model key. Each is a model key of its own. The
   * smaller ones join the chain right behind their model.
   */
  readonly variants: Readonly<Record<string, readonly string[]>>;
}

/** Which reading is asked for. */
export interface CatalogQuestion extends CallOptions {
  /** Name of the fallback chain; null is the default chain. */
  readonly chain: string | null;
  /**
   * Whether the catalog may ask the runtime for the list of downloaded models. With false it answers from
   * its cache and from local files. The autopilot passes false as long as nothing has changed, because in
   * steady state its ten-second budget of runtime calls goes to the list of residents. Default true.
   */
  readonly mayAskRuntime?: boolean;
}

/** The configuration merged with what is downloaded. Read every two seconds: keep it cheap. */
export interface CatalogPort {
  read(question: CatalogQuestion): Promise<CatalogReading>;
}
