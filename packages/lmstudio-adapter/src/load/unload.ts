import { probeGreeting } from '../discovery/probe.js';
import { LMStudioError } from '../errors.js';
import { instanceNotFound } from '../models/find-model.js';
import { listResidents } from '../models/list-models.js';
import type { ResidentInstance } from '../models/model-types.js';
import { isCallFault } from '../wire/call-fault.js';
import {
  asSentence,
  type Connection,
  requireReachable,
  toLMStudioError,
} from '../wire/connection.js';
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
 * Unloads one resident over a session of its own. If no answer comes, asks over a new connection
 * whether the resident is gone, and then succeeds.
 */
export async function unloadResident(
  connection: Connection,
  resident: Pick<ResidentInstance, 'kind' | 'instanceIdentifier' | 'deviceIdentifier'>,
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
    if (await isGone(connection, instanceIdentifier)) return;
    throw error;
  }
}

/** Whether LM Studio answers and no longer lists the instance. */
async function isGone(connection: Connection, identifier: string): Promise<boolean> {
  try {
    const probe = await probeGreeting(connection.address, { timeoutMs: CHECK_DEADLINE_MS });
    if (probe.outcome === 'refused') return false;
    connection.pool.renew();
    const deadline = new Deadline(connection.timers, CHECK_DEADLINE_MS, undefined);
    const residents = await listResidents(connection, deadline, 'listing');
    return residents.every(({ instanceIdentifier }) => instanceIdentifier !== identifier);
  } catch {
    // LM Studio could not be asked, so the unload counts as failed.
    return false;
  }
}
