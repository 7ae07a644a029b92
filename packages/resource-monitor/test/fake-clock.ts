import type { Clock } from '../src/ports/clock.js';

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

export interface FakeClock extends Clock {
  /** Moves time on, waking sleepers in order and letting what they start run in between. */
  advance(ms: number): Promise<void>;
  /** Moves time on without waking anyone. */
  skip(ms: number): void;
  readonly sleeping: number;
}

/** Time that stands still until a test moves it. */
export function createFakeClock(startMs = 1_700_000_000_000): FakeClock {
  let elapsedMs = 0;
  let sleepers: Sleeper[] = [];
  return {
    nowMs: () => startMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    sleep: (ms, { signal }) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) {
          reject(signal.reason as Error);
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
          reject(signal?.reason as Error);
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

/** Lets promises settle, and what they start. */
export async function flush(): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
