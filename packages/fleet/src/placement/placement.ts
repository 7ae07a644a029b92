import type { Capability, Tier } from '@mai/memory-ledger';

/**
 * Where a request may go, the best place first. A caller asks the next host when one refuses. The asking host (`ownHost`)
 * is always among the alternatives.
 */
export interface Placement {
  readonly alternatives: readonly PlacementAlternative[];
  /** Every host except that of the first alternative, sorted by name. */
  readonly notTaken: readonly HostNotTaken[];
  /** Tokens of the prompt and of the answer that the figures are worked out for. */
  readonly promptTokens: number;
  readonly answerTokens: number;
}

/**
 * How a place serves the request, in the order in which equal delays are ranked:
 *
 * - `resident-idle`, `resident-busy`: the model is loaded, and answers no request or some.
 * - `fits`: the host must load it first.
 * - `after-eviction`: the host must load it first, and unload idle models before. Also where the host does not know
 *   whether the model fits, or knows it only for a shorter context than the request needs.
 * - `smaller`: a model further back in the chain than the best one that some host can serve. It is loaded where
 *   `instanceIdentifier` is not null.
 * - `own-host`: no model of the asking host is known to serve the request. This host then decides by itself. Always last.
 */
export type PlacementStep =
  'resident-idle' | 'resident-busy' | 'fits' | 'after-eviction' | 'smaller' | 'own-host';

/** One place that can serve the request. */
export interface PlacementAlternative {
  readonly host: string;
  readonly step: PlacementStep;
  /** Null with `own-host`. */
  readonly modelKey: string | null;
  readonly digest: string | null;
  /** The resident that serves; null where the model must be loaded. */
  readonly instanceIdentifier: string | null;
  /** Null with `own-host`. */
  readonly figures: PlacementFigures | null;
}

/** The expected figures of a place. All times are in milliseconds. */
export interface PlacementFigures {
  /** Place of the model in the order of preference, from 0. */
  readonly preference: number;
  /** Requests that run or wait at the resident. */
  readonly ahead: number;
  /** Requests that the resident answers at the same time. */
  readonly parallel: number;
  /** Generated tokens per second, when the resident answers one request; null where they are not known. */
  readonly tokensPerSecond: number | null;
  /** Wait for a free sequence of the resident. */
  readonly queueMs: number;
  readonly loadMs: number;
  /** Time to read the prompt, and to generate the answer. */
  readonly promptMs: number;
  readonly answerMs: number;
  /** Wait for the first token: queue, load, prompt and hop. */
  readonly waitMs: number;
  /** Price of a load, an eviction and a smaller model. */
  readonly penaltyMs: number;
  /**
   * The time until the answer ends, less the shortest such time that this model has at any idle host, plus `penaltyMs`.
   * The places are ranked by it.
   */
  readonly delayMs: number;
  /** Whether the conversation's KV cache is expected here. */
  readonly warm: boolean;
  /** Whether even the upper end of the model's speed is below what the policy asks for. */
  readonly tooSlow: boolean;
  /** Factor of the assumed times, from earlier answers. 1 if the speed is known, or if there was no earlier answer. */
  readonly timeRatio: number;
  /** The figures that are assumed because the host does not report them. */
  readonly assumed: readonly AssumedFigure[];
}

/**
 * `speed-seen`: the speed is not known, and the time of earlier answers is taken. `speed-elsewhere`: the time of other hosts'
 * answers is taken. For the other figures, usual values are taken.
 */
export type AssumedFigure = 'speed' | 'speed-seen' | 'speed-elsewhere' | 'load-time' | 'requests';

/** A host that does not get the request first. */
export interface HostNotTaken {
  readonly host: string;
  readonly reason: NotTakenReason;
}

/** Why a host does not get a request. Codes are API. */
export type NotTakenReason =
  /** Nothing new was heard from the host for too long; null: only stored state is known. */
  | { readonly code: 'NOT_USABLE'; readonly silentMs: number | null }
  /** The heartbeat and the state are of different epochs: the host has restarted, and one of them is old. */
  | { readonly code: 'RESTARTED' }
  /** The host takes no requests, because it stops. */
  | { readonly code: 'STOPPING' }
  /** The host serves no other host. */
  | { readonly code: 'NO_ADDRESS' }
  /** Requests of this chain may not leave the asking host. */
  | { readonly code: 'CHAIN_STAYS'; readonly chain: string | null }
  | {
      readonly code: 'LABEL_DIFFERS';
      readonly label: string;
      readonly wanted: string;
      readonly found: string | null;
    }
  /** The host has none of the wanted models. */
  | { readonly code: 'MODEL_MISSING'; readonly models: number }
  | { readonly code: 'TIER_DIFFERS'; readonly modelKey: string; readonly tier: Tier }
  | {
      readonly code: 'CAPABILITY_MISSING';
      readonly modelKey: string;
      readonly capability: Capability;
    }
  /** `contextLengthTokens` null: the context length is not known. It then meets no condition. */
  | {
      readonly code: 'CONTEXT_TOO_SHORT';
      readonly modelKey: string;
      readonly contextLengthTokens: number | null;
      readonly wantedTokens: number;
    }
  /** No resident has the wanted identifier. */
  | { readonly code: 'INSTANCE_MISSING'; readonly modelKey: string }
  /** The resident has just failed this request. */
  | {
      readonly code: 'RESIDENT_FAILED';
      readonly modelKey: string;
      readonly instanceIdentifier: string;
    }
  /** The model is not loaded, and a device of LM Link loads nothing for the fleet. */
  | { readonly code: 'NOT_RESIDENT'; readonly modelKey: string }
  | {
      readonly code: 'DOES_NOT_FIT';
      readonly modelKey: string;
      readonly sizeBytes: number | null;
    }
  /** The fullest pool is at its limit. */
  | {
      readonly code: 'MEMORY_PRESSURE';
      readonly modelKey: string;
      readonly pressureRatio: number;
    }
  /** Other hosts may load nothing there now. */
  | { readonly code: 'GUESTS_MAY_NOT_LOAD'; readonly modelKey: string }
  | {
      readonly code: 'GUEST_SHARE_EXCEEDED';
      readonly modelKey: string;
      readonly sizeBytes: number;
      readonly allowedBytes: number;
    }
  /** The host can serve the request, and another one ranks before it. `by` is the first criterion that differs. */
  | {
      readonly code: 'RANKED_BEHIND';
      readonly modelKey: string;
      readonly step: PlacementStep;
      readonly by: RankingCriterion;
      readonly delayMs: number;
      readonly bestDelayMs: number;
      /** The part of `delayMs` that is the price of a load, an eviction and a smaller model. */
      readonly penaltyMs: number;
      readonly ahead: number;
      readonly tokensPerSecond: number | null;
    };

/** The criteria of the ranking, in their order. */
export type RankingCriterion =
  | 'failures'
  | 'speed-floor'
  | 'delay'
  | 'step'
  | 'speed'
  | 'queue'
  | 'warm-prefix'
  | 'own-host'
  | 'name';
