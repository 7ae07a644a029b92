import type { LoadConfig, SelectionPolicy, Tier } from '@mai/memory-ledger';
import type { EngineRefusal } from '@mai/selector';
import type { CallOptions } from './call-options.js';

/** The facts about a model that are known before a load. A profile of `@mai/model-config` satisfies this type. */
export interface CandidateProfile {
  readonly modelKey: string;
  readonly displayName: string;
  readonly tier: Tier;
  readonly capabilities: readonly string[];
  /** The configured context length, unless `loadConfig` sets one. */
  readonly contextLengthTokens: number;
  /** The longest context that the model allows; null when unknown. */
  readonly maxContextLengthTokens: number | null;
  /**
   * The configured estimate, in bytes, of all memory that the model takes without a GPU. Used when there is no
   * better estimate; null when not configured.
   */
  readonly minMemoryBytes: number | null;
  /**
   * The part of `minMemoryBytes` that moves to a GPU when all layers are on that GPU; null when not configured.
   */
  readonly minVramBytes: number | null;
  readonly loadConfig: LoadConfig;
  /** Idle time after which the runtime may unload the model; null keeps it loaded. */
  readonly ttlMs: number | null;
  /** Whether a file is downloaded that the engine loads. */
  readonly downloaded: boolean;
  /** Why the engine does not load the file that is downloaded; null where no such reason is known. */
  readonly refusal: EngineRefusal | null;
  /**
   * A text that changes when the model's file changes. Failures of the earlier file are then forgotten, so the model is tried at
   * once. Null: the file is not known.
   */
  readonly fileStamp: string | null;
  /**
   * The entry of the chain that was expanded to this model and others, such as `downloaded:chat`. Models of one entry that
   * follow each other are ordered by their value on this machine. Null: a person named the model, and
   * it keeps its place.
   */
  readonly expandedFrom: string | null;
}

/** One reading of the configuration, applied whole or not at all. */
export interface CatalogReading {
  /** In order of preference. Models that one entry was expanded to follow each other, in any order. */
  readonly chain: readonly CandidateProfile[];
  readonly policy: SelectionPolicy;
  /**
   * The model keys of other downloaded quantizations, by the model key of the model. The smaller
   * quantizations are inserted into the chain right after their model.
   */
  readonly variants: Readonly<Record<string, readonly string[]>>;
  /**
   * The capability that the chain is for, such as `coding`. Models are compared by their quality for it and for the
   * capabilities of the requirement. Null: general use.
   */
  readonly capability: string | null;
  /**
   * Why the chain of one model is empty, as a message with the next step: such as that its file is damaged, or which model
   * key is similar. Null: the chain has models, or nothing more is known than that the model is not downloaded.
   */
  readonly whyEmpty: string | null;
}

/** A question to the catalog. */
export interface CatalogQuestion extends CallOptions {
  /** Name of the fallback chain; null is the default chain. */
  readonly chain: string | null;
  /**
   * Asks about this model only: the chain of the reading is the model alone, whether or not a chain names
   * it, and has no variants. It is empty where the model is neither downloaded nor configured. Default null:
   * the whole chain.
   */
  readonly modelKey?: string | null;
  /**
   * Whether the catalog may ask the runtime for the list of downloaded models. With false, the catalog answers
   * from its cache and from local files. The autopilot passes false as long as nothing has changed: in steady
   * state the autopilot calls the runtime once in ten seconds, and that call lists residents. Default true.
   */
  readonly mayAskRuntime?: boolean;
}

/**
 * The configuration merged with the downloaded models. It is read every two seconds, so a reading must be fast.
 */
export interface CatalogPort {
  read(question: CatalogQuestion): Promise<CatalogReading>;
}
