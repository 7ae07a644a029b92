import type { Footprint, PoolName, Shortfall, SpeedRange, Tier } from '@mai/memory-ledger';
import type { EngineRefusal, LoadOption } from './input.js';

/** A pool before and after the plan, in bytes. */
export interface PoolOutcome {
  readonly pool: PoolName;
  readonly totalBytes: number;
  /** Use by all programs except the residents, with what yields keep free. */
  readonly othersBytes: number;
  /** The part of `othersBytes` that yields keep free for other programs. Absent: 0, also in older logs. */
  readonly yieldedBytes?: number;
  /** Use by others and by all residents, before the plan. */
  readonly useBeforeBytes: number;
  /** Use by others, by the residents that stay and by the model that is loaded. */
  readonly useAfterBytes: number;
  /** `totalBytes - useAfterBytes`; negative where the plan needs more than the pool has. */
  readonly headroomBytes: number;
  /**
   * The limit as a share of the total, 0 to 1. It is lower than configured if the minimum headroom requires a
   * lower limit.
   */
  readonly limitRatio: number;
  /** The most bytes that may be in use under this limit. */
  readonly limitBytes: number;
  /** Above this share of the total, 0 to 1, memory is about to run out. */
  readonly hardLimitRatio: number;
  readonly hardLimitBytes: number;
  /** Bytes that the plan frees. */
  readonly reclaimableBytes: number;
  /** The part of `useAfterBytes` that is held for the growth of models and not in use yet. */
  readonly growthBytes: number;
}

/** How much of a pool a load lacks. */
export interface PoolShortfall extends Omit<Shortfall, 'pool'> {
  /** The part of `neededBytes` that is held for the growth of the model and not in use yet. */
  readonly growthBytes: number;
}

/** The speed of a load option that is below the minimum of the policy. */
export interface TooSlow {
  readonly code: 'TOO_SLOW';
  /** Generated tokens per second. `high` is below the minimum. */
  readonly tokensPerSecond: SpeedRange;
  readonly minTokensPerSecond: number;
  /** Whether the model was measured on this machine. */
  readonly measured: boolean;
}

/** The value of a slow model beside that of the next, 0 to 1. `valueOf` of `@mai/memory-ledger` computes it. */
export interface ValueComparison {
  /** The value of the chosen model. */
  readonly value: number;
  /** The model with the next lower value that fits. */
  readonly next: { readonly modelKey: string; readonly value: number };
}

/** The note of a choice below the minimum speed. */
export interface SlowChoice extends TooSlow {
  /** Absent where the order of the chain decided, or where the values are not known. */
  readonly comparison?: ValueComparison;
}

/** Why a candidate, or one of its load options, was not chosen. Codes are API. */
export type Rejection =
  | { readonly code: 'NOT_DOWNLOADED' }
  | { readonly code: 'ENGINE_REFUSES'; readonly refusal: EngineRefusal }
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
  | ({ readonly code: 'INSUFFICIENT_RAM' } & PoolShortfall)
  | ({ readonly code: 'INSUFFICIENT_VRAM'; readonly deviceKey: string } & PoolShortfall)
  /** It fits, but generates fewer tokens per second than the policy asks for. */
  | TooSlow
  | { readonly code: 'WAITS_FOR_BUSY'; readonly instanceIdentifiers: readonly string[] }
  | { readonly code: 'PREFERRED_CANDIDATE_FITS'; readonly preferredModelKey: string };

