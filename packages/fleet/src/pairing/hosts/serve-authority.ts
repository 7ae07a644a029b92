import type { FleetConnection } from '../../nats/connection.js';
import type { NatsMessage } from '../../nats/nats-door.js';
import { lastToken, servedSubject } from '../../nats/subjects.js';
import { certify } from './certify.js';
import { tellAllowList } from './tell-allow-list.js';

const FLUSH_DEADLINE_MS = 5_000;

export interface ServeAuthorityOptions {
  readonly connection: FleetConnection;
  readonly folder: string;
  /** Called with the fault of a request that could not be carried out, for instance because a file cannot be written. */
  readonly onFault: (error: unknown) => void;
}

/**
 * The tasks of the machine that holds the authority, while the fleet runs. It signs the certificates of hosts that change their
 * keys, and removes hosts that leave. After each connection it publishes the allow-list, because a restarted nats-server may
 * have lost the list. Disposing waits for the requests that are being carried out.
 */
export function serveAuthority(options: ServeAuthorityOptions): AsyncDisposable {
  const { connection, folder, onFault } = options;
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  const run = (task: () => Promise<void>): void => {
    const ended = task().catch((error: unknown) => {
      if (!stop.signal.aborted) onFault(error);
    });
    running.add(ended);
    void ended.finally(() => running.delete(ended));
  };
  const tell = async (): Promise<void> => {
    await tellAllowList(connection, folder, stop.signal);
  };
  const answer = async ({ subject, data, respond }: NatsMessage): Promise<void> => {
    const request = Buffer.from(data).toString('utf8');
    const { answer, afterwards, changed } = await certify(folder, lastToken(subject), request);
    respond?.(JSON.stringify(answer));
    if (afterwards !== null) {
      // The answer must have left before nats-server closes the asker's connection.
      await connection.roundTrip({ deadlineMs: FLUSH_DEADLINE_MS, signal: null });
      await afterwards();
    }
    if (changed) await tell();
  };
  const endRequests = connection.subscribe(servedSubject(connection.host, 'certify'), (message) => {
    run(() => answer(message));
  });
  const endTelling = connection.onConnected(() => {
    run(tell);
  });
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      endRequests();
      endTelling();
      await Promise.all(running);
    },
  };
}
