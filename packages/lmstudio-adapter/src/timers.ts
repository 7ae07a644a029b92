/** The clock and the timers of this package. Tests pass their own. */
export interface Timers {
  /** Milliseconds of a monotonic clock, from an arbitrary start. */
  nowMs(): number;
  /** Runs `action` after `ms`. The returned function cancels it before that. */
  after(ms: number, action: () => void): () => void;
  /** Like `after`, but the wait does not keep the process alive. */
  inBackground(ms: number, action: () => void): () => void;
}

/** Node clamps longer delays to 1 ms and prints a warning. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** The real clock and the real timers. */
export const systemTimers: Timers = {
  nowMs: () => {
    // hrtime(), because performance.now() would load another module of Node.
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
  after(ms, action) {
    const timer = setTimeout(action, Math.min(ms, MAX_DELAY_MS));
    return () => clearTimeout(timer);
  },
  inBackground(ms, action) {
    const timer = setTimeout(action, Math.min(ms, MAX_DELAY_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Waits `ms` and leaves no listener behind. Rejects with the signal's reason when the signal aborts first. */
export function delay(timers: Timers, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = timers.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Settles as `promise` does. Rejects with `onTimeout()` after `ms`, or with the signal's reason
 * when the signal aborts first. A later rejection of `promise` is ignored, so it is never
 * reported as unhandled.
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
    const onAbort = (): void => settle(() => reject(signal?.reason));
    const cancel = timers.after(ms, () => settle(() => reject(onTimeout())));
    promise.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    );
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}
