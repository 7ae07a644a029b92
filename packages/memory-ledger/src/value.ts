import type { LoadSpeed } from './models/load-speed.js';
import type { SelectionGoal, SelectionPolicy } from './selection-policy.js';

/** The exponent of the speed in the value of a choice, by goal. */
const SPEED_WEIGHT: Readonly<Record<SelectionGoal, number>> = {
  quality: 0,
  balanced: 0.5,
  speed: 1,
};

/** The properties of a load option that its value depends on. */
export interface Valued {
  /** Quality of the answers, 0 to 1; null where it is not known. */
  readonly quality: number | null;
  /** Null where the speeds are not known. */
  readonly speed: LoadSpeed | null;
}

/**
 * The value of a way to load a model, 0 to 1; `null` where its quality is not known:
 *
 * `quality * min(1, speed / minTokensPerSecond) ^ weight`
 *
 * `speed` is the expected number of generated tokens per second. `weight` is 0 for the goal `quality`, 0.5 for `balanced` and 1 for
 * `speed`. Speed above the minimum adds no value. If the speed is not known, or the minimum is 0, the value is the quality. The
 * formula is argued in docs/adr/0010-value-of-a-choice.md.
 */
export function valueOf(
  { quality, speed }: Valued,
  { goal, minTokensPerSecond }: Pick<SelectionPolicy, 'goal' | 'minTokensPerSecond'>,
): number | null {
  if (quality === null) return null;
  if (speed === null || minTokensPerSecond <= 0) return quality;
  const reached = Math.min(1, speed.decodeTokensPerSecond.expected / minTokensPerSecond);
  return quality * Math.max(0, reached) ** SPEED_WEIGHT[goal];
}

/** Whether even the upper end of the predicted or measured speed is below the minimum. */
export function isTooSlow(
  { decodeTokensPerSecond }: Pick<LoadSpeed, 'decodeTokensPerSecond'>,
  { minTokensPerSecond }: Pick<SelectionPolicy, 'minTokensPerSecond'>,
): boolean {
  return decodeTokensPerSecond.high < minTokensPerSecond;
}
