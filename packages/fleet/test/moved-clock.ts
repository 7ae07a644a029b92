import { systemClock, type Clock } from '../src/clock.js';

/** A clock that runs with the system's and can be moved forward, as for a process that was stopped. Timers stay real. */
export function movedClock(): Clock & { move(ms: number): void } {
  let movedMs = 0;
  return {
    nowMs: () => systemClock.nowMs() + movedMs,
    monotonicMs: () => systemClock.monotonicMs() + movedMs,
    setTimer: (ms, run) => systemClock.setTimer(ms, run),
    move: (ms) => {
      movedMs += ms;
    },
  };
}

/** A clock that stands until it is moved. Timers run when it is moved past them. */
export function standingClock(): Clock & { move(ms: number): void } {
  let nowMs = 1000;
  let timers: { readonly atMs: number; readonly run: () => void }[] = [];
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    setTimer: (ms, run) => {
      const timer = { atMs: nowMs + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
    move: (ms) => {
      const untilMs = nowMs + ms;
      for (;;) {
        const [next] = timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs);
        if (next === undefined) break;
        timers = timers.filter((one) => one !== next);
        nowMs = Math.max(nowMs, next.atMs);
        next.run();
      }
      nowMs = untilMs;
    },
  };
}
