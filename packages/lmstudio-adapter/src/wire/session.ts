import { raceDeadline, type Timers } from '../timers.js';
import { CallFault, isCallFault } from './call-fault.js';
import { classifyRejection } from './classify-rejection.js';
import type { Endpoint, Namespace, Wire } from './wire.js';

/** How long a namespace's socket may take to open; one that LM Studio lacks never does. */
const CONNECT_DEADLINE_MS = 2500;

/** How long an answer may follow a warning that does not rule it out. */
const WARNED_GRACE_MS = 250;

/** The SDK could not read the answer, or LM Studio does not know the call: nothing will follow. */
const NO_ANSWER_FOLLOWS =
  /Produced communication warning|\((?:rpc|channel)(?:EndpointUnknown|EndpointUnhandled|ParameterTypeError|CreationParameterTypeError)\)|unknown (?:rpc|channel) endpoint/i;

/** What one call is, for deadlines and for blame. */
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
 * One wire and the calls open on it. Each call ends by its deadline whatever the wire does. After a
 * timeout, an abort, a connection error or a misunderstanding the session is retired: nobody starts
 * another call on it (the SDK would replay rejected commands), and its sockets end with its last
 * open call.
 */
export class Session {
  readonly #open = new Set<OpenCall>();
  #retired = false;
  #closing: Promise<void> | undefined;

  constructor(
    readonly wire: Wire,
    private readonly timers: Timers,
    private readonly onClosed: (session: Session) => void,
  ) {}

  get retired(): boolean {
    return this.#retired;
  }

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
      if (this.#retired && this.#open.size === 0) void this.#close();
    }
  }

  /** A misunderstanding was reported; ends the call that it is about, at once. */
  reportWarning(namespace: Namespace | null, text: string): void {
    // The late answer to a call that was given up; says nothing about those that are open.
    if (/for unknown (channel|rpc|signal)/i.test(text)) return;
    const here = [...this.#open].filter(
      ({ spec }) => namespace === null || spec.namespace === namespace,
    );
    const named = here.filter(({ spec }) => new RegExp(`\\b${spec.endpoint}\\b`).test(text));
    const blamed = named.length > 0 ? named : here.length === 1 ? here : [];
    for (const call of blamed) this.#misunderstood(call, text);
  }

  #misunderstood({ spec, fail, cleanUp }: OpenCall, text: string): void {
    const fault = new CallFault('not-understood', `${spec.namespace}.${spec.endpoint}`, text);
    if (NO_ANSWER_FOLLOWS.test(text)) return fail(fault);
    // Some other complaint: the answer may follow it. A load or a prediction is let run.
    if (spec.endpoint === 'loadModel' || spec.endpoint === 'predict') return;
    cleanUp.push(this.timers.after(WARNED_GRACE_MS, () => fail(fault)));
  }

  /** No further call may start; the sockets end with the last open call. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    if (this.#open.size === 0) void this.#close();
  }

  /** Ends every open call and the sockets, now. */
  async close(): Promise<void> {
    this.retire();
    for (const { spec, fail } of this.#open) {
      fail(new CallFault('closed', `${spec.namespace}.${spec.endpoint}`, 'the client was closed'));
    }
    await this.#close();
  }

  #close(): Promise<void> {
    this.#closing ??= this.wire.close().then(() => this.onClosed(this));
    return this.#closing;
  }

  #watchConnecting(call: OpenCall, name: CallFault['call']): () => void {
    if (call.spec.timeoutMs <= CONNECT_DEADLINE_MS) return () => undefined;
    return this.timers.after(CONNECT_DEADLINE_MS, () => {
      if (this.wire.isConnected(call.spec.namespace) === false) {
        const text = `the ${call.spec.namespace} connection did not open within ${CONNECT_DEADLINE_MS} ms`;
        call.fail(new CallFault('timed-out', name, text));
      }
    });
  }
}

/** The SDK throws synchronously for parameters that it rejects. */
async function invoke<T>(start: (wire: Wire) => Promise<T>, wire: Wire): Promise<T> {
  return start(wire);
}

function toFault(error: unknown, name: CallFault['call']): CallFault {
  const { kind, message } = classifyRejection(error);
  return new CallFault(kind, name, message, error);
}
