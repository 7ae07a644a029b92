import type { Clock } from '../../ports/clock.js';

/** Measures for how long the event loop of this process did not run, such as while the process was suspended, or got no CPU time. */
export interface StallMeter {
  /** Milliseconds since `sinceMs` in which the loop did not run, up to now. A stall that is shorter than a tick may not be seen. */
  stalledMs(sinceMs: number): number;
  stop(): void;
}

interface Stall {
  readonly endedAtMs: number;
  readonly tookMs: number;
}

/**
 * A timer runs at each tick. The time by which it comes too late is a stall.
 *
 * @param keptMs - how long a stall is remembered
 */
export function createStallMeter(clock: Clock, tickMs: number, keptMs: number): StallMeter {
  let stalls: Stall[] = [];
  let tickedAtMs = clock.monotonicMs();
  let cancel = (): void => undefined;
  const lateMs = (nowMs: number): number => Math.max(0, nowMs - tickedAtMs - tickMs);
  const tick = (): void => {
    const nowMs = clock.monotonicMs();
    const tookMs = lateMs(nowMs);
    stalls = stalls.filter(({ endedAtMs }) => nowMs - endedAtMs < keptMs);
    if (tookMs > 0) stalls.push({ endedAtMs: nowMs, tookMs });
    tickedAtMs = nowMs;
    cancel = clock.setTimer(tickMs, tick);
  };
  cancel = clock.setTimer(tickMs, tick);
  return {
    stalledMs: (sinceMs) => {
      const known = stalls.filter(({ endedAtMs }) => endedAtMs > sinceMs);
      // Other timers may run before this one when a stall ends.
      const now = lateMs(clock.monotonicMs());
      return known.reduce((sum, { tookMs }) => sum + tookMs, now);
    },
    stop: () => cancel(),
  };
}
