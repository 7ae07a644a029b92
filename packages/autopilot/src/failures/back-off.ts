/** How long to wait after the n-th failure in a row. */
export interface BackOffPolicy {
  readonly baseMs: number;
  readonly maxMs: number;
  /** Share by which the wait varies either way, so that retries of many do not coincide. */
  readonly jitterRatio: number;
}

/**
 * Doubles with every failure in a row from `baseMs` up to `maxMs`, then spreads by the jitter.
 *
 * @param failures - failures in a row, 1 for the first.
 * @param random - uniform in [0, 1).
 */
export function backOffMs(policy: BackOffPolicy, failures: number, random: () => number): number {
  // 2^52 is beyond any cap; the exponent is held there so that the product stays finite.
  const exponent = Math.min(Math.max(0, failures - 1), 52);
  const waitMs = Math.min(policy.maxMs, policy.baseMs * 2 ** exponent);
  return Math.round(waitMs * (1 + policy.jitterRatio * (2 * random() - 1)));
}
