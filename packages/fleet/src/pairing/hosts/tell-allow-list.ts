import { pause, systemClock } from '../../clock.js';
import { FleetError, isFleetError } from '../../fleet-error.js';
import type { FleetConnection } from '../../nats/connection.js';
import type { NatsBucket } from '../../nats/nats-door.js';
import { ALLOW_LIST_KEY, FLEET_BUCKET, HOSTS_BUCKET, requestSubject } from '../../nats/subjects.js';
import { MAX_STATE_BYTES } from '../../state/host-state-codec.js';
import { readAllowList } from '../allow-list.js';
import type { AllowList } from '../allow-list.js';
import { fleetPaths, readFleetFile } from '../files/fleet-folder.js';

const PUT_TIMEOUT_MS = 5_000;
/** A server reloads in about a second. */
const SERVER_DEADLINE_MS = 5_000;
const ANSWER_TIMEOUT_MS = 2_000;
const SERVER_POLL_MS = 250;
const RETRY_MS = 1_000;
/** A host connects to another server within a second. */
const ACT_MS = 2_000;

/** One entry of the bucket: the newest allow-list. */
const LARGEST_ALLOW_LIST_BYTES = 1_000_000;

/** Who has got an allow-list. */
export interface ToldAllowList {
  /** Whether it is in the fleet's bucket, from which all hosts read it. */
  readonly told: boolean;
  /**
   * Hosts whose nats-server has not confirmed the list: a removed host may stay connected there until they run
   * `mai serve --fleet`.
   */
  readonly serversWithout: readonly string[];
}

/**
 * Publishes the signed allow-list of the folder, on the machine that holds the authority. First it asks the other hosts that run
 * a nats-server until their servers have taken the list. Then it writes the list to the fleet's bucket, and deletes the states of
 * hosts that are not on the list. Tries again while JetStream does not take the list, until the signal fires.
 */
export async function tellAllowList(
  connection: FleetConnection,
  folder: string,
  signal: AbortSignal,
): Promise<ToldAllowList> {
  const { text, list } = await readNewest(folder);
  const servers = list.servers.flatMap(({ host }) =>
    host === null || host === connection.host ? [] : [host],
  );
  const taken = await Promise.all(
    servers.map((host) => tellServer(connection, host, { text, list }, signal)),
  );
  const serversWithout = servers.filter((_host, i) => taken[i] !== true);
  while (!signal.aborted) {
    try {
      const newest = await readNewest(folder);
      const bucket = await openFleetBucket(connection, newest.list);
      await bucket.put(ALLOW_LIST_KEY, newest.text, PUT_TIMEOUT_MS);
      await deleteOthers(connection, newest.list);
      return { told: true, serversWithout };
    } catch (error) {
      // No connection, no JetStream yet, or the bucket was lost.
      if (isFleetError(error) && error.code === 'FILE_UNUSABLE') throw error;
      await pause(systemClock, RETRY_MS, signal);
    }
  }
  return { told: false, serversWithout };
}

/**
 * Puts the signed allow-list of the folder into the fleet's bucket, and gives the hosts a moment to act on it. Then the removed host
 * is told directly as well: it ends its own nats-server, and would hear of nothing once the other servers have cut it off. Waits
 * for NATS and for its answer for five seconds each at most, and does not fail without them.
 */
export async function announceAllowList(
  connection: FleetConnection,
  folder: string,
  { removed, signal }: { readonly removed: string; readonly signal: AbortSignal },
): Promise<void> {
  const { text, list } = await readNewest(folder);
  try {
    const bucket = await openFleetBucket(connection, list);
    await bucket.put(ALLOW_LIST_KEY, text, PUT_TIMEOUT_MS);
    await pause(systemClock, ACT_MS, signal);
    // Last, because the hosts at its server have to move first.
    const subject = requestSubject(removed, 'allow-list', connection.host);
    await connection.request(subject, text, { timeoutMs: SERVER_DEADLINE_MS, signal });
  } catch {
    // No connection or no JetStream: `tellAllowList` goes on trying once the servers have the list. Or the removed host has heard of
    // it already, and is gone.
  }
}

interface Newest {
  readonly text: string;
  readonly list: AllowList;
}

async function readNewest(folder: string): Promise<Newest> {
  const paths = fleetPaths(folder);
  const text = await readFleetFile(paths.allowList);
  const list = readAllowList(text, await readFleetFile(paths.authorityCertificate));
  if (list !== null) return { text, list };
  throw new FleetError('FILE_UNUSABLE', `${paths.allowList} is not signed by the authority.`);
}

/** Whether the nats-server of a host has taken the list, or a newer one. */
async function tellServer(
  connection: FleetConnection,
  host: string,
  { text, list }: Newest,
  signal: AbortSignal,
): Promise<boolean> {
  const subject = requestSubject(host, 'allow-list', connection.host);
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(SERVER_DEADLINE_MS)]);
  while (!deadline.aborted) {
    try {
      const answer = await connection.request(subject, text, {
        timeoutMs: ANSWER_TIMEOUT_MS,
        signal: deadline,
      });
      if (Number(Buffer.from(answer).toString('utf8')) >= list.revision) return true;
    } catch (error) {
      // It reads the list from the bucket once it runs.
      if (!isFleetError(error) && !deadline.aborted) throw error;
    }
    await pause(systemClock, SERVER_POLL_MS, deadline);
  }
  return false;
}

/** Deletes the states of hosts that are not on the list. Their users are gone, so nobody writes them again. */
async function deleteOthers(connection: FleetConnection, list: AllowList): Promise<void> {
  const states = await connection.bucket(HOSTS_BUCKET, {
    replicas: list.servers.length,
    maxValueBytes: MAX_STATE_BYTES,
  });
  for (const key of await states.keys()) {
    if (!list.hosts.some(({ host }) => host === key)) await states.delete(key);
  }
}

/** The bucket of the allow-list, with a copy at each server. */
export function openFleetBucket(
  connection: FleetConnection,
  { servers }: Pick<AllowList, 'servers'>,
): Promise<NatsBucket> {
  return connection.bucket(FLEET_BUCKET, {
    replicas: servers.length,
    maxValueBytes: LARGEST_ALLOW_LIST_BYTES,
  });
}