/** A candidate that was not chosen. */
export interface RejectedCandidate {
  readonly candidateIndex: number;
  readonly modelKey: string;
  /** The reason of the candidate itself, or of its load option that came closest to fitting. */
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

/** The steps that carry out a decision, in order. */
export interface Plan {
  readonly steps: readonly PlanStep[];
  /**
   * `make-before-break` loads the new model first and then unloads the old one; both models must fit together.
   * `break-before-make` unloads first. `null` where the plan only loads or only unloads.
   */
  readonly order: 'make-before-break' | 'break-before-make' | null;
}

/** The cost of a load option, compared with the first load option of its candidate. */
export interface OptionCost {
  /** Loss of quality, 0 to 1; negative for a gain; `null` where a quality is not known. */
  readonly quality: number | null;
  /** Loss of generated tokens per second; negative for a gain; `null` where a speed is not known. */
  readonly tokensPerSecond: number | null;
}

/** The candidate and load option that was chosen. */
export interface Chosen {
  readonly candidateIndex: number;
  readonly modelKey: string;
  readonly displayName: string;
  readonly tier: Tier;
  readonly optionIndex: number;
  readonly loadOption: LoadOption;
  /**
   * The resident that serves this load option; `null` when the option is loaded. The resident's context may be
   * longer than the option asks for.
   */
  readonly instanceIdentifier: string | null;
  readonly footprint: Footprint | null;
  /** `null` for the first load option, which gives nothing up. */
  readonly cost: OptionCost | null;
}

/** A fact that explains a decision. */
export type SelectionNote =
  | { readonly code: 'RESOURCES_NOT_OBSERVABLE' }
  /** The free memory of this machine cannot be read, so all of it counts as free. */
  | { readonly code: 'RAM_UNMEASURED' }
  | { readonly code: 'GPU_UNMEASURED'; readonly deviceKey: string }
  | { readonly code: 'GPU_UNKNOWN'; readonly deviceKey: string }
  | { readonly code: 'RESIDENT_UNMEASURED'; readonly instanceIdentifier: string }
  | {
      readonly code: 'SHORTER_CONTEXT';
      readonly wantedTokens: number;
      readonly offeredTokens: number;
    }
  | {
      /** The load has a longer context than is needed, for a prompt that grows. */
      readonly code: 'ROOM_TO_GROW';
      readonly neededTokens: number;
      readonly offeredTokens: number;
    }
  | {
      /** The pool stays above its limit, because no switch would bring it below. */
      readonly code: 'ABOVE_LIMIT';
      readonly pool: PoolName;
      readonly useRatio: number;
      readonly limitRatio: number;
    }
  /** The chosen load option is below the minimum speed, because no model that fits is fast enough. */
  | SlowChoice
  | WeighedWait
  | { readonly code: 'CPU_PRESSURE'; readonly ratio: number; readonly limitRatio: number };

/** A wait for busy residents that was weighed against a load at once. */
export interface WeighedWait {
  readonly code: 'WEIGHED_WAIT';
  /** `wait`: the callers wait for `preferred`. `load`: `other` is loaded at once. */
  readonly outcome: 'wait' | 'load';
  /** Identifiers of the busy residents whose memory `preferred` needs. */
  readonly waitsFor: readonly string[];
  /** Expected time until these residents are idle, in milliseconds. */
  readonly waitMs: number;
  /** How long the model that is loaded serves the callers, in milliseconds. */
  readonly servesMs: number;
  readonly preferred: WeighedModel;
  readonly other: WeighedModel;
}

/** A model of a weighed wait: its value, 0 to 1, and its load time in milliseconds. */
export interface WeighedModel {
  readonly modelKey: string;
  readonly value: number;
  readonly loadMs: number;
}

/** The outcome of a decision: a value, also when nothing fits. */
export interface Selection {
  /**
   * - `keep`: a resident is the best model that fits.
   * - `load`: no model of the chain is resident, so one is loaded.
   * - `switch`: another candidate or load option takes over.
   * - `release`: nothing fits and memory is about to run out, so our idle residents are unloaded.
   * - `wait`: a switch is due, but a busy instance has to finish first.
   * - `none`: no model that meets the requirement fits. Nothing is loaded or unloaded; a resident that does not
   *   meet the requirement stays loaded.
   */
  readonly decision: 'keep' | 'load' | 'switch' | 'release' | 'wait' | 'none';
  /**
   * Direction of the switch in the chain; `null` without a switch. Between models that are all too slow and that Mai put
   * into the chain: `up` to a higher value.
   */
  readonly direction: 'up' | 'down' | null;
  /**
   * The chosen model, which meets the requirement; `null` where nothing fits. With `wait`, the resident that serves until the
   * switch; `null` where no resident of ours meets the requirement.
   */
  readonly chosen: Chosen | null;
  readonly plan: Plan;
  /** Every pool whose total is known, RAM first. */
  readonly pools: readonly PoolOutcome[];
  /**
   * Bytes left after the plan in the tightest pool that the chosen model uses; `null` without a chosen model.
   */
  readonly headroomBytes: number | null;
  readonly rejected: readonly RejectedCandidate[];
  /**
   * A preferred candidate that fits as soon as the instances of `waitsFor` are idle; `null` without such a
   * candidate, and where the wait for it was weighed and costs more than a load at once.
   */
  readonly afterDrain: {
    readonly candidateIndex: number;
    readonly modelKey: string;
    readonly optionIndex: number;
    readonly waitsFor: readonly string[];
    /** The plan to carry out once these instances are idle. */
    readonly plan: Plan;
  } | null;
  readonly notes: readonly SelectionNote[];
}
