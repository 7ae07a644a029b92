import type { Autopilot, RunningLock, SelectionRequest } from '@mai/autopilot';
import {
  acquireRunningLock,
  createAutopilot,
  createDecisionLog,
  createFileJournal,
  createMemoryJournal,
} from '@mai/autopilot';
import type { LoadedModelConfig } from '@mai/model-config';
import type { AutopilotService } from '../control/autopilot-service.js';
import type { ControlServer } from '../control/server/serve-control.js';
import { serveControl } from '../control/server/serve-control.js';
import type { HostParts } from '../host-parts.js';
import { createProcessRules } from '../processes/process-rules.js';
import type { ActiveLink } from '../runtime/connect-runtime.js';
import type { AutopilotFiles } from '../runtime/autopilot-files.js';
import { autopilotFilesOf } from '../runtime/autopilot-files.js';
import { timeLoads } from '../runtime/time-loads.js';
import { createHandLoads } from './hand-loads.js';
import { createJournalChanges } from './journal-changes.js';
import { joinAutopilotPorts } from './join-ports.js';
import type { LiveConfig } from './live/live-config.js';
import { createLocalService } from './local-service.js';
import { messageOf } from '../guards.js';

/** Options of an autopilot. */
export interface AutopilotRequest {
  /** Fallback chain and requirement. Default: the configuration's default chain without a requirement. */
  readonly selection?: Pick<SelectionRequest, 'chain' | 'requirement'> | undefined;
  /**
   * Whether to decide only. A dry run loads and unloads nothing, takes no lock, writes no file and opens no
   * socket. Default false.
   */
  readonly dryRun?: boolean | undefined;
  /** Milliseconds between two rounds. Null, the default: the autopilot's own interval. */
  readonly intervalMs?: number | null | undefined;
  /** Whether stopping unloads the models that Mai has loaded. Default true. */
  readonly unloadAtStop?: boolean | undefined;
  /** Whether the autopilot loads nothing for itself until a caller asks for any model of its chain. Default false. */
  readonly onlyForCallers?: boolean | undefined;
  /** Called after an edited configuration has come into force. */
  readonly onConfigApplied?: ((config: LoadedModelConfig) => void) | undefined;
  /** Called when a decision could not be written to the log. Default: the host's `warn`. */
  readonly onLogError?: ((error: unknown) => void) | undefined;
}

/** An autopilot in this process, joined to its runtime, this machine and this user's files. */
export interface AutopilotSession extends AsyncDisposable {
  readonly autopilot: Pick<Autopilot, 'events' | 'state'>;
  readonly link: ActiveLink;
  readonly config: LiveConfig;
  readonly files: AutopilotFiles;
  /** The service that other processes reach over the control socket. */
  readonly service: AutopilotService;
  /** Whether `service` accepts calls: the autopilot has started, has not stopped, and is not a dry run. */
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
   * Set when another process has taken the lock, which stops this autopilot; otherwise null.
   */
  readonly lostTo: () => Error | null;
}

/**
 * Creates an autopilot without starting it.
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
  const { onlyForCallers = false } = request;
  const onApplied = request.onConfigApplied ?? (() => undefined);
  const { ports, link, config, contexts } = await joinAutopilotPorts(parts, onApplied);
  // Throws where the chain does not exist. While the autopilot runs, an edit that removes the chain is
  // rejected instead.
  await ports.catalog.read({ chain: selection.chain ?? null, signal });

  const files = autopilotFilesOf(context, link);
  const journal = createFileJournal(files.journal, clock);
  // Throws where the file is not a journal. While the autopilot runs, a damaged journal is a fault,
  // and the loop tries again.
  const noted = await journal.read({ signal });
  const changes = createJournalChanges(files, clock);
  const warnAbout = (what: string) => (error: unknown) => warn(`${what}: ${messageOf(error)}`);
  const held = createHeldIdentifiers();
  let lock: RunningLock | null = null;
  const switching = () => config.current.config.switching;
  const autopilot = createAutopilot({
    ...ports,
    dryRun,
    unloadAtStop,
    onlyForCallers,
    // A dry run writes no file. So it reads the journal once, and does not confirm what it has read.
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
    client: timeLoads(link.client, clock, async (...load) =>
      (await parts.learner()).loaded(...load),
    ),
    journal: changes,
    clock,
    contexts,
    leased: () => autopilot.state.leased,
    hold: (identifiers) => held.add(identifiers),
    leaving: (identifiers) => autopilot.leaving(identifiers),
  });
  const local = createLocalService({ autopilot, journal: changes, hand });
  let server: ControlServer | null = null;
  let listening: Promise<void> | null = null;

  const takeLock = async (): Promise<RunningLock> => {
    const name = link.runtime === 'embedded' ? 'the embedded engine' : files.address;
    lock = await acquireRunningLock(files.folder, files.address, clock, name, signal);
    lock.lost.addEventListener(
      'abort',
      () => void stop().catch(warnAbout('The autopilot did not stop cleanly')),
      { once: true },
    );
    return lock;
  };
  const listen = async (): Promise<void> => {
    try {
      const { modelFolders } = parts.context;
      server = await serveControl(local.service, { path: files.control, modelFolders });
    } catch (error) {
      // Only a warning, because the autopilot works without the socket and reads the journal.
      warnAbout('Other programs cannot lease models from this autopilot')(error);
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
        // Close the socket last, so that clients receive the events of the stop.
        await server?.close();
      }
    }
  };
  return {
    autopilot,
    link,
    config,
    files,
    service: local.service,
    get running() {
      const { status } = autopilot.state;
      return !dryRun && !local.ended && (status === 'running' || status === 'switching');
    },
    start: async () => {
      await autopilot.start();
      // A socket that is opened after the stop would never be closed.
      if (!dryRun && !local.ended) await (listening ??= listen());
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
 * Identifiers of instances that are being loaded by hand. They count as pinned until the journal has
 * their pins.
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
