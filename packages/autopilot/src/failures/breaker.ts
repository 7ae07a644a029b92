/**
 * The times of recent failures, and the time until which all loads are paused. Monotonic milliseconds. Plain
 * data.
 */
export interface BreakerState {
  readonly failedAtMs: readonly number[];
  readonly openUntilMs: number | null;
}

/** The breaker opens for `openMs` after `failures` failures within `withinMs`. */
export interface BreakerPolicy {
  readonly failures: number;
  readonly withinMs: number;
  readonly openMs: number;
}

/** The state before any failure. */
export const CLOSED_BREAKER: BreakerState = { failedAtMs: [], openUntilMs: null };

/**
 * Counts one more failure of any model, other than the runtime's own refusal. Many failures in a short time point to the
 * runtime, not to the models.
 */
export function breakerAfterFailure(
  state: BreakerState,
  policy: BreakerPolicy,
  nowMs: number,
): BreakerState {
  const failedAtMs = [...state.failedAtMs, nowMs].filter((atMs) => nowMs - atMs < policy.withinMs);
  if (failedAtMs.length < policy.failures) return { failedAtMs, openUntilMs: state.openUntilMs };
  // Keep the count one below the threshold: after the pause, a single failure opens the breaker again.
  return {
    failedAtMs: failedAtMs.slice(0, policy.failures - 1).map(() => nowMs + policy.openMs),
    openUntilMs: nowMs + policy.openMs,
  };
}

/** Whether no load is tried now. */
export function isBreakerOpen(state: BreakerState, nowMs: number): boolean {
  return state.openUntilMs !== null && nowMs < state.openUntilMs;
}
