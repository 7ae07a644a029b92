/** Plain data: failures of late, and until when nothing is tried. Monotonic milliseconds. */
export interface BreakerState {
  readonly failedAtMs: readonly number[];
  readonly openUntilMs: number | null;
}

/** When the breaker opens, and for how long. */
export interface BreakerPolicy {
  readonly failures: number;
  readonly withinMs: number;
  readonly openMs: number;
}

/** Nothing has failed. */
export const CLOSED_BREAKER: BreakerState = { failedAtMs: [], openUntilMs: null };

/** One more failure of whatever model: so many in so short a time are not the models' fault. */
export function breakerAfterFailure(
  state: BreakerState,
  policy: BreakerPolicy,
  nowMs: number,
): BreakerState {
  const failedAtMs = [...state.failedAtMs, nowMs].filter((atMs) => nowMs - atMs < policy.withinMs);
  if (failedAtMs.length < policy.failures) return { failedAtMs, openUntilMs: state.openUntilMs };
  // One short of the threshold: after the pause a single failure opens it again.
  return {
    failedAtMs: failedAtMs.slice(0, policy.failures - 1).map(() => nowMs + policy.openMs),
    openUntilMs: nowMs + policy.openMs,
  };
}

/** Whether nothing may be tried now. */
export function isBreakerOpen(state: BreakerState, nowMs: number): boolean {
  return state.openUntilMs !== null && nowMs < state.openUntilMs;
}
