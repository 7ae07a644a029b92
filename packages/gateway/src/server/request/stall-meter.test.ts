import { createStallMeter } from './stall-meter.js';

/** A clock whose timers run when a test says so. */
function world() {
  let nowMs = 0;
  let timer: { readonly atMs: number; readonly run: () => void } | null = null;
  const meter = createStallMeter(
    {
      nowMs: () => nowMs,
      monotonicMs: () => nowMs,
      setTimer: (ms, run) => {
        timer = { atMs: nowMs + ms, run };
        return () => (timer = null);
      },
    },
    10,
    1000,
  );
  return {
    meter,
    /** Time passes. Due timers run where the process runs. */
    pass: (ms: number, isRunning = true) => {
      const untilMs = nowMs + ms;
      while (isRunning && timer !== null && timer.atMs <= untilMs) {
        nowMs = Math.max(nowMs, timer.atMs);
        timer.run();
      }
      nowMs = untilMs;
    },
    isTicking: () => timer !== null,
  };
}

test('while the process runs, there is no stall', () => {
  const { meter, pass } = world();
  pass(95);
  expect(meter.stalledMs(0)).toBe(0);
});

test.each([
  [9, 0],
  [10, 0],
  [11, 1],
  [500, 490],
])('a pause of %d ms is a stall of %d ms, before and after the timer runs', (ms, stalledMs) => {
  const { meter, pass } = world();
  pass(50);
  pass(ms, false);
  expect(meter.stalledMs(0)).toBe(stalledMs);
  pass(30);
  expect(meter.stalledMs(0)).toBe(stalledMs);
});

test('only the stalls since a moment count, and old ones are forgotten', () => {
  const { meter, pass } = world();
  pass(110, false);
  pass(0);
  pass(20);
  pass(60, false);
  pass(0);
  expect(meter.stalledMs(0)).toBe(150);
  expect(meter.stalledMs(110)).toBe(50);
  pass(2000);
  expect(meter.stalledMs(0)).toBe(0);
});

test('ends its timer', () => {
  const { meter, isTicking } = world();
  expect(isTicking()).toBe(true);
  meter.stop();
  expect(isTicking()).toBe(false);
});
