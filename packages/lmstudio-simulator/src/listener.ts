import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { SimulatorError } from './simulator-error.js';

/** A listening port that can be closed together with its connections, and opened again. */
export interface Listener {
  readonly port: number;
  readonly connections: number;
  open(): Promise<void>;
  close(): Promise<void>;
  dropConnections(): void;
  /** Whether `dropConnections` has cut a connection. */
  hasCut(socket: Socket): boolean;
}

/** The address to listen on, and the handlers of requests. */
export interface ListenerOptions {
  readonly address: string;
  readonly port: number;
  onRequest(request: IncomingMessage, response: ServerResponse): void;
  onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** Creates a closed listener. `open()` opens it, or rejects with `PORT_UNAVAILABLE`. */
export function createListener(options: ListenerOptions): Listener {
  const sockets = new Set<Socket>();
  const cut = new WeakSet<Socket>();
  let server: Server | null = null;
  let port = options.port;

  const dropConnections = (): void => {
    for (const socket of sockets) {
      cut.add(socket);
      socket.destroy();
    }
  };
  return {
    get port() {
      return port;
    },
    get connections() {
      return sockets.size;
    },
    dropConnections,
    hasCut: (socket) => cut.has(socket),
    async open() {
      const opening = createServer((request, response) => options.onRequest(request, response));
      opening.on('connection', (socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
        // A client may reset the connection. 'close' follows and cleans up.
        socket.on('error', () => {});
      });
      opening.on('upgrade', (request, socket, head) => options.onUpgrade(request, socket, head));
      await new Promise<void>((resolve, reject) => {
        opening.once('error', (cause) => {
          const message = `The simulator cannot listen on ${options.address}:${port} (${cause.message}). Choose another port.`;
          reject(new SimulatorError('PORT_UNAVAILABLE', message, { cause }));
        });
        opening.listen(port, options.address, resolve);
      });
      server = opening;
      const bound = opening.address();
      // A restart listens on the same port again.
      if (typeof bound === 'object' && bound !== null) port = bound.port;
    },
    async close() {
      const closing = server;
      server = null;
      dropConnections();
      if (closing === null) return;
      await new Promise<void>((resolve) => {
        closing.close(() => resolve());
      });
    },
  };
}
