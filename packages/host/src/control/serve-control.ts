import { chmod } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { HostError } from '../host-error.js';
import type { AutopilotService, ServiceLease } from './autopilot-service.js';
import { newEndpoint, publishNote, withdrawNote } from './endpoint.js';
import { LineSocket } from './line-socket.js';
import { isMethodName, METHODS, type ConnectionLeases } from './methods.js';
import {
  otherVersion,
  parseClientMessage,
  PROTOCOL_VERSION,
  type ServerMessage,
} from './messages.js';

/** A service that other processes of this user can reach. */
export interface ControlServer extends AsyncDisposable {
  /** Where it listens: a Unix socket, or a named pipe on Windows. */
  readonly endpoint: string;
  /**
   * Tells every client that its leases are lost, because the autopilot stops, and lets no new client find this server.
   * Calls that are open go on until `close`.
   */
  announceStop(): Promise<void>;
  /** Ends every connection and its leases, and stops listening. May be called more than once. */
  close(): Promise<void>;
}

/** How a service is offered. */
export interface ServeControlOptions {
  /** File in which clients find the endpoint. */
  readonly path: string;
  /** How many connections at a time. Default 64. */
  readonly connectionsMax?: number | undefined;
  /** How many open calls and leases together a connection may have. Default 256. */
  readonly callsMax?: number | undefined;
  /** How long a new connection may take to say hello, in milliseconds. Default 5 s. */
  readonly helloWithinMs?: number | undefined;
}

const MIB = 1024 ** 2;
/** Requests are small; answers, which carry whole decisions, are not. */
const SERVER_LIMITS = { lineBytes: 64 * 1024, unsentBytes: MIB, unsentMaxBytes: 64 * MIB };

/**
 * Offers a service to the other processes of this user. The socket has mode 0600. An endpoint that another server has
 * published at the same path is replaced: call this only while holding the running lock.
 */
export async function serveControl(
  service: AutopilotService,
  { path, connectionsMax = 64, callsMax = 256, helloWithinMs = 5000 }: ServeControlOptions,
): Promise<ControlServer> {
  const endpoint = await newEndpoint(path);
  const connections = new Set<Connection>();
  let published = false;
  let stopping = false;
  const server = createServer((socket) => {
    if (!published || stopping) {
      // Before: only clients that have read the note are expected, and the socket may not have its mode yet. After: a
      // client that was too late learns that nobody is here.
      socket.destroy();
      return;
    }
    const connection = new Connection(socket, service, {
      callsMax,
      helloWithinMs,
      full: connections.size >= connectionsMax,
      onClose: () => connections.delete(connection),
    });
    connections.add(connection);
  });
  // Those above `connectionsMax` are told so; a flood is dropped.
  server.maxConnections = 2 * connectionsMax;
  await listen(server, endpoint);
  // A descriptor that can't be accepted fails that client's connection, not this process.
  server.on('error', () => undefined);
  const note = { endpoint, processId: service.processId };
  try {
    if (process.platform !== 'win32') await chmod(endpoint, 0o600);
    published = true;
    await publishNote(path, note);
  } catch (error) {
    server.close();
    throw error;
  }
  const close = async (): Promise<void> => {
    await withdrawNote(path, note);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await Promise.all([...connections].map((connection) => connection.close()));
    await closed;
  };
  let closing: Promise<void> | null = null;
  const closeOnce = (): Promise<void> => (closing ??= close());
  return {
    endpoint,
    announceStop: async () => {
      stopping = true;
      for (const connection of connections) connection.announceStop();
      await withdrawNote(path, note);
    },
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}

function listen(server: Server, endpoint: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(endpoint, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

interface ConnectionOptions {
  readonly callsMax: number;
  readonly helloWithinMs: number;
  /** There are as many connections as there may be: this one is refused. */
  readonly full: boolean;
  readonly onClose: () => void;
}

/** Time for the last answers to reach a client before its connection is cut. */
const GOODBYE_MS = 500;

/** One client. Its calls are cancelled and its leases end when it goes. */
class Connection implements ConnectionLeases {
  readonly #service: AutopilotService;
  readonly #options: ConnectionOptions;
  readonly #lines: LineSocket;
  readonly #calls = new Map<number, AbortController>();
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

  /** Whether the client has been welcomed. Everything that it should not send ends the connection. */
  #receive(value: unknown): boolean {
    const message = parseClientMessage(value);
    if (message === null || (message.type === 'hello') === this.#welcomed) {
      this.#lines.destroy(new Error('The client does not keep to the protocol.'));
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
        `Process ${processId}, which runs the autopilot, has as many connections as it takes. Try again when other programs have ended theirs.`,
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
    const { callsMax } = this.#options;
    if (this.#calls.has(id)) {
      this.#lines.destroy(new Error('The client uses a number twice.'));
      return;
    }
    // Giving a lease back is always possible.
    if (this.#calls.size + this.#leases.size >= callsMax && method !== 'release') {
      const message = `This program has ${callsMax} open calls and leases at process ${this.#service.processId}, and more are refused. Release leases that are no longer needed.`;
      this.#send({ type: 'error', id, error: new HostError('AUTOPILOT_BUSY', message) });
      return;
    }
    const controller = new AbortController();
    this.#calls.set(id, controller);
    void this.#answer(id, method, params, controller.signal);
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
    }
  }

  #send(message: ServerMessage): void {
    this.#lines.send(message);
  }

  #end(): void {
    for (const controller of this.#calls.values()) controller.abort(cancelled());
    // A release does not throw.
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
