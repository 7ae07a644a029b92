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
  /** Total less use after the plan; negative where the plan asks for more than there is. */
  readonly headroomBytes: number;
  /**
   * The limit as a share of the total, 0 to 1. Lower than configured where the minimum headroom asks for
   * it.
   */
  readonly limitRatio: number;
  /** The most that may be in use under that limit. */
  readonly limitBytes: number;
  /** Memory is about to run out above this share of the total, 0 to 1. */
  readonly hardLimitRatio: number;
  readonly hardLimitBytes: number;
  /** Bytes that the plan frees. */
  readonly reclaimableBytes: number;
}

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
  | ({ readonly code: 'INSUFFICIENT_RAM' } & Omit<Shortfall, 'pool'>)
  | ({ readonly code: 'INSUFFICIENT_VRAM'; readonly deviceKey: string } & Omit<Shortfall, 'pool'>)
  | { readonly code: 'WAITS_FOR_BUSY'; readonly instanceIdentifiers: readonly string[] }
  | { readonly code: 'PREFERRED_CANDIDATE_FITS'; readonly preferredModelKey: string };

/** A candidate that was not chosen. */
export interface RejectedCandidate {
  readonly candidateIndex: number;
  readonly modelKey: string;
  /** The candidate's own reason, or that of the load option that came closest to fitting. */
  readonly rejection: Rejection;
  /** The reason for each load option that was tried, in order. */
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
   * `make-before-break` loads the new model before the old one is unloaded, which takes room for both.
   * `break-before-make` unloads first. `null` where the plan only loads or only unloads.
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
  /** The resident that matches this load option; `null` when the option is to be loaded. */
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
      /** The pool stays above its limit: no switch would bring it below. */
      readonly code: 'ABOVE_LIMIT';
      readonly pool: PoolName;
      readonly useRatio: number;
      readonly limitRatio: number;
    }
  | { readonly code: 'CPU_PRESSURE'; readonly ratio: number; readonly limitRatio: number };

/** The outcome of a decision: a value, also when nothing fits. */
export interface Selection {
  /**
   * - `keep`: what is resident is the best that fits.
   * - `load`: nothing of the chain is resident; load one.
   * - `switch`: another candidate or load option takes over.
   * - `release`: nothing fits and memory is about to run out; unload what may go.
   * - `wait`: a switch is due, and a busy instance has to finish first.
   * - `none`: nothing fits, and there is nothing to unload.
   */
  readonly decision: 'keep' | 'load' | 'switch' | 'release' | 'wait' | 'none';
  /** Direction of the switch in the chain; `null` without a switch. */
  readonly direction: 'up' | 'down' | null;
  /** `null` where nothing fits. With `wait`, the resident that serves meanwhile. */
  readonly chosen: Chosen | null;
  readonly plan: Plan;
  /** Every pool whose total is known, RAM first. */
  readonly pools: readonly PoolOutcome[];
  /** Left after the plan in the tightest pool that the chosen model uses; `null` without a chosen model. */
  readonly headroomBytes: number | null;
  readonly rejected: readonly RejectedCandidate[];
  /**
   * A preferred candidate that fits as soon as the instances of `waitsFor` are idle; `null` without one.
   */
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
