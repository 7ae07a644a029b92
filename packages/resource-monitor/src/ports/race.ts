import type { Clock } from './clock.js';
import { abortReason } from './clock.js';

/** What `raceDeadline` resolves to when the deadline came first. */
export const TIMED_OUT: unique symbol = Symbol('timed out');

/** The promise or, when it takes longer than `ms`, `TIMED_OUT`. A late rejection is swallowed. */
export async function raceDeadline<T>(
  promise: Promise<T>,
  ms: number,
  clock: Clock,
): Promise<T | typeof TIMED_OUT> {
  const timer = new AbortController();
  const timeout = clock.sleep(ms, { signal: timer.signal }).then((): typeof TIMED_OUT => TIMED_OUT);
  timeout.catch(() => undefined);
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    timer.abort();
  }
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
