/** A figure with the interval that holds it in 90 % of cases. `low` <= `expected` <= `high`. */
export interface SpeedRange {
  readonly expected: number;
  readonly low: number;
  readonly high: number;
}

/** The speeds of a model with a load configuration on a machine. */
export interface LoadSpeed {
  /** Generated tokens per second once the context holds `SPEED_DEPTH_TOKENS` tokens. */
  readonly decodeTokensPerSecond: SpeedRange;
  /** Tokens per second of a prompt of `SPEED_DEPTH_TOKENS` tokens. */
  readonly promptTokensPerSecond: SpeedRange;
  /** Milliseconds until the model is loaded; null where neither the disk nor an earlier load is known. */
  readonly loadMs: SpeedRange | null;
  /** Whether this model was measured on this machine, in any load configuration. */
  readonly measured: boolean;
}

/** Tokens in the context at which speeds are compared and shown. */
export const SPEED_DEPTH_TOKENS = 2_000;
