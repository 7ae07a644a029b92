import type { Autopilot, AutopilotPorts, RunningLock, SelectionRequest } from '@mai/autopilot';
import {
  acquireRunningLock,
  createAutopilot,
  createDecisionLog,
  createFileJournal,
  createMemoryJournal,
  systemClock,
} from '@mai/autopilot';
import type { LMStudioClient } from '@mai/lmstudio-adapter';
import type { LoadedModelConfig } from '@mai/model-config';
import type { CommandContext } from '../context.js';
import type { AutopilotFiles } from './autopilot-files.js';
import { autopilotFilesOf } from './autopilot-files.js';
import { requireLMStudio } from './connect-lmstudio.js';
import { createHeaderShelf } from './knowledge.js';
import { openLiveCatalog } from './live-catalog.js';
import type { LiveConfig } from './live-config.js';
import { openLiveConfig } from './live-config.js';
import { createMachine, informMachine } from './machine.js';
import { composePorts } from './ports.js';
import { createProcessRules } from './process-rules.js';

/** How `mai watch` was asked to run. */
export interface AutopilotRequest {
  readonly selection: Pick<SelectionRequest, 'chain' | 'requirement'>;
  readonly dryRun: boolean;
  readonly intervalMs: number | null;
  /** An edited configuration is in force. */
  readonly onConfigApplied: (config: LoadedModelConfig) => void;
  /** A decision could not be written down. */
  readonly onLogError: (error: unknown) => void;
}

/** An autopilot that has not started, made of the real LM Studio, this machine and files of this user. */
export interface AutopilotSession extends AsyncDisposable {
  readonly autopilot: Autopilot;
  readonly client: LMStudioClient;
  readonly config: LiveConfig;
  readonly files: AutopilotFiles;
  /** Why it stopped by itself: another process has taken its place. Null while it has not. */
  readonly lostTo: () => Error | null;
}

/**
 * Composes the autopilot.
 * @throws LMStudioError, ModelConfigError, AutopilotError or UsageError where it could not even begin.
 */
export async function openAutopilotSession(
  context: CommandContext,
  request: AutopilotRequest,
): Promise<AutopilotSession> {
  const world = await openAutopilotPorts(context, request.onConfigApplied);
  try {
    return await compose(context, request, world);
  } catch (error) {
    await world[Symbol.asyncDispose]();
    throw error;
  }
}

/** Everything outside of this process that the autopilot deals with. */
export interface AutopilotWorld extends AsyncDisposable {
  readonly ports: AutopilotPorts;
  readonly client: LMStudioClient;
  readonly config: LiveConfig;
}

/** Opens LM Studio, this machine and the configuration. @throws LMStudioError or ModelConfigError */
export async function openAutopilotPorts(
  context: CommandContext,
  onApplied: (config: LoadedModelConfig) => void,
): Promise<AutopilotWorld> {
  const config = await openLiveConfig(context);
  const client = await requireLMStudio(context);
  const machine = createMachine(context);
  const shelf = createHeaderShelf(context);
  const close = async (): Promise<void> => {
    shelf.save();
    await machine[Symbol.asyncDispose]();
    await client.close();
  };
  try {
    await informMachine(machine, client, context.signal);
    const link = { kind: 'on', client } as const;
    const catalog = await openLiveCatalog({ link, config, shelf, context, onApplied });
    const ports = composePorts({
      link,
      monitor: machine,
      catalog: catalog.port,
      estimator: catalog.estimator,
    });
    return { ports, client, config, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function compose(
  context: CommandContext,
  { selection, dryRun, intervalMs, onLogError }: AutopilotRequest,
  { ports, client, config, ...world }: AutopilotWorld,
): Promise<AutopilotSession> {
  const { io, globals, signal } = context;
  // A chain that is not there is a mistake of the command line now, and a rejected edit later.
  await ports.catalog.read({ chain: selection.chain ?? null, signal });

  const files = autopilotFilesOf(context, client.baseUrl);
  const journal = createFileJournal(files.journal, systemClock);
  // A journal that is none ends it now; later it would be one more trouble that may pass.
  const noted = await journal.read({ signal });
  let lock: RunningLock | null = null;
  const switching = () => config.current.config.switching;
  const autopilot = createAutopilot({
    ...ports,
    dryRun,
    // A dry run leaves nothing behind: no claim, no record, and no word to those who ask for an answer.
    journal: dryRun ? createMemoryJournal(noted) : journal,
    lock: dryRun
      ? null
      : async () => (lock = await acquireRunningLock(files.folder, files.address, systemClock)),
    decisionLog: dryRun
      ? null
      : createDecisionLog({ file: files.decisionLog, onError: onLogError }),
    rules: createProcessRules(() => config.current.config.rules, io),
    get request() {
      return { ...selection, pinned: config.current.config.pins };
    },
    get idle() {
      return switching().idle;
    },
    get timings() {
      return {
        drainDeadlineMs: switching().drainDeadlineMs,
        loadTimeoutMs: globals.timeoutMs,
        ...(intervalMs === null ? {} : { observeIntervalMs: intervalMs }),
      };
    },
  });
  return {
    autopilot,
    client,
    config,
    files,
    lostTo: () => (lock?.lost.aborted === true ? (lock.lost.reason as Error) : null),
    [Symbol.asyncDispose]: async () => {
      await autopilot.stop();
      await world[Symbol.asyncDispose]();
    },
  };
}
