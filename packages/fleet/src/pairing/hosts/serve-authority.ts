import { pause, systemClock } from '../../clock.js';
import type { FleetConnection } from '../../nats/connection.js';
import type { NatsBucket } from '../../nats/nats-door.js';
import { ALLOW_LIST_KEY, FLEET_BUCKET, lastToken, servedSubject } from '../../nats/subjects.js';
import { fleetPaths, readFleetFile } from '../files/fleet-folder.js';
import { certify } from './certify.js';

const PUT_TIMEOUT_MS = 5_000;
const RETRY_MS = 1_000;

/** One entry of the bucket: the newest allow-list. */
const LARGEST_ALLOW_LIST_BYTES = 1_000_000;

export interface ServeAuthorityOptions {
  readonly connection: FleetConnection;
  readonly folder: string;
  /** Told about a request that could not be carried out, for instance because a file can't be written. */
  readonly onFault: (error: unknown) => void;
}

/**
 * The authority's part while the fleet runs, on the machine that holds it: it signs the certificates of hosts that change their
 * keys, takes hosts off that leave, and tells the allow-list after each connection, because a restarted nats-server may have lost it.
 */
export function serveAuthority(options: ServeAuthorityOptions): AsyncDisposable {
  const { connection, folder, onFault } = options;
  const stop = new AbortController();
  const endRequests = connection.subscribe(
    servedSubject(connection.host, 'certify'),
    ({ subject, data, respond }) => {
      const answer = async (): Promise<void> => {
        const request = Buffer.from(data).toString('utf8');
        const { answer, afterwards, changed } = await certify(folder, lastToken(subject), request);
        respond?.(JSON.stringify(answer));
        if (afterwards !== null) {
          await connection.roundTrip({ deadlineMs: PUT_TIMEOUT_MS, signal: stop.signal });
          await afterwards();
        }
        if (changed) await tellAllowList(connection, folder, stop.signal);
      };
      answer().catch(onFault);
    },
  );
  const endTelling = connection.onConnected(() => {
    tellAllowList(connection, folder, stop.signal).catch(onFault);
  });
  return {
    [Symbol.asyncDispose]: () => {
      stop.abort();
      endRequests();
      endTelling();
      return Promise.resolve();
    },
  };
}

/**
 * Writes the signed allow-list of the folder to the fleet's bucket, from which all hosts read it. Tries again while nats-server does not
 * take it, until the signal fires; then it returns false.
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
