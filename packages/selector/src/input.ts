import type { Footprint, LoadConfig, Resources, SelectionPolicy, Tier } from '@mai/memory-ledger';

/** One way to load a candidate, with its footprint and the runtime's verdict. */
export interface LoadOption {
  readonly loadConfig: LoadConfig;
  /** `null` where it is not known; the model is then not loaded. */
  readonly footprint: Footprint | null;
  /** The runtime's own verdict on this load; `null` when it was not asked. */
  readonly guardrails: 'pass' | 'refuse' | null;
}

/** A model in play for a decision, with its load configurations in order of preference. */
export interface Candidate {
  readonly modelKey: string;
  readonly displayName: string;
  readonly tier: Tier;
  readonly capabilities: readonly string[];
  readonly downloaded: boolean;
  /** Longest context that the model allows; `null` when not known. */
  readonly maxContextLengthTokens: number | null;
  readonly loadOptions: readonly LoadOption[];
  /**
   * Not loaded before this time, after a failed load: milliseconds since the epoch; `null` when it may be
   * tried.
   */
  readonly coolingDownUntilMs: number | null;
}

/** A loaded copy of a model. */
export interface Resident {
  readonly instanceIdentifier: string;
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
  readonly footprint: Footprint | null;
  /** Generating, or with requests in its queue. */
  readonly busy: boolean;
  readonly pinned: boolean;
  /** Not loaded by Mai. */
  readonly foreign: boolean;
  /** Milliseconds since the epoch; `null` when it was never used or this is not known. */
  readonly lastUsedAtMs: number | null;
}

/** What the chosen model must offer. */
export interface Requirement {
  readonly capabilities: readonly string[];
  readonly minContextLengthTokens: number | null;
  /** `null` allows all tiers. */
  readonly tiers: readonly Tier[] | null;
}

/** Everything that a decision depends on. */
export interface SelectionInput {
  /** The fallback chain, in order of preference. */
  readonly candidates: readonly Candidate[];
  readonly requirement: Requirement;
  readonly resources: Resources;
  readonly residents: readonly Resident[];
  readonly policy: SelectionPolicy;
  /**
   * How far below its limit a pool must end up when the plan steps up from a resident: a share of the
   * pool's total, 0 to 1. If left out, stepping up needs the same room as staying.
   */
  readonly upgradeMarginRatio?: number | null;
  /**
   * Whether a resident has just been unloaded to step down, or was released because memory ran out. The
   * last candidate may then be loaded up to the hard limit. Default `false`.
   */
  readonly steppingDown?: boolean;
}
