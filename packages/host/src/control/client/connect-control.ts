import { connect, type Socket } from 'node:net';
import { errorCodeOf } from '../../guards.js';
import { orAborted } from '../../promises/or-aborted.js';
import { readNote, type EndpointNote } from '../wire/endpoint.js';
import { ControlClient, lostError } from './control-client.js';

/** How a client connects. */
export interface ConnectControlOptions {
  /** File in which the server has noted its endpoint. */
  readonly path: string;
  readonly signal?: AbortSignal | undefined;
  /** Deadline for the server's answer to the hello, in milliseconds. Default 5000. */
  readonly welcomeWithinMs?: number | undefined;
}

/**
 * Connects to the service whose endpoint is noted at `path`. Null where no process listens there.
 *
 * @throws HostError `AUTOPILOT_INCOMPATIBLE`, `AUTOPILOT_BUSY`, or `AUTOPILOT_LOST` where the server does not answer; the
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

/** Codes of the errors with which `connect` fails when no process listens. */
const NOBODY_LISTENS: readonly (string | null)[] = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'];

async function open(
  { endpoint, processId }: EndpointNote,
  signal: AbortSignal | undefined,
): Promise<Socket | null> {
  const socket = connect(endpoint);
  const connected = new Promise<Socket | null>((resolve, reject) => {
    const onError = (error: Error): void => {
      if (NOBODY_LISTENS.includes(errorCodeOf(error))) resolve(null);
      else reject(lostError(processId, error));
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError);
      resolve(socket);
    });
  });
  try {
    return await orAborted(connected, signal);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
