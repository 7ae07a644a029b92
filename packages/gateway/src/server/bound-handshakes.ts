import type { Server } from 'node:https';
import type { Socket } from 'node:net';

/** Maximum number of connections whose TLS handshake has not ended. A fleet has few at a time, because a handshake takes less than a second. */
export const MAX_HANDSHAKES = 256;

/**
 * Keeps a machine that opens connections without a handshake from taking the place of the hosts of a fleet: where more than
 * `MAX_HANDSHAKES` handshakes are under way, the oldest connection is closed. Such a machine needs no certificate, so it could otherwise
 * use up the connections of the server and the file descriptors of the process. A host whose connection is closed sends its request
 * elsewhere.
 */
export function boundHandshakes(server: Server): void {
  /** In the order in which they were opened. */
  const pending = new Map<string, Socket>();
  const nameOf = ({ remoteAddress, remotePort }: Socket): string =>
    `${remoteAddress} ${remotePort}`;
  server.on('connection', (socket: Socket) => {
    const name = nameOf(socket);
    pending.set(name, socket);
    socket.once('close', () => {
      if (pending.get(name) === socket) pending.delete(name);
    });
    const [oldest] = pending.values();
    if (pending.size > MAX_HANDSHAKES) oldest?.destroy();
  });
  server.on('secureConnection', (socket) => {
    pending.delete(nameOf(socket));
  });
}
