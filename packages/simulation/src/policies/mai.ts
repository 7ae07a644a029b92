import { createAutopilot } from '@mai/autopilot';
import type { SimulatedMachine } from '../machine/simulated-machine.js';
import { createRandom } from '../random.js';
import type { RunningPolicy } from './policy.js';
import { portsOf } from '../machine/ports.js';

/** A switch that the autopilot decided on, with any outcome. */
export interface SimulatedDecision {
  readonly atMs: number;
  readonly reason: string;
  readonly outcome: string;
  /** The model that was loaded last; `null` when no model was loaded. */
  readonly modelKey: string | null;
}

/** Starts the autopilot on a simulated machine. */
export function startMai(
  machine: SimulatedMachine,
  options: {
    readonly observeIntervalMs: number;
    readonly pinned: readonly string[];
    /** `null` is the autopilot's own default. */
    readonly drainDeadlineMs: number | null;
    readonly seed: number;
    readonly processesKnown: boolean;
    readonly onDecision: (decision: SimulatedDecision) => void;
  },
): RunningPolicy {
  const { observeIntervalMs, pinned, drainDeadlineMs, seed, onDecision } = options;
  const autopilot = createAutopilot({
    ...portsOf(machine, options),
    random: createRandom(seed),
    isProcessAlive: () => true,
    request: { pinned },
    timings: { observeIntervalMs, ...(drainDeadlineMs === null ? {} : { drainDeadlineMs }) },
    decisionLog: {
      write: (record) => {
        if (record.type !== 'outcome') return;
        const { atMs, reason, outcome, loaded } = record;
        onDecision({ atMs, reason, outcome, modelKey: loaded[loaded.length - 1] ?? null });
      },
      flushed: () => Promise.resolve(),
    },
  });
  const started = autopilot.start();
  return {
    onRequest: () => undefined,
    stop: async () => {
      await started;
      await autopilot.stop();
    },
  };
}
