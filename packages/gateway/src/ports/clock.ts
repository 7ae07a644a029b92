/** The source of time, so that tests can move it. */
export interface Clock {
  /** Epoch milliseconds. May jump. */
  nowMs(): number;
  /** Milliseconds that never go back. */
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
