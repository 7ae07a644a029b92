import type { Requirement } from '@mai/selector';
import type { SelectionRequest } from './request/selection-request.js';
import type { DecisionSink } from './decision-log/decision-record.js';
import type { BackOffPolicy } from './failures/back-off.js';
import type { BreakerPolicy } from './failures/breaker.js';
import { createMemoryJournal, type JournalPort } from './journal/journal-port.js';
import { EMPTY_JOURNAL } from './journal/journal-state.js';
import { isProcessAlive } from './journal/is-process-alive.js';
import type { RunningLock } from './journal/running-lock.js';
import type { AutopilotPorts } from './ports/autopilot-ports.js';
import type { CallOptions } from './ports/call-options.js';

/** Intervals and deadlines in milliseconds. */
export interface AutopilotTimings {
  /** Between two rounds of the loop, and between two memory readings during a switch. Default 1 s. */
  readonly observeIntervalMs: number;
  /** How long a switch waits for a busy instance before the switch is put off. Default 30 s. */
  readonly drainDeadlineMs: number;
  /**
   * How long a busy instance may go on while a pool is over its hard limit. Then it is unloaded. Default
   * 30 s.
   */
  readonly emergencyDrainMs: number;
  /**
   * How long a busy instance may go on once memory has run out: more than 99 % of a pool is in use, or more
   * than 98 % and use is growing. Then it is unloaded. Default 1 s.
   */
  readonly criticalDrainMs: number;
  /** Poll interval of a drain. Default 250 ms. */
  readonly drainPollMs: number;
  /** Deadline of one load. Default null: the runtime's own deadline. */
  readonly loadTimeoutMs: number | null;
  /** How long `stop` waits for our busy instances. Default 5 s. */
  readonly stopDrainMs: number;
  /**
   * For how long a resident is retained after its last lease: the autopilot's own decisions unload it only
   * where its memory is needed. Default 5 min.
   */
  readonly retainMs: number;
  /**
   * The longest time that callers wait for a busy model to make room, where a less preferred model could be loaded at
   * once. A shorter wait is weighed against that load. Default 1 min; with 0 they never wait.
   */
  readonly callersWaitMs: number;
  /** Wait after a switch that was put off. Default 15 s, doubling up to 5 min. */
  readonly putOff: BackOffPolicy;
  /** Wait after a fault of a port. Default 1 s, doubling up to 30 s. */
  readonly fault: BackOffPolicy;
  /** Wait before a model that failed to load is tried again. Default 1 min, doubling up to 30 min. */
  readonly failure: BackOffPolicy;
  /** Pauses all loads after many failures. Default: for 10 min after 5 failures within 5 min. */
  readonly breaker: BreakerPolicy;
}

/**
 * The ports and options of an autopilot. `request`, `idle` and `timings` are read each time they are
 * needed, so with getters they follow a configuration that is edited while the autopilot runs.
 */
export interface AutopilotOptions extends AutopilotPorts {
  /** The models to keep loaded: chain, requirement, device, configured pins. Default: the default chain. */
  readonly request?: Pick<
    SelectionRequest,
    'chain' | 'requirement' | 'deviceIdentifier' | 'pinned' | 'tradeOffs'
  >;
  /** Further requirements that hold now, such as 'small models while Blender runs'. Default null: none. */
  readonly rules?: ((options: CallOptions) => Promise<readonly Requirement[]>) | null;
  /** Keeps pins, yields and failures over a restart. Default: a journal in memory. */
  readonly journal?: JournalPort;
  /** Claims the runtime for this process; rejects when another process has it. Default null: no claim. */
  readonly lock?: (() => Promise<RunningLock>) | null;
  /** Where decisions are written. Default null: nowhere. */
  readonly decisionLog?: DecisionSink | null;
  /**
   * `keep` loads without an idle time and unloads our instances at the stop. `release` loads with the
   * catalog's idle time, after which the runtime unloads the model; the next `acquire` loads it again.
   * Default `keep`.
   */
  readonly idle?: 'keep' | 'release';
  /** Whether `idle: 'keep'` unloads our instances at the stop. Default true. */
  readonly unloadAtStop?: boolean;
  /**
   * Whether the autopilot loads nothing for itself until a caller asks for any model of its chain. It still steps down and unloads
   * where memory runs short. For a process whose autopilot only serves its own callers. Default false.
   */
  readonly onlyForCallers?: boolean;
  /** Decide, but load and unload nothing. Default false. */
  readonly dryRun?: boolean;
  /** A random number, uniform in [0, 1), for jitter. Default `Math.random`. */
  readonly random?: () => number;
  /**
   * Whether the process of a yield still runs. The yield began at `sinceMs` (epoch milliseconds), and the
   * process ran then. Default: asks the operating system.
   */
  readonly isProcessAlive?: (processId: number, sinceMs: number) => boolean;
  readonly timings?: Partial<AutopilotTimings>;
}

/** Options with their defaults filled in. */
export interface AutopilotSettings extends Required<Omit<AutopilotOptions, 'timings'>> {
  readonly timings: AutopilotTimings;
}

/** The default timings. */
export const DEFAULT_TIMINGS: AutopilotTimings = {
  observeIntervalMs: 1000,
  drainDeadlineMs: 30_000,
  emergencyDrainMs: 30_000,
  criticalDrainMs: 1000,
  drainPollMs: 250,
  loadTimeoutMs: null,
  stopDrainMs: 5000,
  retainMs: 300_000,
  callersWaitMs: 60_000,
  putOff: { baseMs: 15_000, maxMs: 300_000, jitterRatio: 0.1 },
  fault: { baseMs: 1000, maxMs: 30_000, jitterRatio: 0.2 },
  failure: { baseMs: 60_000, maxMs: 1_800_000, jitterRatio: 0.2 },
  breaker: { failures: 5, withinMs: 300_000, openMs: 600_000 },
};

const NO_REQUEST = {};

/** Fills in the defaults. */
export function completeOptions(options: AutopilotOptions): AutopilotSettings {
  // Timings are read several times a round, so the merged object is kept until the given timings change.
  let timings = DEFAULT_TIMINGS;
  let given: Partial<AutopilotTimings> | undefined;
  return {
    ...options,
    rules: options.rules ?? null,
    journal: options.journal ?? createMemoryJournal(EMPTY_JOURNAL),
    lock: options.lock ?? null,
    decisionLog: options.decisionLog ?? null,
    unloadAtStop: options.unloadAtStop ?? true,
    onlyForCallers: options.onlyForCallers ?? false,
    dryRun: options.dryRun ?? false,
    random: options.random ?? Math.random,
    isProcessAlive: options.isProcessAlive ?? isProcessAlive,
    get request() {
      return options.request ?? NO_REQUEST;
    },
    get idle() {
      return options.idle ?? 'keep';
    },
    get timings() {
      const latest = options.timings;
      if (latest !== given) timings = { ...DEFAULT_TIMINGS, ...latest };
      given = latest;
      return timings;
    },
  };
}
