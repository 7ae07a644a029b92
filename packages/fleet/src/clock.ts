/** The source of time, so that tests can move it. */
export interface Clock {
  /** Epoch milliseconds. May jump; for display only. */
  nowMs(): number;
  /** Milliseconds of a monotonic clock, which also runs while the process is stopped. Its zero point is arbitrary. */
  monotonicMs(): number;
  /** Calls `run` once after `ms` milliseconds. Returns a function that cancels it. Does not keep the process alive. */
  setTimer(ms: number, run: () => void): () => void;
}

/** The system's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer: (ms, run) => {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms` milliseconds, or as soon as the signal fires. Leaves no timer and no listener. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.setTimer(ms, done);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  });
}
