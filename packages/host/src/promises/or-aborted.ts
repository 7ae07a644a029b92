/**
 * Settles as `promise` does, or rejects with the signal's reason, whichever comes first. Does not
 * stop the work behind `promise`.
 */
export function orAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    // The reason of a signal may be any value, not only an Error.
    const fail: (reason: unknown) => void = reject;
    const onAbort = (): void => fail(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
