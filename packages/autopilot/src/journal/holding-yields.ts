import { isProcessAlive as runs } from './is-process-alive.js';
import type { Yield } from './journal-state.js';

/**
 * The yields that have not ended: their time is not over, and their process runs.
 *
 * @param isProcessAlive - Whether a process runs that ran at `sinceMs`. Default: asks the operating system.
 */
export function holdingYields(
  yields: readonly Yield[],
  nowMs: number,
  isProcessAlive: (processId: number, sinceMs: number) => boolean = runs,
): Yield[] {
  return yields.filter(
    (one) =>
      (one.untilMs === null || nowMs < one.untilMs) &&
      (one.processId === null || isProcessAlive(one.processId, one.sinceMs)),
  );
}
