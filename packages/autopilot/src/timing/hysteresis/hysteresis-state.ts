import type { Selection } from '@mai/selector';
import type { UseHistory } from './restlessness.js';

/** What the reducer remembers; plain data, so that it can be written to a journal and replayed. */
export interface HysteresisState {
  readonly lastObservedAtMs: number | null;
  /** The change that is due and since when it has been; null when nothing is. */
  readonly pending: { readonly direction: 'up' | 'down'; readonly sinceMs: number } | null;
  readonly lastSwitch: { readonly direction: 'up' | 'down'; readonly atMs: number } | null;
  readonly useHistory: UseHistory;
  /** To be handed to `selectModel`: how far below its limit a step up must stay, 0 to 1. */
  readonly upgradeMarginRatio: number;
}

/** What the reducer is told. All times come from one clock, in milliseconds. */
export type HysteresisEvent =
  | {
      readonly type: 'observed';
      readonly atMs: number;
      /** Decided with the state's `upgradeMarginRatio`. */
      readonly selection: Selection;
      /** Forecast of when a pool reaches its hard limit; null when none is in sight. */
      readonly timeToHardLimitMs: number | null;
      /** How long a decision taken now would need to act, loading included. */
      readonly reactionMs: number;
    }
  /** A switch was carried out; a load into nothing counts as up, a release as down. */
  | { readonly type: 'switched'; readonly atMs: number; readonly direction: 'up' | 'down' };

/** Why the verdict is what it is. Codes are API. */
export type VerdictReason =
  /** What is resident is the best there is. */
  | 'STEADY'
  /** Nothing is resident and something fits: no reason to wait. */
  | 'NOTHING_RESIDENT'
  /** A pool is over its hard limit; breaks dwell and cool-down. */
  | 'EMERGENCY'
  /** The forecast reaches the hard limit before a later decision could act. */
  | 'FORECAST'
  /** The change has been due for the dwell time. */
  | 'DWELL_OVER'
  /** Due, but not for long enough. */
  | 'DWELLING'
  /** The quiet time after the last switch. */
  | 'COOLING_DOWN'
  /** Others keep the CPU busy: no larger model now. */
  | 'CPU_PRESSURE'
  /** The switch waits for a busy instance. */
  | 'DRAINING';

/** Whether to carry the selection's plan out now. */
export interface Verdict {
  readonly act: boolean;
  readonly reason: VerdictReason;
  /** How long until the verdict may change if nothing else does; null when nothing is pending. */
  readonly waitMs: number | null;
  /** The RAM limit for stepping up that is in force, 0 to 1: the adaptive threshold. */
  readonly upgradeBelowRatio: number;
}
