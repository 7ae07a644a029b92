/** Time, passed in so that tests can drive it. */
export interface Timers {
  nowMs(): number;
  /** Runs `action` after `ms` unless the returned function is called first. */
  after(ms: number, action: () => void): () => void;
}

export const realTimers: Timers = {
  nowMs: () => {
    // Not performance.now(), which loads a module of Node first.
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
  after(ms, action) {
    // Node clamps longer delays to 1 ms with a warning on stderr.
    const timer = setTimeout(action, Math.min(ms, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};

/** Waits `ms`; rejects with the signal's reason when it fires first. Leaves no listener behind. */
export function delay(timers: Timers, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = (): void => {
      cancel();
      reject(asRejection(signal?.reason));
    };
    const cancel = timers.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * The first of: the promise, the deadline (resolves `onTimeout()`'s outcome), the signal. The losing
 * promise is watched, so that a late rejection is never unhandled.
 */
export function raceDeadline<T>(
  promise: Promise<T>,
  options: {
    readonly timers: Timers;
    readonly ms: number;
    readonly signal?: AbortSignal | undefined;
    readonly onTimeout: () => unknown;
  },
): Promise<T> {
  const { timers, ms, signal, onTimeout } = options;
  return new Promise<T>((resolve, reject) => {
    const settle = (finish: () => void): void => {
      cancel();
      signal?.removeEventListener('abort', onAbort);
      finish();
    };
    const onAbort = (): void => settle(() => reject(asRejection(signal?.reason)));
    const cancel = timers.after(ms, () => settle(() => reject(asRejection(onTimeout()))));
    promise.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(asRejection(error))),
    );
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Rejection reasons pass through unchanged, whatever they are: callers may abort with any value.
 * The type only satisfies the reject function.
 */
export function asRejection(reason: unknown): Error {
  return reason as Error;
}
