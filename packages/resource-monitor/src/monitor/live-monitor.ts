import { checkRange } from '@mai/memory-ledger';
import type { HardwareSurveyFacts } from '../gpu/match-survey.js';
import type { MergedGpu } from '../gpu/merge-gpus.js';
import { nameByInventory } from '../gpu/merge-gpus.js';
import { createHistory } from '../history/history.js';
import type { MachineInventory } from '../inventory/inventory.js';
import type { InventoryOutcome } from '../inventory/run-inventory.js';
import type { Clock } from '../ports/clock.js';
import { raceDeadline, raceSignal, TIMED_OUT } from '../ports/race.js';
import type { GpuReader, PlatformReaders } from '../reading/figures.js';
import { ResourceMonitorError } from '../resource-monitor-error.js';
import type { SettledSnapshot, TimedSnapshot } from '../sampling/settle-detector.js';
import { SETTLE_TIMEOUT_MS, waitUntilSettled } from '../sampling/settle-detector.js';
import { createSampler } from '../sampling/take-sample.js';
import { createWatchLoop } from '../sampling/watch-loop.js';
import type { ResourceSnapshot } from '../snapshot.js';
import type { CallOptions, MonitorHints, ResourceMonitor } from './resource-monitor.js';
import { snapshotQuestions } from './snapshot-questions.js';

const SETTLE_INTERVAL_MS = 250;
const USUAL_INTERVAL_MS = 1000;

/** The parts of a live monitor. */
export interface LiveMonitorParts {
  readonly clock: Clock;
  readonly readers: PlatformReaders;
  /** The readers of GPUs, in order of trust. */
  readonly gpuReaders: readonly GpuReader[];
  readonly cores: () => number;
  readonly runInventory: (signal: AbortSignal) => Promise<InventoryOutcome>;
  /** Whether the inventory would wake suspended GPUs, because systeminformation runs nvidia-smi. */
  readonly inventoryWakesGpus: () => boolean;
}

/** A monitor that samples a machine through the given readers. */
export function liveMonitor(parts: LiveMonitorParts): ResourceMonitor {
  const { clock, readers, gpuReaders, cores } = parts;
  const sampler = createSampler({ readers, gpuReaders, clock, cores });
  const history = createHistory();
  const closing = new AbortController();
  let inFlight: Promise<ResourceSnapshot> | null = null;
  let samples = 0;
  let survey: HardwareSurveyFacts | null = null;
  let inventory: MachineInventory | null = null;
  let inventoryRun: Promise<MachineInventory | null> | null = null;

  const setGpuIntervalMs = (intervalMs: number): void => {
    for (const reader of gpuReaders) reader.setIntervalMs?.(intervalMs);
  };
  const takeInventory = (): Promise<MachineInventory | null> =>
    (inventoryRun ??= parts.runInventory(closing.signal).then((outcome) => {
      inventory = 'inventory' in outcome ? outcome.inventory : null;
      return inventory;
    }));
  const take = async (continuing: boolean): Promise<ResourceSnapshot> => {
    let needsName = false;
    const nameGpus = (gpus: readonly MergedGpu[]): readonly MergedGpu[] => {
      needsName = gpus.some(({ gpu }) => gpu.name === null && gpu.pciAddress !== null);
      return nameByInventory(gpus, inventory);
    };
    const snapshot = await sampler.take(continuing, { survey, nameGpus });
    samples += 1;
    history.record(snapshot, clock.monotonicMs());
    // The inventory is not awaited, because it adds only names. A later sample has them.
    if (continuing && inventoryRun === null && needsName && !parts.inventoryWakesGpus()) {
      void takeInventory();
    }
    return snapshot;
  };
  const shared = (continuing: boolean): Promise<ResourceSnapshot> => {
    if (closing.signal.aborted) return Promise.reject(closed());
    return (inFlight ??= take(continuing || samples > 0).finally(() => {
      inFlight = null;
    }));
  };
  const call = async (continuing: boolean, options: CallOptions): Promise<ResourceSnapshot> => {
    const { signal = null, timeoutMs } = options;
    if (timeoutMs !== undefined) checkRange('timeoutMs', timeoutMs, 0, Infinity);
    signal?.throwIfAborted();
    const sampled = raceSignal(shared(continuing), signal);
    if (timeoutMs === undefined) return sampled;
    const outcome = await raceDeadline(sampled, timeoutMs, clock);
    if (outcome !== TIMED_OUT) return outcome;
    throw new ResourceMonitorError(
      'PROBE_TIMED_OUT',
      `This machine's resources could not be read within ${timeoutMs} ms. Allow more time.`,
      { timeoutMs },
    );
  };
  const watchers = createWatchLoop({
    clock,
    take: () => shared(true),
    onInterval: setGpuIntervalMs,
    onIdle: () => setGpuIntervalMs(USUAL_INTERVAL_MS),
    closing: closing.signal,
  });

  const settled = async (options: CallOptions): Promise<SettledSnapshot> => {
    const { signal = null, timeoutMs = SETTLE_TIMEOUT_MS } = options;
    checkRange('timeoutMs', timeoutMs, 0, Infinity);
    const startMs = clock.monotonicMs();
    const sample = async (): Promise<TimedSnapshot> => {
      const snapshot = await call(true, signal === null ? {} : { signal });
      return { snapshot, atMs: clock.monotonicMs() };
    };
    const next = async (): Promise<TimedSnapshot> => {
      const restMs = timeoutMs - (clock.monotonicMs() - startMs);
      await clock.sleep(Math.max(0, Math.min(SETTLE_INTERVAL_MS, restMs)), { signal });
      return sample();
    };
    setGpuIntervalMs(SETTLE_INTERVAL_MS);
    try {
      return await waitUntilSettled(await sample(), next, startMs, timeoutMs);
    } finally {
      setGpuIntervalMs(watchers.intervalMs ?? USUAL_INTERVAL_MS);
    }
  };

  return {
    snapshot: (options = {}) => call(false, options),
    readRam: readers.ramIsCheap
      ? async () => {
          if (closing.signal.aborted) throw closed();
          return sampler.readRam();
        }
      : null,
    settled: (options = {}) => settled(options),
    watch: (options = {}) => watchers.watch(options),
    ...snapshotQuestions(
      history,
      (options) => call(false, options),
      () => clock.monotonicMs(),
    ),
    inform(hints: MonitorHints) {
      if (hints.survey !== undefined) survey = hints.survey;
      if (hints.engineProcessIds !== undefined) readers.knowEngines(hints.engineProcessIds);
      if (hints.loading !== undefined) watchers.setLoading(hints.loading);
    },
    inventory: ({ signal = null } = {}) => raceSignal(takeInventory(), signal),
    async [Symbol.asyncDispose]() {
      if (!closing.signal.aborted) closing.abort(closed());
      await Promise.all([
        inFlight?.catch(() => undefined),
        ...gpuReaders.map((reader) => reader.stop?.()),
      ]);
      await readers.close();
    },
  };
}

function closed(): ResourceMonitorError {
  return new ResourceMonitorError(
    'PROBE_FAILED',
    'This monitor was disposed of. Create a new one.',
  );
}
