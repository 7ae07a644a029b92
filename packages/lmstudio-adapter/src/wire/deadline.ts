import type { CallOptions } from '../models/model-types.js';
import type { Timers } from '../timers.js';
import type { CallSpec } from './session.js';
import type { Endpoint, Namespace } from './wire.js';

/** Time for a call that an LM Studio may lack; what it leaves out is filled with null. */
const OPTIONAL_CALL_MS = 2000;

/** One deadline over all the calls that make up one method. */
export class Budget {
  readonly #endsAtMs: number;

  constructor(
    private readonly timers: Timers,
    timeoutMs: number,
    readonly signal: AbortSignal | undefined,
  ) {
    this.#endsAtMs = timers.nowMs() + timeoutMs;
  }

  static of(timers: Timers, options: CallOptions | undefined, defaultMs: number): Budget {
    return new Budget(timers, options?.timeoutMs ?? defaultMs, options?.signal);
  }

  /** Milliseconds left, at least one: a call that is out of time fails by its own deadline. */
  get leftMs(): number {
    return Math.max(1, Math.ceil(this.#endsAtMs - this.timers.nowMs()));
  }

  spec(namespace: Namespace, endpoint: Endpoint): CallSpec {
    return { namespace, endpoint, timeoutMs: this.leftMs, signal: this.signal };
  }

  optionalSpec(namespace: Namespace, endpoint: Endpoint): CallSpec {
    return {
      ...this.spec(namespace, endpoint),
      timeoutMs: Math.min(this.leftMs, OPTIONAL_CALL_MS),
    };
  }
}
