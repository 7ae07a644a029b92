/** The only source of time in this package. Tests pass their own clock. */
export interface Clock {
  /** Milliseconds since the epoch, for time stamps. May jump. */
  nowMs(): number;
  /** Milliseconds that never decrease, for durations. They start at an arbitrary moment. */
  monotonicMs(): number;
  /**
   * Resolves after `ms`, or rejects with the signal's reason as soon as the signal fires. Leaves no timer
   * or listener behind. A `background` wait does not keep the process alive.
   */
  sleep(
    ms: number,
    options: { readonly signal: AbortSignal | null; readonly background?: boolean },
  ): Promise<void>;
}

/** Longest delay of a timer. Node replaces a longer delay by 1 ms and prints a warning. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => {
    // performance.now() would load another module of Node.
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
  sleep: (ms, { signal, background = false }) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve(rejectedBy(signal));
        return;
      }
      const onAbort = (): void => {
        clearTimeout(timer);
        if (signal !== null) resolve(rejectedBy(signal));
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

/** A promise that is rejected with the reason of a signal that has fired. The reason can be any value. */
export async function rejectedBy(signal: AbortSignal): Promise<never> {
  signal.throwIfAborted();
  return await Promise.reject(new Error('The signal has not fired.'));
}
