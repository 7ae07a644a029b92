import type { Autopilot, RunningLock, SelectionRequest } from '@mai/autopilot';
import {
  acquireRunningLock,
  createAutopilot,
  createDecisionLog,
  createFileJournal,
  createMemoryJournal,
} from '@mai/autopilot';
import type { LMStudioClient } from '@mai/lmstudio-adapter';
import type { LoadedModelConfig } from '@mai/model-config';
import type { AutopilotService } from '../control/autopilot-service.js';
import type { ControlServer } from '../control/server/serve-control.js';
import { serveControl } from '../control/server/serve-control.js';
import type { HostParts } from '../host-parts.js';
import { createProcessRules } from '../processes/process-rules.js';
import type { AutopilotFiles } from './autopilot-files.js';
import { autopilotFilesOf } from './autopilot-files.js';
import { createHandLoads } from './hand-loads.js';
import { createJournalChanges } from './journal-changes.js';
import { joinAutopilotPorts } from './join-ports.js';
import type { LiveConfig } from './live-config.js';
import { createLocalService } from './local-service.js';

/** How an autopilot runs. */
export interface AutopilotRequest {
  /** Fallback chain and requirement; the configuration's default chain unless given. */
  readonly selection?: Pick<SelectionRequest, 'chain' | 'requirement'> | undefined;
  /** Only decide: load and unload nothing, take no lock, write no file and open no socket. Default false. */
  readonly dryRun?: boolean | undefined;
  /** Milliseconds between two rounds; the autopilot's own default unless given. */
  readonly intervalMs?: number | null | undefined;
  /** Whether stopping unloads what Mai has loaded. Default true. */
  readonly unloadAtStop?: boolean | undefined;
  /** Called when an edited configuration is in force. */
  readonly onConfigApplied?: ((config: LoadedModelConfig) => void) | undefined;
  /** Called when a decision could not be written down. Default: the host's `warn`. */
  readonly onLogError?: ((error: unknown) => void) | undefined;
}

/** An autopilot in this process, joined to LM Studio, this machine and this user's files. */
export interface AutopilotSession extends AsyncDisposable {
  readonly autopilot: Pick<Autopilot, 'events' | 'state'>;
  readonly client: LMStudioClient;
  readonly config: LiveConfig;
  readonly files: AutopilotFiles;
  /** The service that other processes reach over the control socket. */
  readonly service: AutopilotService;
  /** Whether `service` can be used: started, not a dry run, and not stopped. */
  readonly running: boolean;
  /**
   * Takes the running lock, starts the rounds, and listens on the control socket.
   *
   * @throws AutopilotError `ALREADY_RUNNING` where another autopilot has the lock
   */
  start(): Promise<void>;
  /** Ends the leases, the autopilot and the control socket, in this order. May be called more than once. */
  stop(): Promise<void>;
  /**
   * The error where another process took the lock and so stopped this autopilot; otherwise null.
   */
  readonly lostTo: () => Error | null;
}

/**
 * Joins an autopilot that has not started.
 *
 * @throws LMStudioError, ModelConfigError, AutopilotError `JOURNAL_UNUSABLE`, or HostError `INVALID_REQUEST` where the
 *   chain does not exist
 */
export async function openAutopilot(
  parts: HostParts,
  request: AutopilotRequest = {},
): Promise<AutopilotSession> {
  const { context } = parts;
  const { clock, signal, timeoutMs, warn } = context;
  const { dryRun = false, selection = {}, intervalMs = null, unloadAtStop = true } = request;
  const onApplied = request.onConfigApplied ?? (() => undefined);
  const { ports, client, config } = await joinAutopilotPorts(parts, onApplied);
  // Throws where the chain does not exist. Once the autopilot runs, only an edit that removes the
  // chain is rejected.
  await ports.catalog.read({ chain: selection.chain ?? null, signal });

  const files = autopilotFilesOf(context, client.baseUrl);
  const journal = createFileJournal(files.journal, clock);
  // Throws where the file is not a journal. Once the autopilot runs, this is a fault, and the
  // loop tries again.
  const noted = await journal.read({ signal });
  const changes = createJournalChanges(files, clock);
  const warnAbout = (what: string) => (error: unknown) =>
    warn(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  const held = createHeldIdentifiers();
  let lock: RunningLock | null = null;
  const switching = () => config.current.config.switching;
  const autopilot = createAutopilot({
    ...ports,
    dryRun,
    unloadAtStop,
    // A dry run writes no file, so it does not confirm in the journal which changes it has read.
    journal: dryRun ? createMemoryJournal(noted) : journal,
    lock: dryRun ? null : async () => takeLock(),
    decisionLog: dryRun
      ? null
      : createDecisionLog({
          file: files.decisionLog,
          onError:
            request.onLogError ??
            warnAbout(`A decision could not be written to ${files.decisionLog}`),
        }),
    rules: createProcessRules(() => config.current.config.rules, {
      platform: context.platform,
      clock,
    }),
    get request() {
      return { ...selection, pinned: [...config.current.config.pins, ...held.identifiers()] };
    },
    get idle() {
      return switching().idle;
    },
    get timings() {
      return {
        drainDeadlineMs: switching().drainDeadlineMs,
        loadTimeoutMs: timeoutMs,
        ...(intervalMs === null ? {} : { observeIntervalMs: intervalMs }),
      };
    },
  });
  const hand = createHandLoads({
    client: () => Promise.resolve(client),
    journal: changes,
    clock,
    leased: () => autopilot.state.leased,
    hold: (identifiers) => held.add(identifiers),
  });
  const local = createLocalService({ autopilot, journal: changes, hand });
  let server: ControlServer | null = null;
  let listening: Promise<void> | null = null;

  const takeLock = async (): Promise<RunningLock> => {
    lock = await acquireRunningLock(files.folder, files.address, clock);
    lock.lost.addEventListener(
      'abort',
      () => void stop().catch(warnAbout('The autopilot did not stop cleanly')),
      { once: true },
    );
    return lock;
  };
  const listen = async (): Promise<void> => {
    try {
      server = await serveControl(local.service, { path: files.control });
    } catch (error) {
      // Not fatal: the autopilot works without the socket, and still reads the journal.
      warnAbout("Other programs can't lease models from this autopilot")(error);
    }
  };
  const stop = async (): Promise<void> => {
    local.end();
    await listening;
    try {
      await server?.announceStop();
    } finally {
      try {
        await autopilot.stop();
      } finally {
        // Last step, so that clients still get the events of the stop.
        await server?.close();
      }
    }
  };
  return {
    autopilot,
    client,
    config,
    files,
    service: local.service,
    get running() {
      const { status } = autopilot.state;
      return !dryRun && !local.ended && (status === 'running' || status === 'switching');
    },
    start: async () => {
      await autopilot.start();
      if (!dryRun) await (listening ??= listen());
    },
    stop,
    lostTo: () => {
      const reason: unknown = lock?.lost.reason;
      return reason instanceof Error ? reason : null;
    },
    [Symbol.asyncDispose]: stop,
  };
}

/**
 * Identifiers of instances that are being loaded by hand. They count as pinned before the journal
 * has their pins.
 */
function createHeldIdentifiers() {
  const held = new Map<symbol, readonly string[]>();
  return {
    identifiers: (): readonly string[] => [...held.values()].flat(),
    add: (identifiers: readonly string[]): (() => void) => {
      const key = Symbol('load by hand');
      held.set(key, identifiers);
      return () => held.delete(key);
    },
  };
}
