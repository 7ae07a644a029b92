import type { Timers } from '../src/timers.js';

/** A clock that moves only when a test advances it. */
export interface FakeTimers extends Timers {
  /** Moves the clock forward and runs due timers in order. Promises settle in between. */
  advance(ms: number): Promise<void>;
  /** Timers that have not run. */
  readonly pending: number;
}

/** Starts at 0 ms with no timers. */
export function fakeTimers(): FakeTimers {
  let nowMs = 0;
  const due: { atMs: number; action: () => void }[] = [];
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const after = (ms: number, action: () => void): (() => void) => {
    const entry = { atMs: nowMs + ms, action };
    due.push(entry);
    return () => {
      const index = due.indexOf(entry);
      if (index >= 0) due.splice(index, 1);
    };
  };
  return {
    nowMs: () => nowMs,
    after,
    inBackground: after,
    async advance(ms) {
      const untilMs = nowMs + ms;
      for (;;) {
        await settle();
        const next = [...due].sort((a, b) => a.atMs - b.atMs)[0];
        if (next === undefined || next.atMs > untilMs) break;
        due.splice(due.indexOf(next), 1);
        nowMs = next.atMs;
        next.action();
      }
      nowMs = untilMs;
      await settle();
    },
    get pending() {
      return due.length;
    },
  };
}
