import type { AutopilotEvent, AutopilotState, JournalState, Yield } from '@mai/autopilot';
import { isAutopilotError } from '@mai/autopilot';
import type { Requirement } from '@mai/selector';
import type {
  AutopilotService,
  CallOptions,
  HandLoad,
  HandLoaded,
  HandLoadOptions,
  HandUnload,
  HandUnloaded,
  JournalAnswer,
} from '../control/autopilot-service.js';
import type { ControlClient } from '../control/client/control-client.js';
import { connectControl } from '../control/client/connect-control.js';
import { parseParams } from '../control/server/parse-params.js';
import { isHostError } from '../host-error.js';
import type { HostParts } from '../host-parts.js';
import { orAborted } from '../or-aborted.js';
import { contextOfCall } from '../session.js';
import type { AutopilotFiles } from './autopilot-files.js';
import { autopilotFilesOf, findAutopilotFiles } from './autopilot-files.js';
import { createHandLoads } from './hand-loads.js';
import { createJournalChanges, type JournalChanges } from './journal-changes.js';
import type { AutopilotRequest, AutopilotSession } from './open-autopilot.js';
import { openAutopilot } from './open-autopilot.js';
import { findOpenAiAddress } from './openai-address.js';

/** A promise that a resident model stays loaded until the release, with the address for OpenAI clients. */
export interface Lease extends AsyncDisposable {
  readonly modelKey: string;
  /** The model name that OpenAI clients send as `model`. */
  readonly instanceIdentifier: string;
  /** Base URL for OpenAI clients; ends in `/v1`. */
  readonly baseUrl: string;
  /** Headers for every request. They carry LM Studio's token; empty without a token. */
  readonly requestHeaders: Readonly<Record<string, string>>;
  /** Fires when the lease ends without a release: the autopilot stopped, or its process ended. */
  readonly lost: AbortSignal;
  /** Releases the lease and unloads nothing. May be called more than once. */
  release(): Promise<void>;
}

/** Requirements for a leased model. An absent field sets no condition. */
export type LeaseRequirement = Partial<Requirement>;

/** A host's access to the autopilot of its runtime, which any process may run. */
export interface HostAutopilot extends AsyncDisposable {
  /**
   * Creates an autopilot in this process without starting it. The autopilot ends with the host.
   *
   * @throws as `openAutopilot`
   */
  open(request?: AutopilotRequest): Promise<AutopilotSession>;
  /**
   * A lease on a resident model that meets the requirement. The running autopilot gives the lease. Where
   * no autopilot runs, this process runs one until the host is disposed. Disposing unloads no model.
   *
   * @throws HostError `NOTHING_FITS` with the selection, `SERVER_OFF`, `INVALID_REQUEST`; LMStudioError where LM Studio is off
   */
  acquire(requirement?: LeaseRequirement, options?: CallOptions): Promise<Lease>;
  /** The journal with its pins and yields. @throws AutopilotError `JOURNAL_UNUSABLE` */
  journal(options?: CallOptions): Promise<JournalState>;
  /**
   * Pins a model key or an instance identifier. Where no autopilot runs, the next autopilot obeys the
   * pin.
   */
  pin(target: string, options?: CallOptions): Promise<JournalAnswer>;
  unpin(targets: readonly string[], options?: CallOptions): Promise<JournalAnswer>;
  /** Keeps memory free for others. Where no autopilot runs, the next autopilot obeys the yield. */
  yieldMemory(request: Yield, options?: CallOptions): Promise<JournalAnswer>;
  endYield(names: readonly string[], options?: CallOptions): Promise<JournalAnswer>;
  /** Loads by hand, in the autopilot's process, or in this process where no autopilot runs. */
  load(request: HandLoad, options?: HandLoadOptions): Promise<HandLoaded>;
  /** Unloads by hand, in the autopilot's process, or in this process where no autopilot runs. */
  unload(request: HandUnload, options?: CallOptions): Promise<HandUnloaded>;
  /** The state of the running autopilot; null where no autopilot runs. */
  state(options?: CallOptions): Promise<AutopilotState | null>;
  /** The events of the running autopilot from now on; null where no autopilot runs. */
  events(options?: CallOptions): Promise<AsyncIterable<AutopilotEvent> | null>;
}

/**
 * Maximum wait of a call until another process runs the autopilot. A process that stops keeps the lock until it
 * has unloaded its models. A process that starts needs a moment until it listens.
 */
const HANDOVER_WITHIN_MS = 15_000;
const HANDOVER_POLL_MS = 50;

