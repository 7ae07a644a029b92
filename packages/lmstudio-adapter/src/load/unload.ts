import { probeGreeting } from '../discovery/probe.js';
import { LMStudioError } from '../errors.js';
import { instanceNotFound } from '../models/find-model.js';
import { listResidents } from '../models/list-residents.js';
import type { ResidentInstance } from '../models/model-types.js';
import { isCallFault } from '../wire/call-fault.js';
import {
  asSentence,
  type Connection,
  requireReachable,
  toLMStudioError,
} from '../wire/connection.js';
import { delay } from '../timers.js';
import { Deadline } from '../wire/deadline.js';

/** Deadline of each question to LM Studio while a load is cleaned up or an unload is checked. */
export const CHECK_DEADLINE_MS = 2000;

/**
 * Unloads one instance.
 * @throws LMStudioError `INSTANCE_NOT_FOUND` with suggestions.
 */
export async function unload(
  connection: Connection,
  instanceIdentifier: string,
  deadline: Deadline,
): Promise<void> {
  await requireReachable(connection, deadline);
  const residents = await listResidents(connection, deadline, 'listing');
  const resident = residents.find((other) => other.instanceIdentifier === instanceIdentifier);
  if (resident === undefined) throw instanceNotFound(instanceIdentifier, residents);
  try {
    await unloadResident(connection, resident, deadline);
  } catch (error) {
    if (isCallFault(error, 'answered')) {
      throw new LMStudioError(
        'INCOMPATIBLE',
        `LM Studio refused to unload '${instanceIdentifier}': ${asSentence(error.message)} Try 'lms unload ${instanceIdentifier}'.`,
        { instanceIdentifier, serverMessage: error.message, cause: error },
      );
    }
    throw toLMStudioError(error, connection, `unload '${instanceIdentifier}'`, {
      instanceIdentifier,
      uncertain: true,
    });
  }
}

/**
 * Unloads one resident over a session of its own, and then asks whether LM Studio still lists the
 * resident. Resolves when LM Studio no longer lists the resident, even if the answer to the unload
 * was lost.
 */
export async function unloadResident(
  connection: Connection,
  resident: ResidentInstance,
  deadline: Deadline,
): Promise<void> {
  const { kind, instanceIdentifier, deviceIdentifier } = resident;
  try {
    await connection.pool.command((session) =>
      session.call(deadline.spec(kind, 'unloadModel'), (wire) =>
        wire.unloadModel(kind, instanceIdentifier, deviceIdentifier),
      ),
    );
  } catch (error) {
    if (isCallFault(error, 'unauthorized', 'closed')) throw error;
    if ((await presence(connection, resident)) === 'gone') return;
    throw error;
  }
  for (const waitMs of LISTED_WAITS_MS) {
    await delay(connection.timers, waitMs);
    // LM Studio has confirmed the unload, so the unload counts as done where the list cannot be read.
    if ((await presence(connection, resident)) !== 'listed') return;
  }
  throw new LMStudioError(
    'TIMED_OUT',
    `LM Studio reported that it unloaded '${instanceIdentifier}', but still lists it. Check with 'lms ps', and try again.`,
    { baseUrl: connection.address.webSocketUrl, instanceIdentifier, uncertain: true },
  );
}

/** Waits before each check after LM Studio has confirmed an unload. Together 2 s. */
const LISTED_WAITS_MS = [0, 100, 300, 600, 1000];

/** Whether LM Studio still lists an instance; `unknown`: LM Studio could not be asked. */
async function presence(
  connection: Connection,
  resident: ResidentInstance,
): Promise<'listed' | 'gone' | 'unknown'> {
  try {
    const probe = await probeGreeting(connection.address, { timeoutMs: CHECK_DEADLINE_MS });
    if (probe.outcome === 'refused') return 'unknown';
    connection.pool.renew();
    const deadline = new Deadline(connection.timers, CHECK_DEADLINE_MS, undefined);
    const residents = await listResidents(connection, deadline, 'listing');
    return residents.some((other) => isSameCopy(other, resident)) ? 'listed' : 'gone';
  } catch {
    return 'unknown';
  }
}

/**
 * Whether two entries are the same copy. A copy that was loaded again under the same identifier has
 * another reference.
 */
function isSameCopy(one: ResidentInstance, other: ResidentInstance): boolean {
  return (
    one.instanceIdentifier === other.instanceIdentifier &&
    (one.reference === null || other.reference === null || one.reference === other.reference)
  );
}
