import type {
  AutopilotEvent,
  AutopilotState,
  JournalState,
  LeasePlan,
  LeaseRequest,
} from '@mai/autopilot';
import type {
  AutopilotService,
  CallOptions,
  HandCalls,
  JournalAnswer,
  JournalCalls,
  LeaseFacts,
} from '../control/autopilot-service.js';
import { learnFromLoads } from '../learning/learn-from-loads.js';
import { parseParams } from '../control/server/parse-params.js';
import { isHostError } from '../host-error.js';
import type { HostParts } from '../host-parts.js';
import { contextOfCall } from '../session/session.js';
import { createAddressCache } from './addresses/address-cache.js';
import type { AutopilotFiles } from '../runtime/autopilot-files.js';
import { autopilotFilesOf, findAutopilotFiles } from '../runtime/autopilot-files.js';
import { openGivenContexts } from '../runtime/given-contexts.js';
import { timeLoads } from '../runtime/time-loads.js';
import { createHandLoads } from './hand-loads.js';
import { createJournalChanges } from './journal-changes.js';
import type { AutopilotRequest, AutopilotSession } from './open-autopilot.js';
import { createServiceAccess, repeatDuringHandover } from './service-access.js';

/** A promise that a resident model stays loaded until the release, with the address for OpenAI clients. */
export interface Lease extends AsyncDisposable, LeaseFacts {
  readonly modelKey: string;
  /** The model name that OpenAI clients send as `model`. */
  readonly instanceIdentifier: string;
  /** Base URL for OpenAI clients; ends in `/v1`. */
  readonly baseUrl: string;
  /** Headers for every request. They carry the runtime's token; empty without a token. */
  readonly requestHeaders: Readonly<Record<string, string>>;
  /** Fires when the lease ends without a release: the autopilot stopped, or its process ended. */
  readonly lost: AbortSignal;
  /** Releases the lease and unloads nothing. May be called more than once. */
  release(): Promise<void>;
}

/** Requirements for a leased model, and where it may come from. An absent field sets no condition. */
export type LeaseRequirement = Partial<LeaseRequest>;

/**
 * A host's access to the autopilot of its runtime. Any process may run this autopilot. Where no autopilot runs,
 * the journal keeps pins and yields for the next autopilot, and this process loads and unloads.
 */
export interface HostAutopilot extends JournalCalls, HandCalls, AsyncDisposable {
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
   * @throws HostError `NOTHING_FITS` with the selection, `MODEL_NOT_FOUND`, `SERVER_OFF`, `INVALID_REQUEST`;
   *   LMStudioError or LlamaRuntimeError where the runtime is off or does not answer in time
   */
  acquire(requirement?: LeaseRequirement, options?: CallOptions): Promise<Lease>;
  /** The running autopilot's decision for a request if it were made now; null where no autopilot runs. */
  plan(requirement?: LeaseRequirement, options?: CallOptions): Promise<LeasePlan | null>;
  /** The journal with its pins and yields. @throws AutopilotError `JOURNAL_UNUSABLE` */
  journal(options?: CallOptions): Promise<JournalState>;
  /** The state of the running autopilot; null where no autopilot runs. */
  state(options?: CallOptions): Promise<AutopilotState | null>;
  /** The events of the running autopilot from now on; null where no autopilot runs. */
  events(options?: CallOptions): Promise<AsyncIterable<AutopilotEvent> | null>;
}

/** For how long the files of the autopilot are used without a new search for LM Studio's address. */
const FILES_FRESH_MS = 5000;

