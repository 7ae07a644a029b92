import type { Socket } from 'node:net';
import { HostError } from '../../host-error.js';
import type { AutopilotService, ServiceLease } from '../autopilot-service.js';
import { LineSocket } from '../wire/line-socket.js';
import {
  otherVersion,
  parseClientMessage,
  PROTOCOL_VERSION,
  type ServerMessage,
} from '../wire/messages.js';
import { isMethodName, METHODS, type ConnectionLeases } from './methods.js';

const MIB = 1024 ** 2;
/** Received lines are short requests. Unsent bytes may be many, because answers contain whole decisions. */
const SERVER_LIMITS = { lineBytes: 64 * 1024, unsentBytes: MIB, unsentMaxBytes: 64 * MIB };

/** The limits of a connection. */
export interface ConnectionOptions {
  /** Maximum number of open calls, without those of `acquire` and `release`. */
  readonly callsMax: number;
  /** Maximum number of leases, including those that open calls of `acquire` wait for. */
  readonly leasesMax: number;
  readonly helloWithinMs: number;
  /** Whether to refuse this client, because the server has its maximum of connections. */
  readonly full: boolean;
  readonly onClose: () => void;
}

/** Maximum wait of `close` until the client has received the last answers. */
const GOODBYE_MS = 500;

/** The connection of one client. When it ends, its calls are cancelled and its leases released. */
export class ClientConnection implements ConnectionLeases {
  readonly #service: AutopilotService;
  readonly #options: ConnectionOptions;
  readonly #lines: LineSocket;
  readonly #calls = new Map<number, AbortController>();
  /** The open calls of `acquire`. Each may become a lease. */
  readonly #acquiring = new Set<number>();
  readonly #leases = new Map<number, ServiceLease>();
  readonly #closed: Promise<void>;
  #leaseNumber = 0;
  #welcomed = false;

  constructor(socket: Socket, service: AutopilotService, options: ConnectionOptions) {
    this.#service = service;
    this.#options = options;
    const helloTimer = setTimeout(() => {
      this.#lines.destroy(new Error('The client did not say hello.'));
    }, options.helloWithinMs);
    const { promise, resolve } = withResolvers();
    this.#closed = promise;
    this.#lines = new LineSocket(socket, SERVER_LIMITS, {
      onMessage: (message) => {
        if (this.#receive(message)) clearTimeout(helloTimer);
      },
      onClose: () => {
        clearTimeout(helloTimer);
        this.#end();
        options.onClose();
        resolve();
      },
    });
  }

  announceStop(): void {
    if (this.#welcomed) this.#send({ type: 'stopping' });
  }

  async close(): Promise<void> {
    this.#lines.end();
    const timer = setTimeout(() => {
      this.#lines.destroy(new Error('The server closes.'));
    }, GOODBYE_MS);
    await this.#closed;
    clearTimeout(timer);
  }

  add(lease: ServiceLease): number {
    this.#leaseNumber += 1;
    this.#leases.set(this.#leaseNumber, lease);
    return this.#leaseNumber;
  }

  async release(number: number): Promise<void> {
    const lease = this.#leases.get(number);
    this.#leases.delete(number);
    await lease?.release();
  }

  /**
   * Handles a message, and returns whether the client is welcome. A message that breaks the protocol
   * ends the connection.
   */
  #receive(value: unknown): boolean {
    const message = parseClientMessage(value);
    if (message === null || (message.type === 'hello') === this.#welcomed) {
      this.#lines.destroy(
        new Error('The client sent a message that the control protocol does not allow.'),
      );
      return false;
    }
    if (message.type === 'hello') this.#greet(message.protocol);
    else if (message.type === 'cancel') this.#calls.get(message.id)?.abort(cancelled());
    else this.#call(message.id, message.method, message.params);
    return this.#welcomed;
  }

  #greet(protocol: number): void {
    const { processId } = this.#service;
    if (protocol !== PROTOCOL_VERSION) {
      this.#refuse('AUTOPILOT_INCOMPATIBLE', otherVersion(processId));
    } else if (this.#options.full) {
      this.#refuse(
        'AUTOPILOT_BUSY',
        `Process ${processId}, which runs the autopilot, has its maximum of connections. Try again when another program has closed its connection.`,
      );
    } else {
      this.#welcomed = true;
      this.#send({ type: 'welcome', protocol: PROTOCOL_VERSION, processId });
    }
  }

  #refuse(code: 'AUTOPILOT_INCOMPATIBLE' | 'AUTOPILOT_BUSY', message: string): void {
    const error = new HostError(code, message, { processId: this.#service.processId });
    this.#send({ type: 'refused', error });
    this.#lines.end();
  }

  #call(id: number, method: string, params: unknown): void {
    if (this.#calls.has(id)) {
      this.#lines.destroy(new Error('The client has used the number of an open call again.'));
      return;
    }
    const full = this.#refusalOf(method);
    if (full !== null) {
      const { processId } = this.#service;
      const error = new HostError('AUTOPILOT_BUSY', full, { processId });
      this.#send({ type: 'error', id, error });
      return;
    }
    const controller = new AbortController();
    this.#calls.set(id, controller);
    if (method === 'acquire') this.#acquiring.add(id);
    void this.#answer(id, method, params, controller.signal);
  }

  /**
   * Why a call is above a limit; null where it is allowed. Leases and other calls have separate limits, so that
   * a program with all its leases can still pin, read the state and release.
   */
  #refusalOf(method: string): string | null {
    const { callsMax, leasesMax } = this.#options;
    const { processId } = this.#service;
    if (method === 'release') return null;
    if (method === 'acquire') {
      return this.#leases.size + this.#acquiring.size < leasesMax
        ? null
        : `This program has ${leasesMax} leases at process ${processId}, and gets no more. Release leases that it no longer needs.`;
    }
    return this.#calls.size - this.#acquiring.size < callsMax
      ? null
      : `This program has ${callsMax} open calls at process ${processId}, and may start no more. Wait for the answer to one of them.`;
  }

  async #answer(id: number, method: string, params: unknown, signal: AbortSignal): Promise<void> {
    try {
      if (!isMethodName(method)) throw new Error(`There is no method ${JSON.stringify(method)}.`);
      const value = await METHODS[method](this.#service, {
        params,
        signal,
        part: (part) => {
          this.#send({ type: 'part', id, value: part });
          return this.#lines.drained();
        },
        leases: this,
      });
      this.#send({ type: 'result', id, value: value ?? null });
    } catch (error) {
      this.#send({ type: 'error', id, error });
    } finally {
      this.#calls.delete(id);
      this.#acquiring.delete(id);
    }
  }

  #send(message: ServerMessage): void {
    this.#lines.send(message);
  }

  #end(): void {
    for (const controller of this.#calls.values()) controller.abort(cancelled());
    // No `catch`, because `release` never rejects.
    for (const lease of this.#leases.values()) void lease.release();
    this.#leases.clear();
  }
}

function cancelled(): DOMException {
  return new DOMException('The client cancelled the call.', 'AbortError');
}

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
