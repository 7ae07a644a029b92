import type { Clock } from '../src/ports/clock.js';

/** A clock that a test moves. */
export interface ManualClock extends Clock {
  advance(ms: number): void;
  /** Timers that have not fired. */
  readonly pending: number;
}

export function createManualClock(startMs = 1_900_000_000_000): ManualClock {
  let nowMs = 0;
  const timers = new Set<{ readonly atMs: number; readonly run: () => void }>();
  return {
    nowMs: () => startMs + nowMs,
    monotonicMs: () => nowMs,
    setTimer: (ms, run) => {
      const timer = { atMs: nowMs + ms, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance: (ms) => {
      const untilMs = nowMs + ms;
      for (;;) {
        const [next] = [...timers]
          .filter(({ atMs }) => atMs <= untilMs)
          .sort((a, b) => a.atMs - b.atMs);
        if (next === undefined) break;
        timers.delete(next);
        nowMs = Math.max(nowMs, next.atMs);
        next.run();
      }
      nowMs = untilMs;
    },
    get pending() {
      return timers.size;
    },
  };
}
