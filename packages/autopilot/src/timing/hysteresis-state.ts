import type { Selection } from '@mai/selector';

/** The state of `reduceHysteresis`. Plain data, so that it can be logged and replayed. */
export interface HysteresisState {
  readonly lastObservedAtMs: number | null;
  /** The change that is due, and the time since it has been due; null when no change is due. */
  readonly pending: { readonly direction: 'up' | 'down'; readonly sinceMs: number } | null;
  readonly lastSwitch: { readonly direction: 'up' | 'down'; readonly atMs: number } | null;
}

/** One observation. All times come from one monotonic clock, in milliseconds. */
export interface HysteresisObservation {
  readonly atMs: number;
  readonly selection: Selection;
  /** The margin that the selection was made with: how far below its limit a step up must stay, 0 to 1. */
  readonly upgradeMarginRatio: number;
  /** Forecast time until a pool reaches its hard limit; null without a forecast. */
  readonly timeToHardLimitMs: number | null;
  /** How long a decision that is made now takes until it has an effect, loading included. */
  readonly reactionMs: number;
}

/** The reason for a verdict. Codes are API. */
export type VerdictReason =
  /** No change is due. */
  | 'STEADY'
  /** No model is resident and a candidate fits. The candidate is loaded at once. */
  | 'NOTHING_RESIDENT'
  /** A pool is over its hard limit. The switch waits for neither dwell nor cool-down. */
  | 'EMERGENCY'
  /** The forecast reaches the hard limit before a later decision could take effect. */
  | 'FORECAST'
  /** The change has been due for the dwell time. */
  | 'DWELL_OVER'
  /** The change is due, but has not been due for the dwell time yet. */
  | 'DWELLING'
  /** The quiet time after the last switch. */
  | 'COOLING_DOWN'
  /** Others keep the CPU busy, so no larger model is loaded. */
  | 'CPU_PRESSURE'
  /** The switch waits for a busy instance. */
  | 'DRAINING';

/** Whether to carry out the selection's plan now. */
export interface Verdict {
  readonly act: boolean;
  readonly reason: VerdictReason;
  /**
   * Milliseconds until the verdict may change if the observations stay the same; null when no change is
   * due.
   */
  readonly waitMs: number | null;
  /** The share of RAM that use must stay below after a step up, 0 to 1. The selection used the same share. */
  readonly upgradeBelowRatio: number;
}
