import { createServer, type Server, type Socket } from 'node:net';

/** A TCP server on a loopback port. */
export interface TcpServer extends AsyncDisposable {
  readonly port: number;
  /** Connections so far. */
  readonly accepted: () => number;
}

/** Listens on a free loopback port and hands each connection to the callback. */
export async function listen(onConnection: (socket: Socket) => void): Promise<TcpServer> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server: Server = createServer((socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    accepted: () => accepted,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers each connection's first data with one fixed HTTP response. */
export function answering(status: string, body: string): (socket: Socket) => void {
  return (socket) => {
    socket.once('data', () =>
      socket.end(
        `HTTP/1.1 ${status}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
      ),
    );
  };
}

/** A loopback port on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = await listen(() => undefined);
  await server[Symbol.asyncDispose]();
  return server.port;
}
