import { isAutopilotError, type Clock } from '@mai/autopilot';
import type { AutopilotService } from '../control/autopilot-service.js';
import type { ControlClient } from '../control/client/control-client.js';
import { connectControl } from '../control/client/connect-control.js';
import { endAll } from '../promises/end-all.js';
import type { HostParts } from '../host-parts.js';
import { orAborted } from '../promises/or-aborted.js';
import type { AutopilotFiles } from '../runtime/autopilot-files.js';
import type { AutopilotRequest, AutopilotSession } from './open-autopilot.js';
import { openAutopilot } from './open-autopilot.js';

/** The autopilots of this process, and the connections to those of other processes. */
export interface ServiceAccess extends AsyncDisposable {
  /** Creates an autopilot in this process without starting it. @throws as `openAutopilot` */
  open(request?: AutopilotRequest): Promise<AutopilotSession>;
  /** The service of the running autopilot; null where no process listens. */
  find(files: AutopilotFiles, signal: AbortSignal | undefined): Promise<AutopilotService | null>;
  /** The service of the running autopilot. Where no autopilot runs, runs one in this process. */
  require(files: AutopilotFiles, signal: AbortSignal): Promise<AutopilotService>;
}

/** Creates the object without connecting. */
export function createServiceAccess(parts: HostParts): ServiceAccess {
  const { clock } = parts.context;
  /** The current connection to the autopilot of each LM Studio, by address. */
  const clients = new Map<string, ControlClient>();
  /** All connections, also those to autopilots that have stopped. */
  const connections: ControlClient[] = [];
  const connecting = new Map<string, Promise<ControlClient | null>>();
  const sessions = new Set<AutopilotSession>();
  let becoming: Promise<AutopilotService> | null = null;
  const disposed = new AbortController();
  /** Cancels work that several calls share. No single call may cancel this work. */
  const ending = AbortSignal.any([parts.context.signal, disposed.signal]);

  const find: ServiceAccess['find'] = async (files, signal) => {
    const own = [...sessions].find(
      (session) => session.running && session.files.address === files.address,
    );
    if (own !== undefined) return own.service;
    const known = clients.get(files.address);
    if (known !== undefined && !known.lost.aborted) return known;
    // Concurrent calls share one attempt to connect. Each call stops waiting when its own signal fires.
    let attempt = connecting.get(files.address);
    if (attempt === undefined) {
      attempt = connectTo(files).finally(() => connecting.delete(files.address));
      connecting.set(files.address, attempt);
    }
    return orAborted(attempt, signal ?? parts.context.signal);
  };

  const connectTo = async (files: AutopilotFiles): Promise<ControlClient | null> => {
    const client = await connectControl({ path: files.control, signal: ending });
    if (client !== null) {
      clients.set(files.address, client);
      connections.push(client);
    }
    return client;
  };

  const open: ServiceAccess['open'] = async (request = {}) => {
    disposed.signal.throwIfAborted();
    const session = await openAutopilot(parts, request);
    if (disposed.signal.aborted) await session.stop();
    disposed.signal.throwIfAborted();
    sessions.add(session);
    return session;
  };

  /**
   * Runs an autopilot in this process. Where another process has the lock, returns that process's
   * autopilot.
   */
  const become = async (files: AutopilotFiles): Promise<AutopilotService> => {
    // This process has somebody who asks. So a request for one model does not load the best model of the chain, too.
    const session = await open({ unloadAtStop: false, onlyForCallers: true });
    // If no process listens, the process with the lock is starting, or is stopping and will release the lock.
    return repeatDuringHandover(clock, ending, isAlreadyRunning, async () => {
      try {
        await session.start();
        return session.service;
      } catch (error) {
        const service = isAlreadyRunning(error) ? await find(files, ending) : null;
        if (service === null) throw error;
        sessions.delete(session);
        return service;
      }
    });
  };

  return {
    open,
    find,
    require: async (files, signal) => {
      const found = await find(files, signal);
      if (found !== null) return found;
      // Concurrent calls share one start. Each call stops waiting when its own signal fires.
      becoming ??= become(files).finally(() => (becoming = null));
      return orAborted(becoming, signal);
    },
    [Symbol.asyncDispose]: async () => {
      disposed.abort(new DOMException('The host was closed.', 'AbortError'));
      await becoming?.catch(() => undefined);
      await Promise.all([...connecting.values()].map((one) => one.catch(() => undefined)));
      await endAll([
        () => Promise.all([...sessions].map((session) => session.stop())),
        () => Promise.all(connections.map((client) => client.close())),
      ]);
    },
  };
}

/**
 * Maximum wait of a call until another process runs the autopilot. A process that stops keeps the lock until it
 * has unloaded its models. A process that starts needs a moment until it listens.
 */
const HANDOVER_WITHIN_MS = 15_000;
const HANDOVER_POLL_MS = 50;

/** Repeats `attempt` while it fails with an error for which `isHandover` is true, for 15 s at most. */
export async function repeatDuringHandover<Result>(
  clock: Clock,
  signal: AbortSignal,
  isHandover: (error: unknown) => boolean,
  attempt: () => Promise<Result>,
): Promise<Result> {
  const startedMs = clock.monotonicMs();
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isHandover(error) || clock.monotonicMs() - startedMs > HANDOVER_WITHIN_MS) throw error;
      await clock.sleep(HANDOVER_POLL_MS, { signal });
    }
  }
}

function isAlreadyRunning(error: unknown): boolean {
  return isAutopilotError(error) && error.code === 'ALREADY_RUNNING';
}
