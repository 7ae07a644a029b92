import type { Clock } from './clock.js';
import { rejectedBy } from './clock.js';

/** The result of `raceDeadline` if the deadline came first. */
export const TIMED_OUT: unique symbol = Symbol('timed out');

/** A deadline that any number of promises can race against. */
export interface Deadline extends Disposable {
  readonly timedOut: Promise<typeof TIMED_OUT>;
}

/**
 * Abort reason of a deadline's timer; never shown. Without a shared reason each abort would create a
 * DOMException with a stack trace.
 */
const IN_TIME = new Error('The deadline was met.');

/** Starts a deadline. Disposing of it stops its timer. */
export function startDeadline(ms: number, clock: Clock): Deadline {
  const timer = new AbortController();
  const timedOut = clock
    .sleep(ms, { signal: timer.signal })
    .then((): typeof TIMED_OUT => TIMED_OUT);
  timedOut.catch(() => undefined);
  return { timedOut, [Symbol.dispose]: () => timer.abort(IN_TIME) };
}

/** The promise's value, or `TIMED_OUT` if the promise takes longer than `ms`. A later rejection is ignored. */
export async function raceDeadline<T>(
  promise: Promise<T>,
  ms: number,
  clock: Clock,
): Promise<T | typeof TIMED_OUT> {
  using deadline = startDeadline(ms, clock);
  promise.catch(() => undefined);
  return await Promise.race([promise, deadline.timedOut]);
}

/** The promise's value, or a rejection with the signal's reason as soon as the signal fires. */
export function raceSignal<T>(promise: Promise<T>, signal: AbortSignal | null): Promise<T> {
  if (signal === null) return promise;
  if (signal.aborted) {
    promise.catch(() => undefined);
    return rejectedBy(signal);
  }
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => resolve(rejectedBy(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    const done = (): void => signal.removeEventListener('abort', onAbort);
    promise.then(
      (value) => {
        done();
        resolve(value);
      },
      (error: Error) => {
        done();
        reject(error);
      },
    );
  });
}

/** A recurring event that callers can wait for. */
export interface RepeatedEvent {
  /** Ends the wait of all current callers. */
  happened(): void;
  /** Resolves at the next occurrence, or after `ms`. */
  next(ms: number): Promise<void>;
}

export function createRepeatedEvent(clock: Clock): RepeatedEvent {
  let waiting: (() => void)[] = [];
  return {
    happened() {
      const resolved = waiting;
      waiting = [];
      for (const resolve of resolved) resolve();
    },
    async next(ms) {
      await raceDeadline(new Promise<void>((resolve) => waiting.push(resolve)), ms, clock);
    },
  };
}
