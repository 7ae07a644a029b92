import type { MethodName } from '../server/methods.js';
import type { ClientMessage, ServerMessage } from '../wire/messages.js';

/** One call over the wire. */
export interface CallRequest {
  readonly method: MethodName;
  readonly params: unknown;
  readonly signal: AbortSignal | undefined;
  /**
   * When a cancelled call rejects. `at-once`: for calls that change nothing. `when-answered`: after the
   * server has stopped the work, or after `CANCEL_WITHIN_MS`.
   */
  readonly cancels: 'at-once' | 'when-answered';
  /** Called with each part that the server sends before the answer. */
  readonly onPart?: ((value: unknown) => void) | undefined;
  /** Called with an answer that comes after the call was cancelled, so that a lease in it can be released. */
  readonly onLateAnswer?: ((value: unknown) => void) | undefined;
}

interface OpenCall {
  readonly onPart: (value: unknown) => void;
  readonly onResult: (value: unknown) => void;
  readonly onError: (error: unknown) => void;
}

/** Maximum wait of a cancelled call for its answer. */
const CANCEL_WITHIN_MS = 10_000;

/** The unanswered calls of one connection. */
export class ControlCalls {
  readonly #send: (message: ClientMessage) => void;
  readonly #open = new Map<number, OpenCall>();
  #lost: { readonly error: unknown } | null = null;
  #lastId = 0;

  constructor(send: (message: ClientMessage) => void) {
    this.#send = send;
  }

  /** Resolves with the answer. Rejects with the server's error, the signal's reason, or the error of `lose`. */
  async call({ method, params, signal, cancels, ...handlers }: CallRequest): Promise<unknown> {
    if (this.#lost !== null) throw this.#lost.error;
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      // The reason of a signal, and an error that the server sends, may be any value.
      const fail: (reason: unknown) => void = reject;
      this.#lastId += 1;
      const id = this.#lastId;
      let timer: NodeJS.Timeout | undefined;
      let cancelled = false;
      const cancel = (): void => {
        cancelled = true;
        this.#send({ type: 'cancel', id });
        const giveUp = (): void => fail(signal?.reason);
        if (cancels === 'at-once') giveUp();
        else timer = setTimeout(giveUp, CANCEL_WITHIN_MS);
      };
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
        this.#open.delete(id);
      };
      signal?.addEventListener('abort', cancel, { once: true });
      this.#open.set(id, {
        onPart: (value) => {
          if (!cancelled) handlers.onPart?.(value);
        },
        onResult: (value) => {
          settle();
          if (cancelled) handlers.onLateAnswer?.(value);
          // The cancellation came too late: the server has carried out the call. So the call resolves, unless
          // it has already rejected.
          resolve(value);
        },
        onError: (error) => {
          settle();
          fail(cancelled ? signal?.reason : error);
        },
      });
      this.#send({ type: 'call', id, method, params });
    });
  }

  /** Passes a server message to its call. Ignores messages for calls that are not open. */
  receive(message: Extract<ServerMessage, { readonly id: number }>): void {
    const call = this.#open.get(message.id);
    if (call === undefined) return;
    if (message.type === 'part') call.onPart(message.value);
    else if (message.type === 'result') call.onResult(message.value);
    else call.onError(message.error);
  }

  /** Rejects all open and all later calls, because the connection has ended. */
  lose(error: unknown): void {
    this.#lost ??= { error };
    for (const call of this.#open.values()) call.onError(error);
  }
}
