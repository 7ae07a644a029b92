import type { Requirement } from '@mai/selector';
import type { SelectionRequest } from '../assemble/selection-request.js';
import type { DecisionSink } from '../decision-log/decision-record.js';
import type { BackOffPolicy } from '../failures/back-off.js';
import type { BreakerPolicy } from '../failures/breaker.js';
import { createMemoryJournal, type JournalPort } from '../journal/journal-port.js';
import { EMPTY_JOURNAL } from '../journal/journal-state.js';
import { isProcessAlive } from '../journal/is-process-alive.js';
import type { RunningLock } from '../journal/running-lock.js';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import type { CallOptions } from '../ports/call-options.js';

/** How often and how long; milliseconds. */
export interface AutopilotTimings {
  /** Between two rounds of the loop, and between two looks at memory during a switch. Default 1 s. */
  readonly observeIntervalMs: number;
  /** How long a busy instance may finish before the switch is put off. Default 30 s. */
  readonly drainDeadlineMs: number;
  /** The same while a pool is over its hard limit; then it is unloaded nevertheless. Default 30 s. */
  readonly emergencyDrainMs: number;
  /** The same while 98 % of a pool are in use and others take ever more. Default 1 s. */
  readonly criticalDrainMs: number;
  /** How often a drain looks. Default 250 ms. */
  readonly drainPollMs: number;
  /** Deadline of one load; null, the default, is the runtime's own. */
  readonly loadTimeoutMs: number | null;
  /** How long busy instances of ours may finish at the stop. Default 5 s. */
  readonly stopDrainMs: number;
  /** After a switch that was put off. Default 15 s, doubling up to 5 min. */
  readonly putOff: BackOffPolicy;
  /** After a fault of a port. Default 1 s, doubling up to 30 s. */
  readonly fault: BackOffPolicy;
  /** After a load that failed. Default 1 min, doubling up to 30 min. */
  readonly failure: BackOffPolicy;
  /** When so many loads fail in so short a time that nothing is tried. Default 5 in 5 min: 10 min. */
  readonly breaker: BreakerPolicy;
}

/**
 * What an autopilot is made of. Only the ports have no default. `request`, `idle` and `timings` are read
 * whenever they are needed, so getters let them follow a configuration that is edited meanwhile.
 */
export interface AutopilotOptions extends AutopilotPorts {
  /** What to keep loaded: chain, requirement, device, pins of the configuration. */
  readonly request?: Pick<
    SelectionRequest,
    'chain' | 'requirement' | 'deviceIdentifier' | 'pinned' | 'ladder'
  >;
  /** Requirements that hold for now besides, by rules such as 'while blender runs, small models'. */
  readonly rules?: ((options: CallOptions) => Promise<readonly Requirement[]>) | null;
  /** Pins, yields and failures that outlast a restart. Default: forgotten with the process. */
  readonly journal?: JournalPort;
  /** Claims the runtime for this process; rejects when another has it. Default: no claim. */
  readonly lock?: (() => Promise<RunningLock>) | null;
  /** Where decisions are written. Default: nowhere. */
  readonly decisionLog?: DecisionSink | null;
  /**
   * `keep` loads without an idle time and unloads what is ours at the stop. `release` loads with the
   * catalog's idle time, respects it when the runtime unloads, and loads again on the next `acquire`.
   * Default `keep`.
   */
  readonly idle?: 'keep' | 'release';
  /** Whether `idle: 'keep'` unloads what is ours at the stop. Default true. */
  readonly unloadAtStop?: boolean;
  /** Decide and touch nothing. Default false. */
  readonly dryRun?: boolean;
  /** Uniform in [0, 1), for jitter. Default `Math.random`. */
  readonly random?: () => number;
  /**
   * Whether a process lives on which a yield depends; it was there at `sinceMs` (epoch milliseconds),
   * when the yield began. Default: asks the operating system.
   */
  readonly isProcessAlive?: (processId: number, sinceMs: number) => boolean;
  readonly timings?: Partial<AutopilotTimings>;
}

/** Options with nothing left out. */
export interface AutopilotSettings extends Required<Omit<AutopilotOptions, 'timings'>> {
  readonly timings: AutopilotTimings;
}

const DEFAULT_TIMINGS: AutopilotTimings = {
  observeIntervalMs: 1000,
  drainDeadlineMs: 30_000,
  emergencyDrainMs: 30_000,
  criticalDrainMs: 1000,
  drainPollMs: 250,
  loadTimeoutMs: null,
  stopDrainMs: 5000,
  putOff: { baseMs: 15_000, maxMs: 300_000, jitterRatio: 0.1 },
  fault: { baseMs: 1000, maxMs: 30_000, jitterRatio: 0.2 },
  failure: { baseMs: 60_000, maxMs: 1_800_000, jitterRatio: 0.2 },
  breaker: { failures: 5, withinMs: 300_000, openMs: 600_000 },
};

const NO_REQUEST = {};

/** Fills in the defaults. */
export function completeOptions(options: AutopilotOptions): AutopilotSettings {
  // They are asked for several times a round, and change when somebody edits them.
  let timings = DEFAULT_TIMINGS;
  let given: Partial<AutopilotTimings> | undefined;
  return {
    ...options,
    rules: options.rules ?? null,
    journal: options.journal ?? createMemoryJournal(EMPTY_JOURNAL),
    lock: options.lock ?? null,
    decisionLog: options.decisionLog ?? null,
    unloadAtStop: options.unloadAtStop ?? true,
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
