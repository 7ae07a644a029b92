import type { Footprint, PoolName, Shortfall, Tier } from '@mai/memory-ledger';
import type { LoadOption } from './input.js';

/** A pool before and after the plan, in bytes. */
export interface PoolOutcome {
  readonly pool: PoolName;
  readonly totalBytes: number;
  /** Taken by everything that is not a resident. */
  readonly othersBytes: number;
  /** Others and residents as they are now. */
  readonly useBeforeBytes: number;
  /** Others, what stays and what is loaded. */
  readonly useAfterBytes: number;
  /** What is left of the total after the plan; negative where even that is exceeded. */
  readonly headroomBytes: number;
  /** The limit in force as a share of the total, 0 to 1: the configured one, or less for the headroom's sake. */
  readonly limitRatio: number;
  /** The most that may be in use: limit and minimum headroom respected. */
  readonly limitBytes: number;
  /** Above this share of the total memory is about to run out, 0 to 1. */
  readonly hardLimitRatio: number;
  readonly hardLimitBytes: number;
  /** What the plan frees. */
  readonly reclaimableBytes: number;
}

/** The figures of a pool that is too small. */
export type ShortfallFigures = Omit<Shortfall, 'pool'>;

/** Why a candidate, or one of its load options, was not chosen. Codes are API. */
export type Rejection =
  | { readonly code: 'NOT_DOWNLOADED' }
  | { readonly code: 'MISSING_CAPABILITY'; readonly missing: readonly string[] }
  | { readonly code: 'OUTSIDE_TIER'; readonly tier: Tier; readonly allowed: readonly Tier[] }
  | {
      readonly code: 'COOLING_DOWN_AFTER_FAILURE';
      readonly untilMs: number;
      readonly remainingMs: number;
    }
  | {
      readonly code: 'CONTEXT_TOO_SMALL';
      readonly requiredTokens: number;
      readonly offeredTokens: number;
    }
  | { readonly code: 'GUARDRAILS' }
  | { readonly code: 'FOOTPRINT_UNKNOWN' }
  | ({ readonly code: 'INSUFFICIENT_RAM' } & ShortfallFigures)
  | ({ readonly code: 'INSUFFICIENT_VRAM'; readonly deviceKey: string } & ShortfallFigures)
  | { readonly code: 'WAITS_FOR_BUSY'; readonly instanceIdentifiers: readonly string[] }
  | { readonly code: 'PREFERRED_CANDIDATE_FITS'; readonly preferredModelKey: string };

/** A candidate that was not chosen. */
export interface RejectedCandidate {
  readonly candidateIndex: number;
  readonly modelKey: string;
  /** The reason of the candidate, or of the option that came closest. */
  readonly rejection: Rejection;
  /** One for each load option that was looked at, in their order. */
  readonly options: readonly Rejection[];
}

/** One step of a plan. */
export type PlanStep =
  | {
      readonly action: 'unload';
      readonly instanceIdentifier: string;
      readonly modelKey: string;
      /** `superseded`: the chosen model takes its place. `make-room`: its memory is needed. */
      readonly why: 'superseded' | 'make-room';
    }
  | { readonly action: 'load'; readonly modelKey: string; readonly loadOption: LoadOption };

/** What to do, in order. */
export interface Plan {
  readonly steps: readonly PlanStep[];
  /**
   * Whether the new model is loaded before the old one goes. Loading first asks for room for both;
   * where there is none the old one goes first, and a failed load is rolled back. Null where the plan
   * does not do both.
   */
  readonly order: 'make-before-break' | 'break-before-make' | null;
}

/** The candidate and load option that was chosen. */
export interface Chosen {
  readonly candidateIndex: number;
  readonly modelKey: string;
  readonly displayName: string;
  readonly tier: Tier;
  readonly optionIndex: number;
  readonly loadOption: LoadOption;
  /** The resident that already serves it; null when it is to be loaded. */
  readonly instanceIdentifier: string | null;
  readonly footprint: Footprint | null;
}

/** Something the reader of a decision should know. */
export type SelectionNote =
  | { readonly code: 'RESOURCES_NOT_OBSERVABLE' }
  | { readonly code: 'GPU_UNMEASURED'; readonly deviceKey: string }
  | { readonly code: 'GPU_UNKNOWN'; readonly deviceKey: string }
  | { readonly code: 'RESIDENT_UNMEASURED'; readonly instanceIdentifier: string }
  | {
      readonly code: 'SHORTER_CONTEXT';
      readonly wantedTokens: number;
      readonly offeredTokens: number;
    }
  | {
      /** Nothing better is left to do: no switch would bring the pool below its limit. */
      readonly code: 'ABOVE_LIMIT';
      readonly pool: PoolName;
      readonly useRatio: number;
      readonly limitRatio: number;
    }
  | { readonly code: 'CPU_PRESSURE'; readonly ratio: number; readonly limitRatio: number };

/** The outcome of a decision: a value, also when nothing fits. */
export interface Selection {
  /**
   * `keep`: what is resident is the best that fits. `load`: nothing serves yet. `switch`: another
   * candidate or load option takes over. `release`: nothing fits and memory is about to run out, so what
   * may go, goes. `wait`: the switch that is due needs a busy instance to finish first. `none`: nothing
   * fits and nothing is to be done.
   */
  readonly decision: 'keep' | 'load' | 'switch' | 'release' | 'wait' | 'none';
  /** Where a switch leads in the chain; null where there is none. */
  readonly direction: 'up' | 'down' | null;
  /** Null where nothing fits. A `wait` names what stays in use meanwhile, where something does. */
  readonly chosen: Chosen | null;
  readonly plan: Plan;
  /** Every measured pool, RAM first. */
  readonly pools: readonly PoolOutcome[];
  /** Left after the plan in the tightest pool that the chosen model uses; null without one. */
  readonly headroomBytes: number | null;
  readonly rejected: readonly RejectedCandidate[];
  /** A preferred candidate that fits as soon as these busy instances are done; null without one. */
  readonly afterDrain: {
    readonly candidateIndex: number;
    readonly modelKey: string;
    readonly optionIndex: number;
    readonly waitsFor: readonly string[];
    /** The plan once they are idle. */
    readonly plan: Plan;
  } | null;
  readonly notes: readonly SelectionNote[];
}
