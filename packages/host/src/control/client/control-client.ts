import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import { createEventHub, type AutopilotEvent } from '@mai/autopilot';
import { HostError } from '../../host-error.js';
import {
  leaseFactsOf,
  type AutopilotService,
  type CallOptions,
  type ServiceLease,
} from '../autopilot-service.js';
import { EventStream } from '../event-stream.js';
import { LineSocket } from '../wire/line-socket.js';
import { otherVersion, parseServerMessage, PROTOCOL_VERSION } from '../wire/messages.js';
import { ControlCalls, type CallRequest } from './control-calls.js';
import {
  isAnything,
  isAutopilotEvent,
  isAutopilotState,
  isHandLoaded,
  isHandUnloaded,
  isJournalAnswer,
  isLeaseAnswer,
  isLeasePlan,
  isLoadProgress,
} from './parse-answers.js';

const MIB = 1024 ** 2;
/** Received lines may be long, because answers contain whole decisions. Sent lines are short requests. */
const CLIENT_LIMITS = { lineBytes: 64 * MIB, unsentBytes: MIB, unsentMaxBytes: 16 * MIB };
/** Maximum number of unread events of a reader. The autopilot has the same limit. */
const EVENTS_BEHIND_MAX = 1024;

interface Greeting {
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** A client of the autopilot in another process. */
export class ControlClient implements AutopilotService, AsyncDisposable {
  readonly processId: number;
  readonly #lines: LineSocket;
  readonly #calls = new ControlCalls((message) => this.#lines.send(message));
  readonly #lost = new AbortController();
  /** Settles the promise of `greet`; null before the hello. */
  #greeting: Greeting | null = null;

  constructor(socket: Socket, processId: number) {
    this.processId = processId;
    // Each lease listens to this signal. Without this line, Node warns of a leak at the eleventh lease.
    setMaxListeners(0, this.#lost.signal);
    this.#lines = new LineSocket(socket, CLIENT_LIMITS, {
      onMessage: (message) => this.#receive(message),
      onClose: (fault) => this.#end(lostError(processId, fault)),
    });
  }

