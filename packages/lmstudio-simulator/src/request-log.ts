/** A request or frame that a client has sent. */
export interface SimulatedRequest {
  /** The time of the simulator's clock, in milliseconds since the epoch. */
  readonly atMs: number;
  /** The protocol of the request. */
  readonly via: 'http' | 'websocket';
  /** The namespace of the WebSocket, or the HTTP method. */
  readonly namespace: string;
  /**
   * The endpoint, or the HTTP path. Frames without an endpoint have the name `authenticate`, `channelSend`
   * or `communicationWarning`. `disconnect` notes an HTTP client that has gone before the end of its answer.
   */
  readonly endpoint: string;
  /**
   * The parameter, creation parameter, message or body. Passkeys are left out. For `disconnect`: the request, as `{
   * endpoint, requestedAtMs, body }`.
   */
  readonly parameter: unknown;
}

const CAPACITY = 10_000;

/** The last 10,000 requests, which a test can wait for. */
export class RequestLog {
  readonly #now: () => number;
  readonly #entries: SimulatedRequest[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(now: () => number) {
    this.#now = now;
  }

  get entries(): readonly SimulatedRequest[] {
    return this.#entries;
  }

  add(request: Omit<SimulatedRequest, 'atMs'>): void {
    const entry = { atMs: this.#now(), ...request };
    this.#entries.push(entry);
    if (this.#entries.length > CAPACITY) this.#entries.shift();
    for (const check of [...this.#waiting]) check();
  }

  /** Resolves when the log has `count` requests to an endpoint. */
  async seen(endpoint: string, count: number, signal?: AbortSignal): Promise<void> {
    const enough = (): boolean =>
      this.#entries.filter((entry) => entry.endpoint === endpoint).length >= count;
    if (enough()) return;
    await new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        this.#waiting.delete(check);
        signal?.removeEventListener('abort', abort);
      };
      const check = (): void => {
        if (!enough()) return;
        settle();
        resolve();
      };
      const abort = (): void => {
        settle();
        reject(signal?.reason);
      };
      signal?.throwIfAborted();
      signal?.addEventListener('abort', abort);
      this.#waiting.add(check);
    });
  }
}
