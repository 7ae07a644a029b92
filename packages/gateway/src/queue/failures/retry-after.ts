/** Clients ignore a longer `Retry-After`. */
export const RETRY_MAX_SECONDS = 59;

/** Seconds for `Retry-After`: between 1 and 59. */
export function retryAfter(ms: number): number {
  return Math.min(RETRY_MAX_SECONDS, Math.max(1, Math.ceil(ms / 1000)));
}