/** Creates the object without connecting. */
export function createHostAutopilot(parts: HostParts): HostAutopilot {
  const { clock } = parts.context;
  const access = createServiceAccess(parts);
  const addresses = createAddressCache(parts.context);

  let lastFiles: { readonly files: AutopilotFiles; readonly atMs: number } | null = null;
  const filesOfCall = async ({ signal }: CallOptions): Promise<AutopilotFiles> => {
    if (lastFiles !== null && clock.monotonicMs() - lastFiles.atMs < FILES_FRESH_MS) {
      return lastFiles.files;
    }
    const files = await findAutopilotFiles(parts.runtime, contextOfCall(parts.context, signal));
    lastFiles = { files, atMs: clock.monotonicMs() };
    return files;
  };

  const findService = async (options: CallOptions): Promise<AutopilotService | null> =>
    access.find(await filesOfCall(options), options.signal);

  /** Changes the journal through the running autopilot. Where that fails, changes the file directly. */
  const changeJournal = async (
    options: CallOptions,
    change: (journal: JournalCalls) => Promise<JournalAnswer>,
  ): Promise<JournalAnswer> => {
    const files = await filesOfCall(options);
    try {
      const service = await access.find(files, options.signal);
      if (service !== null) return await change(service);
    } catch (error) {
      // The autopilot did not answer, so it is not known whether it has made the change. Make the change in the
      // file, which the autopilot also reads. Making the same change twice does no harm.
      if (!isHostError(error)) throw error;
    }
    return change(createJournalChanges(files, clock));
  };

  const handLoads = async (signal: AbortSignal | undefined): Promise<HandCalls> => {
    const context = contextOfCall(parts.context, signal);
    const link = await parts.runtime.active(context.signal);
    const { client } = link;
    const files = autopilotFilesOf(context, link);
    const service = await access.find(files, signal);
    if (service !== null) return service;
    const hand = createHandLoads({
      client: timeLoads(client, clock, async (...load) => (await parts.learner()).loaded(...load)),
      journal: createJournalChanges(files, clock),
      clock,
      contexts: openGivenContexts(context, link),
      leased: () => [],
      hold: () => () => undefined,
      leaving: () => undefined,
    });
    return {
      ...hand,
      load: (request, options) =>
        learnFromLoads(
          parts,
          client,
          context.signal,
          () => hand.load(request, options),
          ({ instance, reused }) => (reused ? [] : [instance]),
        ),
    };
  };

  const acquire = async (
    requirement: LeaseRequirement = {},
    options: CallOptions = {},
  ): Promise<Lease> => {
    const wanted = parseParams.leaseRequest(requirement);
    const context = contextOfCall(parts.context, options.signal);
    const { signal } = context;
    const link = await parts.runtime.active(signal);
    const addressOf = await addresses.of(link, signal);
    const files = autopilotFilesOf(context, link);
    const failed = [...wanted.failed];
    for (;;) {
      // A lost autopilot has given no lease, so it is safe to ask the next autopilot.
      const lease = await repeatDuringHandover(clock, signal, isLost, async () => {
        const service = await access.require(files, signal);
        return service.acquire({ ...wanted, failed }, { signal });
      });
      const { instanceIdentifier } = lease;
      const address = await addressOf(instanceIdentifier).catch(async (error: unknown) => {
        await lease.release();
        throw error;
      });
      if (address !== null) {
        return { ...lease, ...address, [Symbol.asyncDispose]: () => lease.release() };
      }
      // The resident has ended since the autopilot's last observation.
      await lease.release();
      failed.push(instanceIdentifier);
    }
  };

  return {
    open: (request) => access.open(request),
    acquire,
    plan: async (requirement = {}, options = {}) => {
      const wanted = parseParams.leaseRequest(requirement);
      const service = await findService(options);
      return service === null ? null : service.plan(wanted, options);
    },
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
      const service = await findService(options);
      return service === null ? null : service.state(options);
    },
    events: async (options = {}) => {
      const service = await findService(options);
      return service === null ? null : service.events(options);
    },
    [Symbol.asyncDispose]: () => access[Symbol.asyncDispose](),
  };
}

function isLost(error: unknown): boolean {
  return isHostError(error) && error.code === 'AUTOPILOT_LOST';
}
