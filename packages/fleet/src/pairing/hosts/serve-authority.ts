import { pause, systemClock } from '../../clock.js';
import type { FleetConnection } from '../../nats/connection.js';
import type { NatsBucket, NatsMessage } from '../../nats/nats-door.js';
import { ALLOW_LIST_KEY, FLEET_BUCKET, lastToken, servedSubject } from '../../nats/subjects.js';
import { fleetPaths, readFleetFile } from '../files/fleet-folder.js';
import { certify } from './certify.js';
import { renewNatsCertificate } from './ensure-nats-server.js';

const PUT_TIMEOUT_MS = 5_000;
const RETRY_MS = 1_000;
const RENEWAL_CHECK_MS = 21_600_000;

/** One entry of the bucket: the newest allow-list. */
const LARGEST_ALLOW_LIST_BYTES = 1_000_000;

export interface ServeAuthorityOptions {
  readonly connection: FleetConnection;
  readonly folder: string;
  /** Called with the fault of a request that could not be carried out, for instance because a file can't be written. */
  readonly onFault: (error: unknown) => void;
  /** Time of this machine, for the life of certificates. Default: its clock. */
  readonly now?: () => Date;
}

/**
 * The authority's part while the fleet runs, on the machine that holds it: it signs the certificates of hosts that
 * change their keys, takes hosts off that leave, and publishes the allow-list after each connection, because a
 * restarted nats-server may have lost it. Every six hours it looks whether the certificate of nats-server must be
 * replaced. Disposing waits for the requests that are being carried out.
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
      await connection.roundTrip({ deadlineMs: PUT_TIMEOUT_MS, signal: null });
      await afterwards();
    }
    if (changed) await tell();
  };
  const renewInTime = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await renewNatsCertificate(folder, options.now?.() ?? new Date()).catch(onFault);
      await pause(systemClock, RENEWAL_CHECK_MS, stop.signal);
    }
  };
  const endRequests = connection.subscribe(servedSubject(connection.host, 'certify'), (message) => {
    run(() => answer(message));
  });
  const endTelling = connection.onConnected(() => {
    run(tell);
  });
  run(renewInTime);
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      endRequests();
      endTelling();
      await Promise.all(running);
    },
  };
}

/**
 * Writes the signed allow-list of the folder to the fleet's bucket, from which all hosts read it. Tries again while
 * nats-server does not take it, until the signal fires; then it returns false.
 */
export async function tellAllowList(
  connection: FleetConnection,
  folder: string,
  signal: AbortSignal,
): Promise<boolean> {
  while (!signal.aborted) {
    const text = await readFleetFile(fleetPaths(folder).allowList);
    try {
      const bucket = await openFleetBucket(connection);
      await bucket.put(ALLOW_LIST_KEY, text, PUT_TIMEOUT_MS);
      return true;
    } catch {
      // No connection, no JetStream yet, or the bucket was lost.
      await pause(systemClock, RETRY_MS, signal);
    }
  }
  return false;
}

export function openFleetBucket(connection: FleetConnection): Promise<NatsBucket> {
  return connection.bucket(FLEET_BUCKET, {
    replicas: 1,
    maxValueBytes: LARGEST_ALLOW_LIST_BYTES,
  });
}
