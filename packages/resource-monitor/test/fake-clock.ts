import { rejectedBy } from '../src/ports/clock.js';
import type { Clock } from '../src/ports/clock.js';

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

export interface FakeClock extends Clock {
  /** Advances time: wakes sleepers in order and lets the code that they resume run in between. */
  advance(ms: number): Promise<void>;
  /** Advances time without waking sleepers. */
  skip(ms: number): void;
  readonly sleeping: number;
}

/** A clock that only advances when a test says so. */
export function createFakeClock(startMs = 1_700_000_000_000): FakeClock {
  let elapsedMs = 0;
  let sleepers: Sleeper[] = [];
  return {
    nowMs: () => startMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    sleep: (ms, { signal }) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) {
          resolve(rejectedBy(signal));
          return;
        }
        const sleeper: Sleeper = {
          dueMs: elapsedMs + ms,
          wake: () => {
            signal?.removeEventListener('abort', onAbort);
            resolve();
          },
        };
        const onAbort = (): void => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          if (signal !== null) resolve(rejectedBy(signal));
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        sleepers.push(sleeper);
      }),
    skip: (ms) => {
      elapsedMs += ms;
    },
    async advance(ms) {
      const target = elapsedMs + ms;
      await flush();
      for (;;) {
        const [next] = sleepers
          .filter(({ dueMs }) => dueMs <= target)
          .sort((one, other) => one.dueMs - other.dueMs);
        if (next === undefined) break;
        sleepers = sleepers.filter((other) => other !== next);
        elapsedMs = Math.max(elapsedMs, next.dueMs);
        next.wake();
        await flush();
      }
      elapsedMs = target;
      await flush();
    },
    get sleeping() {
      return sleepers.length;
    },
  };
}

/** Waits until pending promises, and those that they start, have settled. */
export async function flush(): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
