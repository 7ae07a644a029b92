/** The events of one reader. Ends when its source ends, or fails when `fail` is called. */
export class EventStream<Event> implements AsyncIterableIterator<Event> {
  readonly #source: AsyncIterator<Event>;
  readonly #onEnd: () => void;
  readonly #onAbort: () => void;
  readonly #signal: AbortSignal | undefined;
  #fault: { readonly error: unknown } | null = null;

  /**
   * @param signal - fails the stream with its reason when it fires
   * @param onEnd - called when the stream ends, when it fails, and when the reader stops reading. May be
   *   called more than once.
   */
  constructor(source: AsyncIterator<Event>, signal: AbortSignal | undefined, onEnd: () => void) {
    this.#source = source;
    this.#signal = signal;
    this.#onEnd = onEnd;
    this.#onAbort = () => this.fail(signal?.reason);
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (signal?.aborted === true) this.#onAbort();
  }

  /** Ends the stream. The next read rejects with `error`; events that were not read are dropped. */
  fail(error: unknown): void {
    this.#fault ??= { error };
    void this.return();
  }

  async next(): Promise<IteratorResult<Event>> {
    const result = await this.#source.next();
    if (result.done !== true) return result;
    this.#end();
    const fault = this.#fault;
    // The error is thrown once; later reads find the end of the stream.
    this.#fault = null;
    if (fault !== null) throw fault.error;
    return result;
  }

  async return(): Promise<IteratorResult<Event>> {
    this.#end();
    await this.#source.return?.();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #end(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#onEnd();
  }
}