  /** Fires with `HostError` `AUTOPILOT_LOST` when the autopilot stops, or the connection ends. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Says hello and waits for the welcome. */
  async greet(withinMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { processId } = this;
    const onAbort = (): void => this.#greeting?.reject(signal?.reason);
    const timer = setTimeout(() => {
      const message = `Process ${processId}, which runs the autopilot, does not answer. Try again, or stop that process.`;
      this.#greeting?.reject(new HostError('AUTOPILOT_LOST', message, { processId }));
    }, withinMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        this.#greeting = { resolve, reject };
        if (signal?.aborted === true) onAbort();
        this.#lines.send({ type: 'hello', protocol: PROTOCOL_VERSION, processId: process.pid });
      });
    } catch (error) {
      this.#lines.destroy(new Error('The server did not accept this client.'));
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async acquire(
    request: Parameters<AutopilotService['acquire']>[0],
    { signal }: CallOptions = {},
  ): Promise<ServiceLease> {
    const release = async (lease: number): Promise<void> => {
      // `release` fails only where the connection has ended. Then the server has released the lease.
      await this.#calls
        .call({ method: 'release', params: lease, signal: undefined, cancels: 'when-answered' })
        .catch(() => undefined);
    };
    const answer = await this.#call(isLeaseAnswer, {
      method: 'acquire',
      params: request,
      signal,
      cancels: 'at-once',
      onLateAnswer: (value) => {
        if (isLeaseAnswer(value)) void release(value.lease);
      },
    });
    let released: Promise<void> | null = null;
    return {
      ...leaseFactsOf(answer),
      lost: this.lost,
      release: () => (released ??= release(answer.lease)),
    };
  }

  plan(request: Parameters<AutopilotService['plan']>[0], { signal }: CallOptions = {}) {
    return this.#call(isLeasePlan, {
      method: 'plan',
      params: request,
      signal,
      cancels: 'at-once',
    });
  }

  pin(target: string, options?: CallOptions) {
    return this.#change('pin', target, options);
  }

  unpin(targets: readonly string[], options?: CallOptions) {
    return this.#change('unpin', targets, options);
  }

  yieldMemory(request: Parameters<AutopilotService['yieldMemory']>[0], options?: CallOptions) {
    return this.#change('yieldMemory', request, options);
  }

  endYield(names: readonly string[], options?: CallOptions) {
    return this.#change('endYield', names, options);
  }

  load(...[request, options = {}]: Parameters<AutopilotService['load']>) {
    return this.#call(isHandLoaded, {
      method: 'load',
      params: request,
      signal: options.signal,
      cancels: 'when-answered',
      onPart: (part) => {
        if (isLoadProgress(part)) options.onProgress?.(part.index, part.ratio);
      },
    });
  }

  unload(...[request, options = {}]: Parameters<AutopilotService['unload']>) {
    const { signal } = options;
    return this.#call(isHandUnloaded, {
      method: 'unload',
      params: request,
      signal,
      cancels: 'when-answered',
    });
  }

  state({ signal }: CallOptions = {}) {
    return this.#call(isAutopilotState, {
      method: 'state',
      params: null,
      signal,
      cancels: 'at-once',
    });
  }

  events({ signal }: CallOptions = {}): AsyncIterable<AutopilotEvent> {
    return { [Symbol.asyncIterator]: () => this.#readEvents(signal) };
  }

  /** Ends the connection, so that the server releases the leases of this client. May be called more than once. */
  close(): Promise<void> {
    this.#lines.end();
    // The process of the server may hang.
    this.#lines.unref();
    this.#end(lostError(this.processId, null));
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #change(method: CallRequest['method'], params: unknown, { signal }: CallOptions = {}) {
    return this.#call(isJournalAnswer, { method, params, signal, cancels: 'when-answered' });
  }

  #readEvents(signal: AbortSignal | undefined): AsyncIterableIterator<AutopilotEvent> {
    const hub = createEventHub<AutopilotEvent>(EVENTS_BEHIND_MAX);
    const unsubscribe = new AbortController();
    const stream = new EventStream(hub.subscribe(), signal, () => unsubscribe.abort());
    if (signal?.aborted === true) return stream;
    this.#call(isAnything, {
      method: 'events',
      params: null,
      signal: unsubscribe.signal,
      cancels: 'at-once',
      onPart: (part) => {
        if (isAutopilotEvent(part)) hub.publish(part);
      },
    }).then(
      () => hub.close(),
      (error: unknown) => {
        if (!unsubscribe.signal.aborted) stream.fail(error);
      },
    );
    return stream;
  }

  async #call<Answer>(
    is: (value: unknown) => value is Answer,
    request: CallRequest,
  ): Promise<Answer> {
    const value = await this.#calls.call(request);
    if (is(value)) return value;
    throw this.#incompatible();
  }

  #welcome(protocol: number): void {
    if (protocol === PROTOCOL_VERSION) this.#greeting?.resolve();
    else this.#greeting?.reject(this.#incompatible());
  }

  #incompatible(): HostError {
    const { processId } = this;
    return new HostError('AUTOPILOT_INCOMPATIBLE', otherVersion(processId), { processId });
  }

  #receive(value: unknown): void {
    const message = parseServerMessage(value);
    if (message === null) {
      this.#lines.destroy(
        new Error('The server sent a message that the control protocol does not allow.'),
      );
    } else if (message.type === 'welcome') this.#welcome(message.protocol);
    else if (message.type === 'refused') this.#greeting?.reject(message.error);
    else if (message.type === 'stopping') this.#lost.abort(lostError(this.processId, null));
    else this.#calls.receive(message);
  }

  #end(error: HostError): void {
    this.#lost.abort(error);
    this.#greeting?.reject(error);
    this.#calls.lose(error);
  }
}

/** The error for an autopilot that has stopped, or whose process has ended. */
export function lostError(processId: number, cause: Error | null): HostError {
  return new HostError(
    'AUTOPILOT_LOST',
    `The autopilot of process ${processId} has stopped, or its process has ended. Try again: the next call finds the autopilot of another process, or starts an autopilot.`,
    { processId, ...(cause === null ? {} : { cause }) },
  );
}
