import type { IntervalBounds } from '../sampling/adaptive-interval.js';

/** The longest time of a timer in milliseconds, about 24 days. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Checks a number that a caller gave.
 * @throws RangeError if the number is not in the range. NaN is in no range.
 */
export function checkRange(name: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new RangeError(`${name} must be a number ${range}, not ${value}.`);
}

/** @throws RangeError unless 1 <= minMs <= maxMs, and a timer can wait for both. */
export function checkInterval({ minMs, maxMs }: IntervalBounds): void {
  checkRange('intervalMs', minMs, 1, LONGEST_MS);
  checkRange('intervalMs', maxMs, 1, LONGEST_MS);
  if (minMs > maxMs)
    throw new RangeError(
      `intervalMs must have a minMs of at most its maxMs, not ${minMs} and ${maxMs}.`,
    );
}
