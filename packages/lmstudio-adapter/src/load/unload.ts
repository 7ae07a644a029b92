import { listResidents } from '../models/list-models.js';
import { suggest } from '../models/suggest.js';
import { type Connection, inCallersTerms, requireReachable } from '../wire/connection.js';
import { LMStudioError } from '../errors.js';
import type { ResidentInstance } from '../models/model-types.js';
import type { Budget } from '../wire/deadline.js';
import { isCallFault } from '../wire/call-fault.js';
import { unloadResident } from './clean-up-load.js';

/** Unloads one instance. */
export async function unload(
  connection: Connection,
  instanceIdentifier: string,
  budget: Budget,
): Promise<void> {
  await requireReachable(connection, budget);
  const residents = await listResidents(connection, budget, 'listing');
  const resident = residents.find((other) => other.instanceIdentifier === instanceIdentifier);
  if (resident === undefined) throw instanceNotFound(instanceIdentifier, residents);
  try {
    await unloadResident(connection, resident, budget);
  } catch (error) {
    if (isCallFault(error, 'answered')) {
      throw new LMStudioError(
        'INCOMPATIBLE',
        `LM Studio would not unload '${instanceIdentifier}': ${error.message} Try 'lms unload ${instanceIdentifier}'.`,
        { instanceIdentifier, serverMessage: error.message, cause: error },
      );
    }
    throw inCallersTerms(error, connection, `unload '${instanceIdentifier}'`, {
      instanceIdentifier,
      uncertain: true,
    });
  }
}

export function instanceNotFound(
  instanceIdentifier: string,
  residents: readonly ResidentInstance[],
): LMStudioError {
  const identifiers = residents.map((resident) => resident.instanceIdentifier);
  const suggestions = suggest(instanceIdentifier, identifiers);
  const loaded =
    identifiers.length === 0 ? 'Nothing is loaded.' : `Loaded: ${identifiers.join(', ')}.`;
  return new LMStudioError(
    'INSTANCE_NOT_FOUND',
    `No loaded model has the identifier '${instanceIdentifier}'. ${loaded}`,
    { instanceIdentifier, suggestions },
  );
}
