import { isFleetError } from '../../fleet-error.js';
import { ensureNatsServer } from './ensure-nats-server.js';

export interface StartedServer {
  /** Null where it was not started. */
  readonly pid: number | null;
  /** Why it could not be started; null where it was started, or where nobody wanted it to be. `mai serve --fleet` tries again. */
  readonly fault: string | null;
}

/** Starts the nats-server of a host that has just joined. */
export async function startServer(
  folder: string,
  { start = true, signal }: { readonly start?: boolean; readonly signal?: AbortSignal },
): Promise<StartedServer> {
  try {
    return {
      pid: start
        ? await ensureNatsServer({ folder, ...(signal === undefined ? {} : { signal }) })
        : null,
      fault: null,
    };
  } catch (error) {
    // The host has joined all the same.
    if (isFleetError(error)) return { pid: null, fault: error.message };
    throw error;
  }
}
