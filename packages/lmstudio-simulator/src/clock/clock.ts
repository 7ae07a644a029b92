/** The simulator's source of time. It schedules all delays of the simulator. */
export interface SimulatorClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `callback` once after `delayMs`. The returned function cancels the call. */
  schedule(callback: () => void, delayMs: number): () => void;
}

/** A clock whose time moves only with `advance`. */
export interface ManualClock extends SimulatorClock {
  /**
   * Moves time forward by `durationMs` and runs the timers that become due, in order. Between two timers, waits for
   * turns of the event loop, so that frames on real sockets are delivered and answered.
   */
  advance(durationMs: number): Promise<void>;
  /** How many timers are waiting. */
  readonly pending: number;
}

// setTimeout fires at once for a delay above 24 days, so delays are limited to this value.
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** A clock with real time. */
export function realClock(): SimulatorClock {
  return {
    now: () => Date.now(),
    schedule(callback, delayMs) {
      const timer = setTimeout(callback, Math.min(delayMs, LONGEST_TIMEOUT_MS));
      return () => clearTimeout(timer);
    },
  };
}

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A clock that a test advances.
 *
 * @param startMs - the first value of `now()`, in milliseconds since the epoch. Default: 2026-01-01.
 */
export function manualClock(startMs: number = Date.UTC(2026, 0, 1)): ManualClock {
  let nowMs = startMs;
  let scheduled = 0;
  const timers = new Set<Timer>();

  const nextDue = (untilMs: number): Timer | null => {
    let next: Timer | null = null;
    for (const timer of timers) {
      if (timer.dueMs > untilMs) continue;
      if (
        next === null ||
        timer.dueMs < next.dueMs ||
        (timer.dueMs === next.dueMs && timer.order < next.order)
      ) {
        next = timer;
      }
    }
    return next;
  };

  return {
    now: () => nowMs,
    schedule(callback, delayMs) {
      const timer = { dueMs: nowMs + Math.max(0, delayMs), order: scheduled++, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(durationMs) {
      const untilMs = nowMs + durationMs;
      await turnEventLoop();
      for (let due = nextDue(untilMs); due !== null; due = nextDue(untilMs)) {
        timers.delete(due);
        nowMs = Math.max(nowMs, due.dueMs);
        due.callback();
        await turnEventLoop();
      }
      nowMs = untilMs;
    },
    get pending() {
      return timers.size;
    },
  };
}

// The socket delivers a frame in the first turn, and the answer is written in the second.
async function turnEventLoop(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
