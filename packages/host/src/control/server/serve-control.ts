import { chmod } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { endAll } from '../../promises/end-all.js';
import type { AutopilotService } from '../autopilot-service.js';
import { newEndpoint, publishNote, withdrawNote } from '../wire/endpoint.js';
import { ClientConnection } from './client-connection.js';

/** A service that other processes of this user can reach. */
export interface ControlServer extends AsyncDisposable {
  /** The address of the server: a Unix socket, or a named pipe on Windows. */
  readonly endpoint: string;
  /**
   * Tells every client that its leases have ended, because the autopilot stops. Then refuses new clients.
   * Open calls go on until `close`.
   */
  announceStop(): Promise<void>;
  /** Ends every connection and its leases, and stops listening. May be called more than once. */
  close(): Promise<void>;
}

/** How a service is offered. */
export interface ServeControlOptions {
  /** File in which the server notes its endpoint for clients. */
  readonly path: string;
  /** The folders of models that the note names. Default: none. */
  readonly modelFolders?: readonly string[] | undefined;
  /** Maximum number of connections. Default 64. */
  readonly connectionsMax?: number | undefined;
  /** Maximum number of open calls of one connection, without those of `acquire` and `release`. Default 256. */
  readonly callsMax?: number | undefined;
  /** Maximum number of leases of one connection, including those that open calls wait for. Default 256. */
  readonly leasesMax?: number | undefined;
  /** Deadline for the hello of a new client, in milliseconds. Default 5000. */
  readonly helloWithinMs?: number | undefined;
}

/**
 * Offers a service to the other processes of this user. The socket has mode 0600. Call this only while holding
 * the running lock, because it replaces the endpoint of any other server at the same path.
 */
export async function serveControl(
  service: AutopilotService,
  options: ServeControlOptions,
): Promise<ControlServer> {
  const { path, connectionsMax = 64, callsMax = 256, leasesMax = 256 } = options;
  const { helloWithinMs = 5000, modelFolders = [] } = options;
  const endpoint = await newEndpoint(path);
  const connections = new Set<ClientConnection>();
  let published = false;
  let stopping = false;
  const server = createServer((socket) => {
    if (!published || stopping) {
      // Before `published`, the socket may not have mode 0600 yet.
      socket.destroy();
      return;
    }
    const connection = new ClientConnection(socket, service, {
      callsMax,
      leasesMax,
      helloWithinMs,
      full: connections.size >= connectionsMax,
      onClose: () => connections.delete(connection),
    });
    connections.add(connection);
  });
  // The clients between `connectionsMax` and this number get an error. Node disconnects further
  // clients without an error.
  server.maxConnections = 2 * connectionsMax;
  await listen(server, endpoint);
  // An error while accepting a client concerns only that client. Without a listener, such an error would end
  // this process.
  server.on('error', () => undefined);
  const note = { endpoint, processId: service.processId, modelFolders };
  try {
    if (process.platform !== 'win32') await chmod(endpoint, 0o600);
    published = true;
    await publishNote(path, note);
  } catch (error) {
    server.close();
    throw error;
  }
  const stopListening = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await Promise.all([...connections].map((connection) => connection.close()));
    await closed;
  };
  const close = (): Promise<void> => endAll([() => withdrawNote(path, note), stopListening]);
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
