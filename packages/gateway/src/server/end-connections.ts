import type { Server } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { Server as NetServer, type Socket } from 'node:net';
import { afterReading, answerAt } from './request/late-requests.js';

/** Ends the connections of a server. */
export interface ConnectionEnd {
  /** Accepts no new connection, and resolves when the last one has ended. */
  close(): Promise<void>;
  /** Ends every connection at once. */
  destroy(): void;
}

/** How often the connections are looked at while the server closes. */
const TICK_MS = 50;
/**
 * How long a connection without a request stays open while the server closes. A client that keeps connections learns from an answer with
 * `connection: close` that this one ends. If the server ended it at once, a request that is already on its way would be lost, and the
 * client could not know whether it was served.
 */
const LINGER_MS = 250;
/** How long a client may still send a request that has not arrived whole. Its answer would only be that the server stops. */
const ARRIVAL_MS = 2000;

/** A connection without a whole request, while the server closes. */
interface Waiting {
  /** When the server began to wait for its next request. */
  readonly sinceMs: number;
  /** Bytes in both directions, and when they last changed. */
  bytes: number;
  changedMs: number;
}

/**
 * Follows the connections of a server from now on. While the server closes, each of them ends by the first of these rules that applies:
 *
 * 1. A connection whose request has arrived whole stays open until its answer has ended.
 * 2. It ends where nothing was sent or received for `LINGER_MS`. Browsers and editors open connections before they need them, and such
 *    connections would hold up the end of the process.
 * 3. It ends where the next request has not arrived whole within `ARRIVAL_MS`. The time begins with the end of the answer before, or
 *    where the server begins to close.
 */
export function createConnectionEnd(server: Server | HttpsServer): ConnectionEnd {
  /** By the address of the client, so that a connection over TLS takes the place of the one that its handshake used. */
  const open = new Map<string, Socket>();
  const add = (socket: Socket): void => {
    const name = `${socket.remoteAddress} ${socket.remotePort}`;
    open.set(name, socket);
    socket.once('close', () => {
      if (open.get(name) === socket) open.delete(name);
    });
  };
  server.on('connection', add);
  server.on('secureConnection', add);

  const endIdle = (waiting: WeakMap<Socket, Waiting>): void => {
    const nowMs = performance.now();
    for (const socket of open.values()) {
      if (answerAt(socket)?.req.complete === true) {
        waiting.delete(socket);
        continue;
      }
      const bytes = socket.bytesRead + socket.bytesWritten;
      const one = waiting.get(socket) ?? { sinceMs: nowMs, bytes, changedMs: nowMs };
      waiting.set(socket, one);
      if (one.bytes !== bytes) {
        one.bytes = bytes;
        one.changedMs = nowMs;
      }
      if (nowMs - one.changedMs >= LINGER_MS || nowMs - one.sinceMs >= ARRIVAL_MS) socket.destroy();
    }
  };

  const close = async (): Promise<void> => {
    const waiting = new WeakMap<Socket, Waiting>();
    // What has arrived is read first, so that its connection does not look idle.
    const look = (): void => afterReading(() => endIdle(waiting));
    const looking = setInterval(look, TICK_MS);
    look();
    await new Promise<void>((resolve) => {
      // The method of the HTTP server would end idle connections at once.
      afterReading(() => NetServer.prototype.close.call(server, () => resolve()));
    });
    clearInterval(looking);
    // Only this ends the timer of the HTTP server for late requests.
    server.close();
  };

  return {
    close,
    destroy: () => {
      for (const socket of open.values()) socket.destroy();
    },
  };
}
