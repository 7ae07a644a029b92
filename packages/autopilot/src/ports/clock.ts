/** The only source of time in this package. Tests and simulations pass their own. */
export interface Clock {
  /** Milliseconds since the epoch, for display. May jump. */
  nowMs(): number;
  /** Milliseconds that never decrease, for durations. The zero is arbitrary. */
  monotonicMs(): number;
  /**
   * Resolves after `ms`, or rejects with the signal's reason as soon as the signal fires. Leaves no timer
   * and no listener behind.
   */
  sleep(ms: number, options: { readonly signal: AbortSignal | null }): Promise<void>;
}

/** Longest delay of a timer. Node replaces a longer delay by 1 ms and prints a warning. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's own clock. Its pending timers keep the process alive. A sleep ends after 24 days at the latest. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => {
    // Starts faster than performance.now(), which loads another module of Node.
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
  sleep: (ms, { signal }) =>
    new Promise((resolve, reject) => {
      throwIfAborted(signal);
      const onAbort = (): void => {
        clearTimeout(timer);
        // The caller's own reason, which may be any value.
        reject(signal?.reason);
      };
      const timer = setTimeout(
        () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
        Math.min(ms, LONGEST_TIMER_MS),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};

/** Throws the signal's reason, unchanged, when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | null): void {
  signal?.throwIfAborted();
}
