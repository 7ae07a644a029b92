import { LlamaRuntimeError } from './errors.js';
import { LONGEST_TIMER_MS } from './longest-timer.js';

/** Options of every method. */
export interface CallOptions {
  /** Cancels the call, which then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** Deadline of this call in milliseconds. */
  readonly timeoutMs?: number | undefined;
}

/** Deadline of a method that sets none. A listing reads the headers of all models, also from a sleeping disk. */
const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Runs a call within its deadline. Rejects at once when the deadline ends or the caller cancels; the call's own signal
 * then aborts, so that it ends, too.
 *
 * @throws LlamaRuntimeError `TIMED_OUT`; the signal's reason.
 */
export async function within<T>(
  { signal, timeoutMs = DEFAULT_TIMEOUT_MS }: CallOptions = {},
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(
    () => controller.abort(timedOut(timeoutMs)),
    Math.min(timeoutMs, LONGEST_TIMER_MS),
  );
  try {
    return await unlessAborted(call(controller.signal), controller.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Settles with the promise, or rejects with the signal's reason when it aborts first. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function timedOut(timeoutMs: number): LlamaRuntimeError {
  return new LlamaRuntimeError(
    'TIMED_OUT',
    `The embedded engine did not answer within ${timeoutMs / 1000} s. Try again, or allow more time.`,
  );
}
