import type { SelectionPolicy } from '@mai/memory-ledger';
import { SimulationClock } from './clock/simulation-clock.js';
import type { MachineObserver } from './machine/machine-observer.js';
import type { SimulatedInstance } from './machine/simulated-instance.js';
import { SimulatedMachine } from './machine/simulated-machine.js';
import type { SimulatedGrowth, SimulatedModel } from './machine/simulated-model.js';
import { MetricsRecorder } from './metrics/metrics-recorder.js';
import type { SimulationMetrics } from './metrics/simulation-metrics.js';
import { referenceQualityMs } from './planner/reference-planner.js';
import { startComparison } from './policies/comparison-policies.js';
import { startMai, type SimulatedDecision } from './policies/mai.js';
import type { PolicyName } from './policies/policy.js';
import type { TraceRow } from './trace/trace.js';

/** Options of a simulation. */
export interface SimulationOptions {
  /** At least two rows. The simulation ends at the time of the last one. */
  readonly trace: readonly TraceRow[];
  /** The fallback chain, in order of preference. */
  readonly models: readonly SimulatedModel[];
  /** Limits and times of all policies. */
  readonly limits: SelectionPolicy;
  /** The policy that decides which model is loaded. Default `mai`. */
  readonly policy?: PolicyName;
  /** Seed of the requests, and of the autopilot's jitter. Default 1. */
  readonly seed?: number;
  /** Model keys that `mai` never evicts. Default none. */
  readonly pinned?: readonly string[];
  /** How long a switch of `mai` waits for running requests. Default: the autopilot's own. */
  readonly drainDeadlineMs?: number;
  /**
   * How models grow after their load, by model key. Default: no model grows, and the growth of each is not
   * known.
   */
  readonly growth?: Readonly<Record<string, SimulatedGrowth>>;
  /** Whether `mai` reads the memory of the engines' processes. Default `false`. */
  readonly processesKnown?: boolean;
  /** Called whenever another instance starts to answer requests; `null` when no instance answers. */
  readonly onServing?: (serving: ServingModel | null, atMs: number) => void;
  /** Ends the simulation early. Default none. */
  readonly signal?: AbortSignal;
}

/** The model that answers requests, and its load option. */
export interface ServingModel {
  readonly modelKey: string;
  /** 0 for the model as configured, 1 and above for its cheaper load options. */
  readonly loadOptionIndex: number;
  readonly ramBytes: number;
  /** Bytes on each GPU with memory of its own, in the order of the trace. */
  readonly vramBytes: readonly number[];
}

/** The metrics, and a comparison with perfect foresight. */
export interface SimulationReport extends SimulationMetrics {
  /** The highest quality that is possible with perfect foresight within the limits. */
  readonly referenceQualityMs: number;
  /**
   * `qualityMs / referenceQualityMs`. The ratio can be above 1: a model above its limit still counts during the
   * dwell, but the reference never keeps such a model.
   */
  readonly qualityRatio: number;
  /** The decisions of `mai`; empty for the other policies. */
  readonly decisions: readonly SimulatedDecision[];
}

const OBSERVE_INTERVAL_MS = 1000;

/**
 * Runs the autopilot, or a policy to compare it with, over a trace, with a simulated clock, machine and
 * LM Studio. The same options always give the same report.
 *
 * @throws the signal's reason when it fires.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const { trace, models, limits, policy = 'mai', seed = 1, signal = null } = options;
  const durationMs = trace[trace.length - 1]?.tMs ?? 0;
  const recorder = new MetricsRecorder(() => machine, OBSERVE_INTERVAL_MS);
  const clock = new SimulationClock((fromMs, toMs) => {
    recorder.pass(fromMs, toMs);
  });
  const machine = new SimulatedMachine({
    clock,
    trace,
    models,
    policy: limits,
    seed,
    growth: options.growth ?? {},
  });
  const decisions: SimulatedDecision[] = [];
  // Apply the rows at time 0 before the policy starts.
  await clock.run(0);
  const running =
    policy === 'mai'
      ? startMai(machine, {
          observeIntervalMs: OBSERVE_INTERVAL_MS,
          pinned: options.pinned ?? [],
          drainDeadlineMs: options.drainDeadlineMs ?? null,
          // A random stream separate from that of the requests.
          seed: seed + 1,
          processesKnown: options.processesKnown ?? false,
          onDecision: (decision) => decisions.push(decision),
        })
      : startComparison(policy, machine);
  machine.observe(
    observerOf(recorder, {
      onChange: reportServing(machine, options.onServing),
      onRequest: () => {
        running.onRequest();
      },
    }),
  );
  await clock.run(durationMs, signal);
  const metrics = recorder.finish(durationMs);
  const decided = [...decisions];
  machine.observe(null);
  await clock.finish(running.stop());
  const reference = await referenceQualityMs(trace, models, limits, signal);
  return {
    ...metrics,
    referenceQualityMs: reference,
    qualityRatio: reference === 0 ? 1 : metrics.qualityMs / reference,
    decisions: decided,
  };
}

/** Passes each event first to the recorder, then to the callbacks. */
function observerOf(
  recorder: MetricsRecorder,
  { onChange, onRequest }: { readonly onChange: () => void; readonly onRequest: () => void },
): MachineObserver {
  return {
    onLoaded: () => {
      recorder.onLoaded();
      onChange();
    },
    onUnloaded: (instance, poolsBefore) => {
      recorder.onUnloaded(instance, poolsBefore);
      onChange();
    },
    onLost: (lost) => {
      recorder.onLost(lost);
      onChange();
    },
    onRequest: (served) => {
      recorder.onRequest(served);
      onRequest();
    },
    onQuery: () => {
      recorder.onQuery();
    },
  };
}

/** Returns a function that calls `onServing` when another instance answers requests. */
function reportServing(
  machine: SimulatedMachine,
  onServing: SimulationOptions['onServing'],
): () => void {
  let last: SimulatedInstance | null = null;
  return () => {
    const serving = machine.serving();
    if (serving === last || onServing === undefined) return;
    last = serving;
    onServing(serving === null ? null : describeServing(serving), machine.clock.nowMs());
  };
}

function describeServing({
  modelKey,
  loadOptionIndex,
  footprint,
}: SimulatedInstance): ServingModel {
  return {
    modelKey,
    loadOptionIndex,
    ramBytes: footprint.ram.anonymousBytes,
    vramBytes: footprint.gpus.map((gpu) => gpu.bytes),
  };
}
