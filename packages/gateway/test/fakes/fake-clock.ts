import type { Clock } from '../../src/ports/clock.js';

/** A clock that only a test moves. */
export interface FakeClock extends Clock {
  /** Moves time. Calls due timers in order, and lets the code that they resume run in between. */
  advance(ms: number): Promise<void>;
  /** Timers that are set. */
  readonly pending: number;
}

export function createFakeClock(): FakeClock {
  let elapsedMs = 0;
  const timers = new Set<{ readonly dueMs: number; readonly run: () => void }>();
  return {
    nowMs: () => 1_700_000_000_000 + elapsedMs,
    monotonicMs: () => elapsedMs,
    setTimer: (ms, run) => {
      const timer = { dueMs: elapsedMs + ms, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    get pending() {
      return timers.size;
    },
    async advance(ms) {
      const targetMs = elapsedMs + ms;
      await settle();
      for (;;) {
        let next: { readonly dueMs: number; readonly run: () => void } | null = null;
        for (const timer of timers) {
          if (timer.dueMs <= targetMs && (next === null || timer.dueMs < next.dueMs)) next = timer;
        }
        if (next === null) break;
        timers.delete(next);
        elapsedMs = Math.max(elapsedMs, next.dueMs);
        next.run();
        await settle();
      }
      elapsedMs = targetMs;
    },
  };
}

/** Lets promises run until none is left. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
