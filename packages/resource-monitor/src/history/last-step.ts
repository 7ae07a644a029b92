import { median } from './theil-sen.js';

/** A jump counts as a step when it is this many times the usual change from point to point... */
const TIMES_USUAL_CHANGE = 8;
/** ...and this share of everything that the values range over. */
const SHARE_OF_RANGE = 0.5;

/**
 * The index from which on the values are of one piece: behind the last step, or 0. A spike is no
 * step, because the values come back from it; a steep ramp is none, because all its changes are large. Changes below
 * `smallest` never count.
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
