import type { SelectionPolicy } from '@mai/memory-ledger';
import { createAutopilot } from '@mai/autopilot';
import { startComparison, type PolicyName, type RunningPolicy } from './comparison-policies.js';
import { createRandom } from './random.js';
import { referenceQualityMs } from './reference-planner.js';
import { SimulatedMachine } from './simulated-machine.js';
import { portsOf } from './simulated-ports.js';
import type { SimulatedInstance } from './simulated-instance.js';
import type { SimulatedModel } from './simulated-model.js';
import { SimulationClock } from './simulation-clock.js';
import { MetricsRecorder, type SimulationMetrics } from './simulation-metrics.js';
import type { TraceRow } from './trace.js';

/** What to simulate. */
export interface SimulationOptions {
  /** At least two rows; ends at the last row's time. */
  readonly trace: readonly TraceRow[];
  /** The chain, in order of preference. */
  readonly models: readonly SimulatedModel[];
  readonly limits: SelectionPolicy;
  /** Who decides. Default `mai`. */
  readonly policy?: PolicyName;
  /** Of the requests and of the jitter. Default 1. */
  readonly seed?: number;
  /** Model keys that `mai` never evicts. Default none. */
  readonly pinned?: readonly string[];
  /** How long a switch of `mai` waits for running requests. Default: the autopilot's own. */
  readonly drainDeadlineMs?: number;
  /** Told whenever something else is loaded and ready, null for nothing. */
  readonly onServing?: (serving: ServingModel | null, atMs: number) => void;
  /** Breaks the simulation off. Default none. */
  readonly signal?: AbortSignal;
}

/** What answers requests in a simulation. */
export interface ServingModel {
  readonly modelKey: string;
  /** 0 for as configured, from 1 for the listed rungs. */
  readonly rungIndex: number;
  readonly ramBytes: number;
  /** By GPU with memory of its own, in the order of the trace. */
  readonly vramBytes: readonly number[];
}

/** A simulated decision that was acted upon. */
export interface SimulatedDecision {
  readonly atMs: number;
  readonly reason: string;
  readonly outcome: string;
  readonly modelKey: string | null;
}

/** The metrics with what could have been had. */
export interface SimulationReport extends SimulationMetrics {
  readonly referenceQualityMs: number;
  /** Above 1 where what was had counts for more than what the reference may hold. */
  readonly qualityRatio: number;
  /** Of `mai`; empty for the other policies. */
  readonly decisions: readonly SimulatedDecision[];
}

const OBSERVE_INTERVAL_MS = 1000;

/**
 * Runs the autopilot, or a policy to compare it with, over a trace with a simulated clock, machine and
 * LM Studio. The same options always give the same report.
 * @throws the signal's reason when cancelled.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const { trace, models, limits, policy = 'mai', seed = 1, signal = null } = options;
  const durationMs = trace[trace.length - 1]?.tMs ?? 0;
  const recorder = new MetricsRecorder(() => machine, OBSERVE_INTERVAL_MS);
  const clock = new SimulationClock((fromMs, toMs) => {
    recorder.pass(fromMs, toMs);
  });
  const machine = new SimulatedMachine({ clock, trace, models, policy: limits, seed });
  const decisions: SimulatedDecision[] = [];
  // Rows at zero hold from the start.
  await clock.run(0);
  const running =
    policy === 'mai'
      ? startMai(machine, options, seed, decisions)
      : startComparison(policy, machine);
  const tellServing = servingTeller(machine, options);
  machine.observe({
    onLoaded: () => {
      recorder.loaded();
      tellServing();
    },
    onUnloaded: (instance) => {
      recorder.unloaded(instance);
      tellServing();
    },
    onLost: (lost) => {
      recorder.lost(lost);
      tellServing();
    },
    onRequest: (served) => {
      recorder.requested(served);
      running.onRequest();
    },
  });
  await clock.run(durationMs, signal);
  const metrics = recorder.finish(durationMs);
  const made = [...decisions];
  machine.observe(SILENT);
  await clock.finish(running.stop());
  const reference = referenceQualityMs(trace, models, limits);
  return {
    ...metrics,
    referenceQualityMs: reference,
    qualityRatio: reference === 0 ? 1 : metrics.qualityMs / reference,
    decisions: made,
  };
}

const SILENT = {
  onLost: (): void => undefined,
  onLoaded: (): void => undefined,
  onUnloaded: (): void => undefined,
  onRequest: (): void => undefined,
};

function servingTeller(machine: SimulatedMachine, { onServing }: SimulationOptions): () => void {
  let last: SimulatedInstance | null = null;
  return () => {
    const serving = machine.serving();
    if (serving === last || onServing === undefined) return;
    last = serving;
    const atMs = machine.clock.nowMs();
    if (serving === null) onServing(null, atMs);
    else {
      const { modelKey, rungIndex, demand } = serving;
      const [ramBytes = 0, ...vramBytes] = demand;
      onServing({ modelKey, rungIndex, ramBytes, vramBytes }, atMs);
    }
  };
}

function startMai(
  machine: SimulatedMachine,
  { models, limits, pinned = [], drainDeadlineMs }: SimulationOptions,
  seed: number,
  decisions: SimulatedDecision[],
): RunningPolicy {
  const autopilot = createAutopilot({
    ...portsOf(machine, models, limits),
    random: createRandom(seed + 1),
    isProcessAlive: () => true,
    request: { pinned },
    timings: {
      observeIntervalMs: OBSERVE_INTERVAL_MS,
      ...(drainDeadlineMs === undefined ? {} : { drainDeadlineMs }),
    },
    decisionLog: {
      write: (record) => {
        if (record.type !== 'outcome') return;
        const { atMs, reason, outcome, loaded } = record;
        decisions.push({ atMs, reason, outcome, modelKey: loaded[loaded.length - 1] ?? null });
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
