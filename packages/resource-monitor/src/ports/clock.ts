/** The only source of time in this package; tests and simulations pass their own. */
export interface Clock {
  /** Milliseconds since the epoch, for time stamps. May jump. */
  nowMs(): number;
  /** Milliseconds that only ever grow, for every duration. Its zero means nothing. */
  monotonicMs(): number;
  /**
   * Resolves after `ms`; rejects with the signal's reason as soon as the signal fires and leaves no
   * timer or listener behind either way. A `background` wait does not keep the process alive.
   */
  sleep(
    ms: number,
    options: { readonly signal: AbortSignal | null; readonly background?: boolean },
  ): Promise<void>;
}

/** Node clamps longer delays to 1 ms, with a warning on stderr. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => {
    // Not performance.now(), which loads a module of Node first.
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
  sleep: (ms, { signal, background = false }) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(abortReason(signal));
        return;
      }
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(abortReason(signal));
      };
      const timer = setTimeout(
        () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
        Math.min(ms, LONGEST_TIMER_MS),
      );
      if (background) timer.unref();
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};

/** What an aborted signal rejects with: the caller's own reason, unchanged. */
export function abortReason(signal: AbortSignal | null): Error {
  return signal?.reason as Error;
}
