import type { Timers } from '../timers.js';
import { CallFault, isCallFault } from './call-fault.js';
import { type CallSpec, Session } from './session.js';
import type { CallName, Credentials, OpenWire, Wire } from './wire.js';

export interface SessionPoolOptions {
  readonly webSocketUrl: string;
  /**
   * Makes the credentials of one session. An anonymous client needs a new identifier for each session, because LM
   * Studio's authenticator may refuse an identifier whose last socket has closed.
   */
  readonly newCredentials: () => Credentials;
  readonly timers: Timers;
  /** Loads the wire's module. Called when the first session is opened. */
  readonly loadWire: () => Promise<OpenWire>;
}

/**
 * Wait before LM Studio is asked again for a call that it has not answered in time. It doubles with each further timeout: LM Studio
 * was busy, or is too old for the call.
 */
const FIRST_WAIT_MS = 60_000;

/**
 * Opens sessions: one shared session for reads, and a new one for each command (load, unload,
 * predict). So a read that times out does not end a running load, and a failed command is never
 * replayed. Until LM Studio restarts, the pool remembers the calls that LM Studio does not
 * understand, and for a time those that it does not answer.
 */
export class SessionPool {
  readonly #options: SessionPoolOptions;
  readonly #sessions = new Set<Session>();
  readonly #unavailable = new Map<
    CallName,
    { readonly untilMs: number; readonly waitMs: number }
  >();
  readonly #answered = new Set<CallName>();
  #shared: Promise<Session> | undefined;
  #closed = false;

  constructor(options: SessionPoolOptions) {
    this.#options = options;
  }

  /**
   * Reads over the shared session. After a broken connection, asks once more over a new session.
   */
  async read<T>(spec: CallSpec, start: (wire: Wire) => Promise<T>): Promise<T> {
    try {
      return await this.#readOnce(spec, start);
    } catch (error) {
      // After a restart of LM Studio the first call still goes to the old socket.
      if (!isCallFault(error, 'connection') || this.#closed) throw error;
      this.forget();
      return this.#readOnce(spec, start);
    }
  }

  /**
   * Like `read`, for calls that an older LM Studio may lack. Resolves `null` where LM Studio does
   * not answer the call. Does not ask again until LM Studio restarts where LM Studio does not understand
   * the call, and for a minute, then two and so on, after each timeout.
   *
   * @param untriedMs - the deadline while LM Studio has not answered this call yet. Default: that of `spec`
   */
  async readIfAvailable<T>(
    spec: CallSpec,
    start: (wire: Wire) => Promise<T>,
    untriedMs = spec.timeoutMs,
  ): Promise<{ readonly value: T } | null> {
    const name: CallName = `${spec.namespace}.${spec.endpoint}`;
    const { timers } = this.#options;
    const silence = this.#unavailable.get(name);
    if (silence !== undefined && timers.nowMs() < silence.untilMs) return null;
    const timeoutMs = this.#answered.has(name) ? spec.timeoutMs : untriedMs;
    try {
      return { value: await this.read({ ...spec, timeoutMs }, start) };
    } catch (error) {
      const isLacking = isCallFault(error, 'not-understood');
      // Where LM Studio has answered this call before, a timeout means that LM Studio is busy.
      const isSilent = isCallFault(error, 'timed-out') && !this.#answered.has(name);
      if (!isLacking && !isSilent) throw error;
      const silentMs = silence === undefined ? FIRST_WAIT_MS : 2 * silence.waitMs;
      const waitMs = isLacking ? Infinity : silentMs;
      this.#unavailable.set(name, { untilMs: timers.nowMs() + waitMs, waitMs });
      return null;
    }
  }

  /** Runs one command over a new session and closes the session afterwards. */
  async command<T>(run: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#open();
    session.hold();
    try {
      return await run(session);
    } finally {
      await session.close();
    }
  }

  /** Opens a stream over a new session. The session closes when its connection breaks. */
  async stream(start: (wire: Wire) => void): Promise<Session> {
    const session = await this.#open();
    start(session.wire);
    return session;
  }

  /**
   * Forgets which calls LM Studio answers, because LM Studio may have been restarted or replaced.
   */
  forget(): void {
    this.#unavailable.clear();
    this.#answered.clear();
  }

  /** Makes the next read open a new connection. Open calls finish on the old connection. */
  renew(): void {
    const shared = this.#shared;
    this.#shared = undefined;
    void shared?.then(
      (session) => session.retire(),
      () => undefined,
    );
  }

  /** Closes every session. Their open calls fail. */
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

  #refuseIfClosed(): void {
    if (this.#closed) throw new CallFault('closed', 'system.version', 'the client was closed');
  }

  async #open(): Promise<Session> {
    this.#refuseIfClosed();
    const openWire = await this.#options.loadWire();
    this.#refuseIfClosed();
    const wire = openWire({
      webSocketUrl: this.#options.webSocketUrl,
      credentials: this.#options.newCredentials(),
      onCommunicationWarning: (namespace, text) => session.reportWarning(namespace, text),
      // The SDK reconnects by itself, but another LM Studio may have this address by then.
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
