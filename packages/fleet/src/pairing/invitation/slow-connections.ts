import type { Server } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';

/** Ends connections whose request does not arrive in time. */
export interface SlowConnections {
  /** The request of this connection has arrived. Its answer may take as long as it needs. */
  received(socket: Socket): void;
}

/** Parts of the time that a connection has. */
const TICKS = 10;

/**
 * Gives each connection of a server `deadlineMs` for its handshake and its request.
 *
 * The time is counted in ticks of a timer, because Node's own limits compare moments: after this machine has slept, they would end a
 * connection whose request has arrived meanwhile, before it is read. A timer ticks once after a sleep, however long that was.
 */
export function endSlowConnections(
  server: Server | HttpsServer,
  deadlineMs: number,
): SlowConnections {
  const open = new Map<string, { readonly socket: Socket; ticks: number }>();
  server.on('connection', (socket: Socket) => {
    const connection = { socket, ticks: 0 };
    const name = nameOf(socket);
    open.set(name, connection);
    socket.once('close', () => {
      if (open.get(name) === connection) open.delete(name);
    });
  });
  const tick = (): void => {
    for (const connection of open.values()) {
      connection.ticks += 1;
      if (connection.ticks > TICKS) connection.socket.destroy();
    }
  };
  // Not before: a server that cannot listen never closes, and its timer would keep the process alive.
  server.once('listening', () => {
    const timer = setInterval(tick, deadlineMs / TICKS);
    server.once('close', () => clearInterval(timer));
  });
  return { received: (socket) => open.delete(nameOf(socket)) };
}

/** The same for a TLS connection and for the TCP connection below it. */
function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${String(remoteAddress)} ${String(remotePort)}`;
}
