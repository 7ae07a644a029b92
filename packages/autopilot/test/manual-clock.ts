import type { Clock } from '../src/ports/clock.js';

/** A clock that moves only when a test advances it. */
export class ManualClock implements Clock {
  #epochMs: number;
  /** Does not start at zero, like the clock of a machine that has run for a while. */
  #monotonicMs = 3_600_000;
  readonly #sleepers = new Set<{ readonly wakeMs: number; readonly wake: () => void }>();

  constructor(epochMs = 1_750_000_000_000) {
    this.#epochMs = epochMs;
  }

  nowMs(): number {
    return this.#epochMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** Number of timers that have neither fired nor been cancelled. */
  get pending(): number {
    return this.#sleepers.size;
  }

  sleep(ms: number, { signal }: { readonly signal: AbortSignal | null }): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason as Error);
      };
      const sleeper = {
        wakeMs: this.#monotonicMs + Math.max(0, ms),
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Lets the wall clock jump (NTP, a laptop that wakes). The monotonic clock does not jump. */
  jumpWallClock(ms: number): void {
    this.#epochMs += ms;
  }

  /** Lets `ms` pass, and fires the timers that are due meanwhile. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#monotonicMs + ms;
    for (;;) {
      await flush();
      const next = this.#next();
      if (next === undefined || next.wakeMs > untilMs) break;
      this.#moveTo(next.wakeMs);
      next.wake();
    }
    this.#moveTo(untilMs);
  }

  /** Lets time pass until `promise` settles; throws when no timer is left that could settle it. */
  async drive<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    promise.then(done, done);
    for (;;) {
      await flush();
      if (settled) return promise;
      const next = this.#next();
      if (next === undefined) throw new Error('Nothing is left that could settle the promise.');
      this.#moveTo(next.wakeMs);
      next.wake();
    }
  }

  #next(): { readonly wakeMs: number; readonly wake: () => void } | undefined {
    let earliest: { readonly wakeMs: number; readonly wake: () => void } | undefined;
    for (const sleeper of this.#sleepers) {
      if (earliest === undefined || sleeper.wakeMs < earliest.wakeMs) earliest = sleeper;
    }
    return earliest;
  }

  #moveTo(monotonicMs: number): void {
    this.#epochMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }
}

/** Runs all pending work that does not wait for a timer. */
export function flush(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
