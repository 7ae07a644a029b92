import type { Clock } from './clock.js';
import { abortReason } from './clock.js';

/** What `raceDeadline` resolves to when the deadline came first. */
export const TIMED_OUT: unique symbol = Symbol('timed out');

/** One deadline for many promises to race against. */
export interface Deadline extends Disposable {
  readonly timedOut: Promise<typeof TIMED_OUT>;
}

/** Nobody sees it. Without a reason of ours, each would cost a DOMException with a stack. */
const IN_TIME = new Error('This was in time.');

/** Starts a deadline, which ends when it is disposed of. */
export function startDeadline(ms: number, clock: Clock): Deadline {
  const timer = new AbortController();
  const timedOut = clock
    .sleep(ms, { signal: timer.signal })
    .then((): typeof TIMED_OUT => TIMED_OUT);
  timedOut.catch(() => undefined);
  return { timedOut, [Symbol.dispose]: () => timer.abort(IN_TIME) };
}

/** The promise or, when it takes longer than `ms`, `TIMED_OUT`. A late rejection is swallowed. */
export async function raceDeadline<T>(
  promise: Promise<T>,
  ms: number,
  clock: Clock,
): Promise<T | typeof TIMED_OUT> {
  using deadline = startDeadline(ms, clock);
  promise.catch(() => undefined);
  return await Promise.race([promise, deadline.timedOut]);
}

/** The promise, or a rejection with the signal's own reason as soon as it fires. */
export function raceSignal<T>(promise: Promise<T>, signal: AbortSignal | null): Promise<T> {
  if (signal === null) return promise;
  if (signal.aborted) {
    promise.catch(() => undefined);
    return Promise.reject(abortReason(signal));
  }
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(abortReason(signal));
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
