import { connect, type Socket } from 'node:net';
import { readNote, type EndpointNote } from '../wire/endpoint.js';
import { ControlClient, lostError } from './control-client.js';

/** How a client connects. */
export interface ConnectControlOptions {
  /** File with the note of the server's endpoint. */
  readonly path: string;
  readonly signal?: AbortSignal | undefined;
  /** Deadline for the server's answer to the hello, in milliseconds. Default 5 s. */
  readonly welcomeWithinMs?: number | undefined;
}

/**
 * Connects to the service whose endpoint is noted at `path`. Null where no process listens there.
 *
 * @throws HostError `AUTOPILOT_INCOMPATIBLE`, `AUTOPILOT_BUSY`, or `AUTOPILOT_LOST` where it does not answer; the
 *   signal's reason.
 */
export async function connectControl({
  path,
  signal,
  welcomeWithinMs = 5000,
}: ConnectControlOptions): Promise<ControlClient | null> {
  signal?.throwIfAborted();
  const note = await readNote(path);
  if (note === null) return null;
  const socket = await open(note, signal);
  if (socket === null) return null;
  const client = new ControlClient(socket, note.processId);
  try {
    await client.greet(welcomeWithinMs, signal);
  } catch (error) {
    // A server that is stopping closes the connection instead of sending a welcome.
    if (error === client.lost.reason) return null;
    throw error;
  }
  return client;
}

/** Codes with which `connect` fails when no process listens. */
const NOBODY_LISTENS: readonly unknown[] = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'];

function open({ endpoint, processId }: EndpointNote, signal?: AbortSignal): Promise<Socket | null> {
  return new Promise((resolve, reject) => {
    const socket = connect(endpoint);
    const settle = (): void => {
      socket.removeAllListeners();
      signal?.removeEventListener('abort', onAbort);
    };
    const onAbort = (): void => {
      settle();
      socket.destroy();
      reject(signal?.reason as Error);
    };
    socket.once('connect', () => {
      settle();
      resolve(socket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      settle();
      socket.destroy();
      if (NOBODY_LISTENS.includes(error.code)) resolve(null);
      else reject(lostError(processId, error));
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
