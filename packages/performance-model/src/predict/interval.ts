import type { Correction } from '../learning/corrections.js';

/** Standard deviations on each side of the interval. `bench/speed/accuracy.mjs` prints how many results lie inside. */
export const INTERVAL = 1.7;

/** Tokens per second, and an interval that holds 90 % of the measurements. */
export interface SpeedInterval {
  readonly tokensPerSecond: number;
  readonly low: number;
  readonly high: number;
}

/** The speed at `seconds` for one token, after a correction. */
export function intervalOf(
  seconds: number,
  { mean, standardDeviation }: Correction,
): SpeedInterval {
  const tokensPerSecond = 1 / (seconds * Math.exp(mean));
  const spread = Math.exp(INTERVAL * standardDeviation);
  return { tokensPerSecond, low: tokensPerSecond / spread, high: tokensPerSecond * spread };
}
