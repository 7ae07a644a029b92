import { raceDeadline, type Timers } from '../timers.js';
import { CallFault, isCallFault } from './call-fault.js';
import { classifyRejection } from './classify-rejection.js';
import type { CallName, Endpoint, Namespace, Wire } from './wire.js';

/** Deadline for a namespace's socket to open. The socket of a namespace that LM Studio lacks never opens. */
const CONNECT_DEADLINE_MS = 2500;

/** Time that a call waits for its answer after a warning that may not concern the answer. */
const WARNED_GRACE_MS = 250;

/** Warnings that mean a lost answer. The SDK could not read the answer, or LM Studio does not know the call. */
const NO_ANSWER_FOLLOWS =
  /Produced communication warning|\((?:rpc|channel)(?:EndpointUnknown|EndpointUnhandled|ParameterTypeError|CreationParameterTypeError)\)|unknown (?:rpc|channel) endpoint/i;

/** One call: its name, its deadline, and how to cancel it. */
export interface CallSpec {
  readonly namespace: Namespace;
  readonly endpoint: Endpoint;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

interface OpenCall {
  readonly spec: CallSpec;
  readonly fail: (fault: CallFault) => void;
  readonly cleanUp: (() => void)[];
}

/**
 * A wire and its open calls. Each call ends by its deadline, even if the wire stays silent. A
 * timeout, an abort, a connection error or a call that LM Studio does not understand retires the
 * session. A retired session starts no further call, because the SDK would replay rejected
 * commands, and closes its sockets after its last open call. A held session closes only when
 * `close` is called.
 */
export class Session {
  readonly #open = new Set<OpenCall>();
  #retired = false;
  #held = false;
  #closing: Promise<void> | undefined;
  #noteClosed: () => void = () => undefined;
  /** Resolves when the sockets are closed. */
  readonly closed = new Promise<void>((resolve) => {
    this.#noteClosed = resolve;
  });

  constructor(
    readonly wire: Wire,
    private readonly timers: Timers,
    private readonly onClosed: (session: Session) => void,
  ) {}

  /** `true`: no further call may start on this session. */
  get retired(): boolean {
    return this.#retired;
  }

  /**
   * Runs one call. Rejects with a `CallFault`, or with the signal's reason when the signal
   * aborts.
   */
  async call<T>(spec: CallSpec, start: (wire: Wire) => Promise<T>): Promise<T> {
    spec.signal?.throwIfAborted();
    const name = `${spec.namespace}.${spec.endpoint}` as const;
    let fail: (fault: CallFault) => void = () => undefined;
    const failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const call: OpenCall = { spec, fail, cleanUp: [] };
    this.#open.add(call);
    call.cleanUp.push(this.#watchConnecting(call, name));
    try {
      return await raceDeadline(Promise.race([failed, invoke(start, this.wire)]), {
        timers: this.timers,
        ms: spec.timeoutMs,
        signal: spec.signal,
        onTimeout: () =>
          new CallFault('timed-out', name, `no answer to ${name} within ${spec.timeoutMs} ms`),
      });
    } catch (error) {
      if (spec.signal?.aborted && error === spec.signal.reason) {
        this.retire();
        throw error;
      }
      const fault = isCallFault(error) ? error : toFault(error, name);
      if (fault.kind !== 'answered') this.retire();
      throw fault;
    } finally {
      for (const cleanUp of call.cleanUp) cleanUp();
      this.#open.delete(call);
      this.#closeIfDone();
    }
  }

  /**
   * Keeps the sockets open after the session has retired. A cancelled command needs its socket
   * until LM Studio has confirmed the cancellation.
   */
  hold(): void {
    this.#held = true;
  }

  /**
   * Waits until LM Studio has answered every open call and channel, e.g. after a cancellation.
   * Resolves `false` when that takes longer than `graceMs`.
   */
  settledWithin(graceMs: number): Promise<boolean> {
    return raceDeadline(
      this.wire.settled().then(() => true),
      { timers: this.timers, ms: graceMs, onTimeout: () => new Error('not settled in time') },
    ).catch(() => false);
  }

  /** Ends the open call that a protocol warning names. */
  reportWarning(namespace: Namespace | null, text: string): void {
    // The warning is about a late answer to a call that has ended, so open calls go on.
    if (/for unknown (channel|rpc|signal)/i.test(text)) return;
    const here = [...this.#open].filter(
      ({ spec }) => namespace === null || spec.namespace === namespace,
    );
    const named = here.filter(({ spec }) => new RegExp(`\\b${spec.endpoint}\\b`).test(text));
    const affected = named.length > 0 ? named : here.length === 1 ? here : [];
    for (const call of affected) this.#notUnderstood(call, text);
  }

  #notUnderstood({ spec, fail, cleanUp }: OpenCall, text: string): void {
    const fault = new CallFault('not-understood', `${spec.namespace}.${spec.endpoint}`, text);
    if (NO_ANSWER_FOLLOWS.test(text)) return fail(fault);
    // After another warning the answer may still come. Loads and predictions take long, so they
    // go on.
    if (spec.endpoint === 'loadModel' || spec.endpoint === 'predict') return;
    cleanUp.push(this.timers.after(WARNED_GRACE_MS, () => fail(fault)));
  }

  /** Lets no further call start. The sockets close after the last open call. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#closeIfDone();
  }

  /** Ends every open call and closes the sockets now. */
  async close(): Promise<void> {
    this.retire();
    for (const { spec, fail } of this.#open) {
      fail(new CallFault('closed', `${spec.namespace}.${spec.endpoint}`, 'the client was closed'));
    }
    await this.#close();
  }

  #closeIfDone(): void {
    if (this.#retired && !this.#held && this.#open.size === 0) void this.#close();
  }

  #close(): Promise<void> {
    this.#closing ??= this.wire.close().then(() => {
      this.onClosed(this);
      this.#noteClosed();
    });
    return this.#closing;
  }

  #watchConnecting(call: OpenCall, name: CallName): () => void {
    if (call.spec.timeoutMs <= CONNECT_DEADLINE_MS) return () => undefined;
    return this.timers.after(CONNECT_DEADLINE_MS, () => {
      if (this.wire.isConnected(call.spec.namespace) === false) {
        const text = `the ${call.spec.namespace} connection did not open within ${CONNECT_DEADLINE_MS} ms`;
        call.fail(new CallFault('timed-out', name, text));
      }
    });
  }
}

/** Turns a synchronous throw into a rejection. The SDK throws for parameters that it refuses. */
async function invoke<T>(start: (wire: Wire) => Promise<T>, wire: Wire): Promise<T> {
  return start(wire);
}

function toFault(error: unknown, name: CallName): CallFault {
  const { kind, message } = classifyRejection(error);
  return new CallFault(kind, name, message, error);
}
