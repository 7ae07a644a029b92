/** What every port call takes: a port gives up promptly when the signal fires. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Deadline of this call in milliseconds; the port's own default without it. */
  readonly timeoutMs?: number;
}

/** The options for a call that may or may not be cancellable. */
export function callOptions(signal: AbortSignal | null, timeoutMs: number | null): CallOptions {
  return {
    ...(signal === null ? {} : { signal }),
    ...(timeoutMs === null ? {} : { timeoutMs }),
  };
}
