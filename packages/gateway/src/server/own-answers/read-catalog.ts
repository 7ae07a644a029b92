import type { LivePort } from '../../ports/live-port.js';
import type { ServingCatalog } from '../../ports/serving-port.js';
import { failureOfMachine } from '../../queue/failures/scheduling-failures.js';

/**
 * Reads the models of the machine for a request. If the machine cannot list them, that is a failure for the client, and not a bug of
 * the gateway.
 *
 * @throws SchedulingFailure, or the signal's reason
 */
export async function readCatalog(
  port: Pick<LivePort, 'catalog'>,
  signal?: AbortSignal,
): Promise<ServingCatalog> {
  try {
    return await port.catalog({ signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw failureOfMachine(error, null, null);
  }
}
