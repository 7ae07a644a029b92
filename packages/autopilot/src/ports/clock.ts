/** The only source of time in this package; tests and simulations pass their own. */
export interface Clock {
  /** Milliseconds since the epoch, for what people read. May jump. */
  nowMs(): number;
  /** Milliseconds that only ever grow, for every duration. Its zero means nothing. */
  monotonicMs(): number;
  /**
   * Resolves after `ms`; rejects with the signal's reason as soon as the signal fires and leaves no
   * timer or listener behind either way.
   */
  sleep(ms: number, options: { readonly signal: AbortSignal | null }): Promise<void>;
}

/** The machine's own clock. Its timers keep the process alive while something waits on them. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => {
    // Not performance.now(), which loads a module of Node first.
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
  sleep: (ms, { signal }) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(abortReason(signal));
        return;
      }
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(abortReason(signal));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};

/** What an aborted signal rejects with: the caller's own reason, unchanged. */
export function abortReason(signal: AbortSignal | null): Error {
  return signal?.reason as Error;
}

/** Throws the signal's reason when it has fired. */
export function throwIfAborted(signal: AbortSignal | null): void {
  if (signal?.aborted === true) throw abortReason(signal);
}