/** Creates the object without connecting. */
export function createHostAutopilot(parts: HostParts): HostAutopilot {
  const { clock } = parts.context;
  /** The current connection to the autopilot of each LM Studio, by address. */
  const clients = new Map<string, ControlClient>();
  /** All connections, also those to autopilots that have stopped. */
  const connections: ControlClient[] = [];
  const connecting = new Map<string, Promise<ControlClient | null>>();
  const sessions = new Set<AutopilotSession>();
  let becoming: Promise<AutopilotService> | null = null;
  const disposed = new AbortController();
  /** Cancels work that several calls share, which no single call may cancel. */
  const ending = AbortSignal.any([parts.context.signal, disposed.signal]);

  const filesOfCall = ({ signal }: CallOptions): Promise<AutopilotFiles> =>
    findAutopilotFiles(contextOfCall(parts.context, signal));

  /**
   * The service of the running autopilot; null where no process listens.
   */
  const findService = async (
    files: AutopilotFiles,
    signal: AbortSignal | undefined,
  ): Promise<AutopilotService | null> => {
    const own = [...sessions].find(
      (session) => session.running && session.files.address === files.address,
    );
    if (own !== undefined) return own.service;
    const known = clients.get(files.address);
    if (known !== undefined && !known.lost.aborted) return known;
    // Concurrent calls share one attempt to connect. Each stops waiting when its own signal fires.
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

  const open = async (request: AutopilotRequest = {}): Promise<AutopilotSession> => {
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
    const session = await open({ unloadAtStop: false });
    const startedMs = clock.monotonicMs();
    for (;;) {
      try {
        await session.start();
        return session.service;
      } catch (error) {
        if (!isAutopilotError(error) || error.code !== 'ALREADY_RUNNING') throw error;
        const service = await findService(files, ending);
        if (service !== null) {
          sessions.delete(session);
          return service;
        }
        // The process with the lock does not listen yet, or is stopping and will release the
        // lock.
        if (clock.monotonicMs() - startedMs > HANDOVER_WITHIN_MS) throw error;
        await clock.sleep(HANDOVER_POLL_MS, { signal: ending });
      }
    }
  };

  const requireService = async (
    files: AutopilotFiles,
    signal: AbortSignal,
  ): Promise<AutopilotService> => {
    const found = await findService(files, signal);
    if (found !== null) return found;
    // Concurrent calls share one start. Each stops waiting when its own signal fires.
    becoming ??= become(files).finally(() => (becoming = null));
    return orAborted(becoming, signal);
  };

  /** Changes the journal through the running autopilot. Where that fails, changes the file directly. */
  const changeJournal = async (
    options: CallOptions,
    change: (journal: Omit<JournalChanges, 'read' | 'change'>) => Promise<JournalAnswer>,
  ): Promise<JournalAnswer> => {
    const files = await filesOfCall(options);
    try {
      const service = await findService(files, options.signal);
      if (service !== null) return await change(service);
    } catch (error) {
      // The autopilot did not answer, and may have made the change or not. Change the file, which the
      // autopilot also reads. A second identical change has no effect.
      if (!isHostError(error)) throw error;
    }
    return change(createJournalChanges(files, clock));
  };

  const handLoads = async (
    signal: AbortSignal | undefined,
  ): Promise<Pick<AutopilotService, 'load' | 'unload'>> => {
    const context = contextOfCall(parts.context, signal);
    const client = await parts.runtime.client(context.signal);
    const files = autopilotFilesOf(context, client.baseUrl);
    return (
      (await findService(files, signal)) ??
      createHandLoads({
        client: () => Promise.resolve(client),
        journal: createJournalChanges(files, clock),
        clock,
        leased: () => [],
        hold: () => () => undefined,
      })
    );
  };

  const acquire = async (
    requirement: LeaseRequirement = {},
    options: CallOptions = {},
  ): Promise<Lease> => {
    const wanted = parseParams.requirement({ ...NO_REQUIREMENT, ...requirement });
    const context = contextOfCall(parts.context, options.signal);
    const { signal } = context;
    const client = await parts.runtime.client(signal);
    const address = await findOpenAiAddress(context, client, signal);
    const files = autopilotFilesOf(context, client.baseUrl);
    const startedMs = clock.monotonicMs();
    for (;;) {
      try {
        const service = await requireService(files, signal);
        const lease = await service.acquire(wanted, { signal });
        return { ...lease, ...address, [Symbol.asyncDispose]: () => lease.release() };
      } catch (error) {
        // The lost autopilot has given no lease, so the next one may be asked.
        if (!isLost(error) || clock.monotonicMs() - startedMs > HANDOVER_WITHIN_MS) throw error;
        await clock.sleep(HANDOVER_POLL_MS, { signal });
      }
    }
  };

  return {
    open,
    acquire,
    journal: async (options = {}) =>
      createJournalChanges(await filesOfCall(options), clock).read(options),
    pin: (target, options = {}) => changeJournal(options, (to) => to.pin(target, options)),
    unpin: (targets, options = {}) => changeJournal(options, (to) => to.unpin(targets, options)),
    yieldMemory: (request, options = {}) =>
      changeJournal(options, (to) => to.yieldMemory(request, options)),
    endYield: (names, options = {}) => changeJournal(options, (to) => to.endYield(names, options)),
    load: async (request, options = {}) => (await handLoads(options.signal)).load(request, options),
    unload: async (request, options = {}) =>
      (await handLoads(options.signal)).unload(request, options),
    state: async (options = {}) => {
      const service = await findService(await filesOfCall(options), options.signal);
      return service === null ? null : service.state(options);
    },
    events: async (options = {}) => {
      const service = await findService(await filesOfCall(options), options.signal);
      return service === null ? null : service.events(options);
    },
    [Symbol.asyncDispose]: async () => {
      disposed.abort(new DOMException('The host was closed.', 'AbortError'));
      await becoming?.catch(() => undefined);
      await Promise.all([...connecting.values()].map((one) => one.catch(() => undefined)));
      await Promise.all([...sessions].map((session) => session.stop()));
      await Promise.all(connections.map((client) => client.close()));
    },
  };
}

const NO_REQUIREMENT: Requirement = {
  capabilities: [],
  minContextLengthTokens: null,
  tiers: null,
};

function isLost(error: unknown): boolean {
  return isHostError(error) && error.code === 'AUTOPILOT_LOST';
}
