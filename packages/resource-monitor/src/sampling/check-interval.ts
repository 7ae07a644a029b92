import { checkRange } from '@mai/memory-ledger';
import type { IntervalBounds } from './adaptive-interval.js';

/** The longest time of a timer in milliseconds, about 24 days. */
const LONGEST_MS = 2 ** 31 - 1;

/** @throws RangeError unless 1 <= minMs <= maxMs, and a timer can wait for both. */
export function checkInterval({ minMs, maxMs }: IntervalBounds): void {
  checkRange('intervalMs', minMs, 1, LONGEST_MS);
  checkRange('intervalMs', maxMs, 1, LONGEST_MS);
  if (minMs > maxMs)
    throw new RangeError(
      `intervalMs must have a minMs of at most its maxMs, not ${minMs} and ${maxMs}.`,
    );
}
