import { checkRange } from '@mai/memory-ledger';
import type { Timers } from '../timers.js';
import type { CallSpec } from './session.js';
import type { Endpoint, Namespace } from './wire.js';

/** Options of every method. */
export interface CallOptions {
  /** Cancels the call, which then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** Deadline of this call in milliseconds, at least 0. Default: the client's `timeoutMs`. */
  readonly timeoutMs?: number | undefined;
}

/** Deadline of a call that an older LM Studio may lack. Without an answer, the fact that the call supplies is `null`. */
const OPTIONAL_CALL_MS = 2000;

/** The deadline and the signal that all calls of one method share. */
export class Deadline {
  readonly #endsAtMs: number;

  constructor(
    private readonly timers: Timers,
    timeoutMs: number,
    readonly signal: AbortSignal | undefined,
  ) {
    this.#endsAtMs = timers.nowMs() + timeoutMs;
  }

  /** @throws RangeError for a `timeoutMs` that is NaN or negative. */
  static of(timers: Timers, options: CallOptions | undefined, defaultMs: number): Deadline {
    const timeoutMs = options?.timeoutMs ?? defaultMs;
    checkRange('timeoutMs', timeoutMs, 0);
    return new Deadline(timers, timeoutMs, options?.signal);
  }

  /**
   * Milliseconds left, at least 1, so that a call that starts too late fails by its own timeout.
   */
  get leftMs(): number {
    return Math.max(1, Math.ceil(this.#endsAtMs - this.timers.nowMs()));
  }

  /** Half of `leftMs`, for a call that HTTP can replace: the request over HTTP needs time, too. */
  get halfLeftMs(): number {
    return Math.ceil(this.leftMs / 2);
  }

  /** One call within this deadline. */
  spec(namespace: Namespace, endpoint: Endpoint): CallSpec {
    return { namespace, endpoint, timeoutMs: this.leftMs, signal: this.signal };
  }

  /** A call that may stay unanswered: at most two seconds of this deadline. */
  optionalSpec(namespace: Namespace, endpoint: Endpoint): CallSpec {
    return {
      ...this.spec(namespace, endpoint),
      timeoutMs: Math.min(this.leftMs, OPTIONAL_CALL_MS),
    };
  }
}
