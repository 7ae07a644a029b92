import type {
  Footprint,
  LoadConfig,
  LoadSpeed,
  PoolBytes,
  ResidentObservation,
  Resources,
  SelectionPolicy,
  Tier,
} from '@mai/memory-ledger';

/** One way to load a candidate. */
export interface LoadOption {
  readonly loadConfig: LoadConfig;
  /** `null` where it is not known. The option is then not loaded. */
  readonly footprint: Footprint | null;
  /** Whether the runtime itself would refuse this load; `null` when the runtime was not asked. */
  readonly guardrails: 'pass' | 'refuse' | null;
  /** Predicted speeds; `null` where they are not known. Speed then rules nothing out. */
  readonly speed: LoadSpeed | null;
  /** Quality of the answers with this load configuration, 0 to 1; `null` where it is not known. */
  readonly quality: number | null;
  /**
   * The same way to load with a longer context, for callers that prefer one. It takes the place of this option where that
   * costs nothing else. Default `null`.
   */
  readonly roomier?: Omit<LoadOption, 'roomier'> | null;
}

/** Why the engine does not load a file, however much memory is free. */
export interface EngineRefusal {
  /** The kind of the file or its fault, such as `LORA_ADAPTER` or `INCOMPLETE`. */
  readonly code: string;
  /** A clause whose subject is the file: 'it is a LoRA adapter, not a model'. */
  readonly reason: string;
}

/** A model in play for a decision, with its load configurations in order of preference. */
export interface Candidate {
  readonly modelKey: string;
  readonly displayName: string;
  readonly tier: Tier;
  readonly capabilities: readonly string[];
  /** Whether a file is downloaded that the engine loads. */
  readonly downloaded: boolean;
  /** Why the engine does not load the file that is downloaded; `null`: no such reason is known. */
  readonly refusal: EngineRefusal | null;
  /** Longest context that the model allows; `null` when not known. */
  readonly maxContextLengthTokens: number | null;
  readonly loadOptions: readonly LoadOption[];
  /**
   * The entry of the chain that was expanded to this candidate and others, such as `downloaded:chat`. Such a candidate can
   * be too slow by a prediction alone. If all candidates that fit are too slow, consecutive candidates of the same entry are
   * ordered by their value. `null`: a person named the candidate, so it keeps its place, and it is too slow only
   * after a measurement on this machine.
   */
  readonly expandedFrom: string | null;
  /**
   * After a failed load, the time before which the candidate is not loaded again, in milliseconds since the
   * epoch. `null` when it may be loaded now.
   */
  readonly coolingDownUntilMs: number | null;
  /**
   * The growth of earlier copies of the model, as observed after their load. A load is charged at least this
   * growth. Empty when no growth was observed.
   */
  readonly observedGrowth: readonly PoolBytes[];
}

/** A loaded copy of a model. */
export interface Resident {
  readonly instanceIdentifier: string;
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
  /**
   * The load configuration that Mai asked for when it loaded the model; `null` or absent where that is not known. Runtimes report a
   * value for every field, so `loadConfig` alone does not tell a trade-off from a default of the runtime.
   */
  readonly asked?: LoadConfig | null;
  readonly footprint: Footprint | null;
  /** Whether it generates or has requests in its queue. */
  readonly busy: boolean;
  /**
   * Expected time until it is idle if it gets no new request, in milliseconds; `null` where the time is not known.
   */
  readonly idleInMs: number | null;
  /** Its speeds; `null` where they are not known. */
  readonly speed: LoadSpeed | null;
  readonly pinned: boolean;
  /** Whether somebody other than Mai loaded it. */
  readonly foreign: boolean;
  /** Milliseconds since the epoch; `null` when it was never used, or when the last use is not known. */
  readonly lastUsedAtMs: number | null;
  /** Observations of its memory since its load; `null` when nothing was observed. */
  readonly observation: ResidentObservation | null;
}

/** The properties that the chosen model must have. */
export interface Requirement {
  readonly capabilities: readonly string[];
  readonly minContextLengthTokens: number | null;
  /**
   * The context length of a load for this requirement, where it costs nothing beside a load with
   * `minContextLengthTokens`: for prompts that grow. Residents need not have it. Default `null`: no longer than needed.
   */
  readonly preferredContextLengthTokens?: number | null;
  /** `null` allows all tiers. */
  readonly tiers: readonly Tier[] | null;
}

/** A requirement that every model meets. */
export const NO_REQUIREMENT: Requirement = {
  capabilities: [],
  minContextLengthTokens: null,
  tiers: null,
};

/** Everything that a decision depends on. */
export interface SelectionInput {
  /** The fallback chain, in order of preference. */
  readonly candidates: readonly Candidate[];
  readonly requirement: Requirement;
  readonly resources: Resources;
  readonly residents: readonly Resident[];
  readonly policy: SelectionPolicy;
  /**
   * How far below its limit each pool must stay after a step up: a share of the pool's total, 0 to 1. If
   * left out, stepping up needs the same room as staying.
   */
  readonly upgradeMarginRatio?: number | null;
  /**
   * Whether a resident has just been unloaded to step down or to free memory. The last candidate may then
   * be loaded up to the hard limit. Default `false`.
   */
  readonly steppingDown?: boolean;
  /**
   * Identifiers of residents that the chosen model does not supersede. They are unloaded only when their
   * memory is needed. Default: none.
   */
  readonly retained?: readonly string[];
  /**
   * Set where callers wait for the decision. The wait for a preferred model, whose memory busy residents take, is then
   * weighed against a less preferred model that can be loaded at once. Default null: nothing is weighed.
   */
  readonly callersWait?: CallersWait | null;
}

/** The times with which a wait of callers is weighed, in milliseconds. */
export interface CallersWait {
  /** A longer wait for busy residents is not considered. */
  readonly longestMs: number;
  /** How long a model that is loaded for callers serves them. */
  readonly servesMs: number;
}
