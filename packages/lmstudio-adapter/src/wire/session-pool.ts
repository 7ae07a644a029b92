import type { Timers } from '../timers.js';
import { CallFault, isCallFault } from './call-fault.js';
import { type CallSpec, Session } from './session.js';
import type { Credentials, Endpoint, Namespace, OpenWire, Wire } from './wire.js';

export interface SessionPoolOptions {
  readonly webSocketUrl: string;
  readonly credentials: Credentials;
  readonly timers: Timers;
  /** Loads the wire's module; called when the first session is opened. */
  readonly loadWire: () => Promise<OpenWire>;
}

/** A call whose absence leaves a gap in an answer rather than ending it. */
type CallName = `${Namespace}.${Endpoint}`;

/**
 * Hands out sessions: one shared for reading, a private one for each command (load, unload, predict),
 * so that a stuck question never takes a running load down, and a failed command can never be
 * replayed. Remembers for the life of a connection which calls this LM Studio does not answer.
 */
export class SessionPool {
  readonly #options: SessionPoolOptions;
  readonly #sessions = new Set<Session>();
  readonly #unavailable = new Set<CallName>();
  readonly #answered = new Set<CallName>();
  #shared: Promise<Session> | undefined;
  #closed = false;

  constructor(options: SessionPoolOptions) {
    this.#options = options;
  }

  /** Reads over the shared session; a stale or broken connection is replaced and asked once more. */
  async read<T>(spec: CallSpec, start: (wire: Wire) => Promise<T>): Promise<T> {
    try {
      return await this.#readOnce(spec, start);
    } catch (error) {
      // The first call after LM Studio restarted still meets the dead socket.
      if (!isCallFault(error, 'connection') || this.#closed) throw error;
      this.forget();
      return this.#readOnce(spec, start);
    }
  }

  /**
   * Like `read`, for calls that an older LM Studio may lack: resolves `null` where the call is not
   * available on this connection, and does not ask again until LM Studio was restarted.
   */
  async readIfAvailable<T>(
    spec: CallSpec,
    start: (wire: Wire) => Promise<T>,
  ): Promise<{ readonly value: T } | null> {
    const name: CallName = `${spec.namespace}.${spec.endpoint}`;
    if (this.#unavailable.has(name)) return null;
    try {
      return { value: await this.read(spec, start) };
    } catch (error) {
      // A timeout is no proof once the call has worked: LM Studio may just be busy.
      const lacking =
        isCallFault(error, 'not-understood') ||
        (isCallFault(error, 'timed-out') && !this.#answered.has(name));
      if (!lacking) throw error;
      this.#unavailable.add(name);
      return null;
    }
  }

  isUnavailable(namespace: Namespace, endpoint: Endpoint): boolean {
    return this.#unavailable.has(`${namespace}.${endpoint}`);
  }

  /** Runs one command over a session of its own, which ends with it. */
  async command<T>(run: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#open();
    try {
      return await run(session);
    } finally {
      await session.close();
    }
  }

  /** LM Studio may have been replaced: what was learned about its calls no longer holds. */
  forget(): void {
    this.#unavailable.clear();
    this.#answered.clear();
  }

  /** The next read opens a new connection; calls that are open finish on the old one. */
  renew(): void {
    const shared = this.#shared;
    this.#shared = undefined;
    void shared?.then(
      (session) => session.retire(),
      () => undefined,
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#shared = undefined;
    await Promise.all([...this.#sessions].map((session) => session.close()));
  }

  async #readOnce<T>(spec: CallSpec, start: (wire: Wire) => Promise<T>): Promise<T> {
    spec.signal?.throwIfAborted();
    const session = await this.#sharedSession();
    const value = await session.call(spec, start);
    this.#answered.add(`${spec.namespace}.${spec.endpoint}`);
    return value;
  }

  async #sharedSession(): Promise<Session> {
    for (;;) {
      this.#shared ??= this.#open();
      const opening = this.#shared;
      const session = await opening;
      if (!session.retired) return session;
      if (this.#shared === opening) this.#shared = undefined;
    }
  }

  async #open(): Promise<Session> {
    const openWire = await this.#options.loadWire();
    if (this.#closed) {
      throw new CallFault('closed', 'system.version', 'the client was closed');
    }
    const wire = openWire({
      webSocketUrl: this.#options.webSocketUrl,
      credentials: this.#options.credentials,
      onCommunicationWarning: (namespace, text) => session.reportWarning(namespace, text),
      // The SDK would reconnect by itself, perhaps to another LM Studio than the one it knew.
      onDisconnected: () => {
        session.retire();
        this.forget();
      },
    });
    const session: Session = new Session(wire, this.#options.timers, (closed) =>
      this.#sessions.delete(closed),
    );
    this.#sessions.add(session);
    return session;
  }
}
