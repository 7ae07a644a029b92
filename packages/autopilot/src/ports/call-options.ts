/** Options of every port call. A port stops promptly when the signal fires. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Deadline of this call in milliseconds. Default: the port's own. */
  readonly timeoutMs?: number;
}

/** Builds call options. An option that is null is left out. */
export function callOptions(signal: AbortSignal | null, timeoutMs: number | null): CallOptions {
  return {
    ...(signal === null ? {} : { signal }),
    ...(timeoutMs === null ? {} : { timeoutMs }),
  };
}
