/** The wait after consecutive failures. */
export interface BackOffPolicy {
  readonly baseMs: number;
  readonly maxMs: number;
  /** Share by which the wait varies at random, so that the retries of several processes do not coincide. */
  readonly jitterRatio: number;
}

/**
 * The wait in milliseconds: `baseMs`, doubled with every further failure up to `maxMs`, varied by the
 * jitter.
 *
 * @param failures - failures in a row, 1 for the first.
 * @param random - uniform in [0, 1).
 */
export function backOffMs(policy: BackOffPolicy, failures: number, random: () => number): number {
  // Keeps the product finite: 2^52 exceeds any `maxMs`.
  const exponent = Math.min(Math.max(0, failures - 1), 52);
  const waitMs = Math.min(policy.maxMs, policy.baseMs * 2 ** exponent);
  return Math.round(waitMs * (1 + policy.jitterRatio * (2 * random() - 1)));
}
