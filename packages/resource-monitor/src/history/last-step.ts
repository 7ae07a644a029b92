import { median } from './theil-sen.js';

/** A step is at least this many times as large as the median change. */
const TIMES_USUAL_CHANGE = 8;
/** A step is also at least this share of the range of all values. */
const SHARE_OF_RANGE = 0.5;

/**
 * The index of the first value after the last step; 0 if there is no step. A spike is not a step, because the
 * values return to their old level. A steep ramp is not a step, because all its changes are large. A change
 * below `smallest` is never a step.
 */
export function lastStep(values: readonly number[], smallest: number): number {
  if (values.length < 4) return 0;
  const smooth = values.map((value, index) =>
    median([values[index - 1] ?? value, value, values[index + 1] ?? value]),
  );
  const changes = smooth.slice(1).map((value, index) => Math.abs(value - (smooth[index] ?? value)));
  const usual = median(changes);
  const range = Math.max(...smooth) - Math.min(...smooth);
  for (let index = changes.length - 1; index >= 0; index -= 1) {
    const change = changes[index] ?? 0;
    const isStep = change > TIMES_USUAL_CHANGE * usual && change > SHARE_OF_RANGE * range;
    if (isStep && change >= smallest) return index + 1;
  }
  return 0;
}
