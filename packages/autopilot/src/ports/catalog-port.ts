import type { LoadConfig, SelectionPolicy, Tier } from '@mai/memory-ledger';
import type { CallOptions } from './call-options.js';

/** What is known about a model before it is loaded; a profile of `@mai/model-config` satisfies it. */
export interface CandidateProfile {
  readonly modelKey: string;
  readonly displayName: string;
  readonly tier: Tier;
  readonly capabilities: readonly string[];
  /** The context length that is wanted. */
  readonly contextLengthTokens: number;
  /** What the model allows; null when unknown. */
  readonly maxContextLengthTokens: number | null;
  /** What the configuration claims it takes, the last resort of an estimate. */
  readonly minMemoryBytes: number | null;
  readonly minVramBytes: number | null;
  /** As configured; its own context length, where set, wins over `contextLengthTokens`. */
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
   * Other quantizations of a model that are downloaded, by model key, each a model key of its own.
   * The smaller ones join the chain right behind their model.
   */
  readonly variants: Readonly<Record<string, readonly string[]>>;
}

/** The configuration merged with what is downloaded. */
export interface CatalogPort {
  /** `chain` names a fallback chain; null is the default one. */
  read(options: CallOptions & { readonly chain: string | null }): Promise<CatalogReading>;
}
