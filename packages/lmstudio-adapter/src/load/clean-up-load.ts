import { APP_PORTS, discover, isLoopbackHost } from '../discovery/discover.js';
import { probeGreeting } from '../discovery/probe.js';
import { listResidents } from '../models/list-residents.js';
import { delay } from '../timers.js';
import type { Connection } from '../wire/connection.js';
import { Deadline } from '../wire/deadline.js';
import type { UnconfirmedLoad } from './load-types.js';
import { CHECK_DEADLINE_MS, unloadResident } from './unload.js';

/** Waits before each check after the connection broke. Together 2.4 s. */
const UNKNOWN_WAITS_MS = [0, 150, 350, 700, 1200];

/**
 * The end of an abandoned load. `confirmed`: LM Studio says that the load is over. `unconfirmed`: LM Studio was given
 * time to say so, and did not. `unknown`: the connection broke.
 */
export type LoadEnd = 'confirmed' | 'unconfirmed' | 'unknown';

/**
 * Makes sure that an abandoned load leaves no copy behind. Asks over a new connection which models are loaded, and
 * unloads the copy. Resolves `false` where LM Studio could not be asked or never confirmed that the load is over,
 * because the copy may then still appear.
 */
export async function cleanUpLoad(
  connection: Connection,
  load: UnconfirmedLoad,
  end: LoadEnd,
): Promise<boolean> {
  const waitsMs = end === 'unknown' ? UNKNOWN_WAITS_MS : [0];
  let absent = false;
  for (const waitMs of waitsMs) {
    if (waitMs > 0) await delay(connection.timers, waitMs);
    connection.pool.renew();
    const finding = await checkAbandoned(connection, load);
    // When LM Studio ends, it unloads its models.
    if (finding === 'server-gone' || finding === 'removed') return true;
    absent = finding === 'absent';
  }
  return end === 'confirmed' && absent;
}

/** The result of a check. `busy`: the copy answers a request, so it was not unloaded. */
export type Finding = 'removed' | 'absent' | 'busy' | 'server-gone' | 'unknown';

/**
 * Asks whether the copy of an abandoned load is loaded, and unloads the copy unless it is in use.
 * `isAbandoned` is asked before the unload, because a new load may have made the copy meanwhile.
 */
export async function checkAbandoned(
  connection: Connection,
  { instanceIdentifier, deviceIdentifier }: UnconfirmedLoad,
  isAbandoned: () => boolean = () => true,
): Promise<Finding> {
  const newDeadline = () => new Deadline(connection.timers, CHECK_DEADLINE_MS, undefined);
  try {
    const probe = await probeGreeting(connection.address, { timeoutMs: CHECK_DEADLINE_MS });
    if (probe.outcome === 'refused') return (await isGone(connection)) ? 'server-gone' : 'unknown';
    if (probe.outcome !== 'lmstudio') return 'unknown';
    const residents = await listResidents(connection, newDeadline(), 'full');
    // The identifier was free when the load began, so a copy with this identifier is from the load.
    const ours = residents.find(
      (resident) =>
        resident.instanceIdentifier === instanceIdentifier &&
        resident.deviceIdentifier === deviceIdentifier,
    );
    if (ours === undefined || !isAbandoned()) return 'absent';
    const inUse = (ours.queued ?? 0) > 0 || (ours.activity !== null && ours.activity !== 'idle');
    if (inUse) return 'busy';
    await unloadResident(connection, ours, newDeadline());
    return 'removed';
  } catch {
    // LM Studio could not be asked. The caller reports the load as uncertain.
    return 'unknown';
  }
}

/**
 * Whether LM Studio has ended, and not only its API server. The app can run without the server, and
 * keeps its models loaded. Only the app of this machine can be asked, so the answer for another
 * machine is `false`.
 */
async function isGone({ address }: Connection): Promise<boolean> {
  if (!isLoopbackHost(address.host)) return false;
  return (await discover({ ports: APP_PORTS })).baseUrl === null;
}
