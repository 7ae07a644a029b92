import type { Footprint, LoadConfig, Resources, SelectionPolicy, Tier } from '@mai/memory-ledger';

/** One way to load a candidate, with what that would cost. */
export interface LoadOption {
  readonly loadConfig: LoadConfig;
  /** Null: unknown, so it is never loaded blind. */
  readonly footprint: Footprint | null;
  /** LM Studio's own verdict; null when it was not asked. */
  readonly guardrails: 'pass' | 'refuse' | null;
}

/** A model in play for a decision, with its load configurations in order of preference. */
export interface Candidate {
  readonly modelKey: string;
  readonly displayName: string;
  readonly tier: Tier;
  readonly capabilities: readonly string[];
  readonly downloaded: boolean;
  readonly maxContextLengthTokens: number | null;
  readonly loadOptions: readonly LoadOption[];
  /** After a failed load, milliseconds since the epoch; null when it may be tried. */
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
  /** Milliseconds since the epoch; null when never used or unknown. */
  readonly lastUsedAtMs: number | null;
}

/** What the chosen model must offer. */
export interface Requirement {
  readonly capabilities: readonly string[];
  readonly minContextLengthTokens: number | null;
  /** Null allows all tiers. */
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
   * How far below its limit a pool must end up when the plan steps up from a resident, 0 to 1; from
   * `reduceHysteresis`. Without it stepping up asks for no more than staying.
   */
  readonly upgradeMarginRatio?: number | null;
  /**
   * Whether what was resident has just been unloaded to step down, or was released because memory ran out:
   * the last candidate may then be loaded up to the hard limit, as it may be stepped down to. Default false.
   */
  readonly steppingDown?: boolean;
}
