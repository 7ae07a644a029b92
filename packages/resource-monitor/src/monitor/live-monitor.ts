import { createHistory } from '../history/history.js';
import type { HardwareSurveyFacts } from '../gpu/survey.js';
import type { MachineInventory } from '../inventory/inventory.js';
import { refineGpus } from '../inventory/refine-gpus.js';
import type { InventoryOutcome } from '../inventory/run-inventory.js';
import type { Clock } from '../ports/clock.js';
import { raceDeadline, raceSignal, startDeadline, TIMED_OUT } from '../ports/race.js';
import type { GpuReader, PlatformReaders } from '../reading/figures.js';
import { ANSWER_WITHIN_MS, readFirst } from '../reading/reader.js';
import { ResourceMonitorError } from '../resource-monitor-error.js';
import { requireRam } from '../sampling/require-ram.js';
import { createSampler } from '../sampling/take-sample.js';
import type { TimedSnapshot } from '../sampling/wait-until-settled.js';
import { SETTLE_TIMEOUT_MS, waitUntilSettled } from '../sampling/wait-until-settled.js';
import { createWatchLoop } from '../sampling/watch-loop.js';
import type { RamSnapshot, ResourceSnapshot } from '../snapshot.js';
import { judgeSnapshots } from './judge-snapshots.js';
import type {
  CallOptions,
  MonitorHints,
  ResourceMonitor,
  SettledSnapshot,
} from './resource-monitor.js';

const SETTLE_INTERVAL_MS = 250;
const USUAL_INTERVAL_MS = 1000;

/** What a live monitor is made of. */
export interface LiveMonitorParts {
  readonly clock: Clock;
  readonly readers: PlatformReaders;
  /** In order of trust. */
  readonly gpuReaders: readonly GpuReader[];
  readonly cores: () => number;
  readonly runInventory: (signal: AbortSignal) => Promise<InventoryOutcome>;
}

/** A monitor of the machine that the readers read. */
export function liveMonitor(parts: LiveMonitorParts): ResourceMonitor {
  const { clock, readers, gpuReaders, cores } = parts;
  const sample = createSampler({ readers, gpuReaders, clock, cores });
  const history = createHistory();
  const closing = new AbortController();
  let flight: Promise<ResourceSnapshot> | null = null;
  let samples = 0;
  let survey: HardwareSurveyFacts | null = null;
  let inventory: MachineInventory | null = null;
  let inventoryRun: Promise<MachineInventory | null> | null = null;

  const pace = (intervalMs: number): void => {
    for (const reader of gpuReaders) reader.pace?.(intervalMs);
  };
  const takeInventory = (): Promise<MachineInventory | null> =>
    (inventoryRun ??= parts.runInventory(closing.signal).then((outcome) => {
      inventory = 'inventory' in outcome ? outcome.inventory : null;
      return inventory;
    }));
  const take = async (continuing: boolean): Promise<ResourceSnapshot> => {
    const snapshot = await sample(continuing, {
      survey,
      refineGpus: (gpus) => refineGpus(gpus, inventory),
    });
    samples += 1;
    history.record(snapshot, clock.monotonicMs());
    // Only a name is missing then; it is there in some later sample.
    if (continuing && inventoryRun === null && needsName(snapshot)) void takeInventory();
    return snapshot;
  };
  const shared = (continuing: boolean): Promise<ResourceSnapshot> => {
    if (closing.signal.aborted) return Promise.reject(closed());
    return (flight ??= take(continuing || samples > 0).finally(() => {
      flight = null;
    }));
  };
  const call = async (continuing: boolean, options: CallOptions): Promise<ResourceSnapshot> => {
    const { signal = null, timeoutMs } = options;
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
    onPace: pace,
    onIdle: () => pace(USUAL_INTERVAL_MS),
    closing: closing.signal,
  });

  const settled = async (options: CallOptions): Promise<SettledSnapshot> => {
    const { signal = null, timeoutMs = SETTLE_TIMEOUT_MS } = options;
    const startMs = clock.monotonicMs();
    let first = true;
    const next = async (): Promise<TimedSnapshot> => {
      const restMs = timeoutMs - (clock.monotonicMs() - startMs);
      if (!first) await clock.sleep(Math.max(0, Math.min(SETTLE_INTERVAL_MS, restMs)), { signal });
      first = false;
      const snapshot = await call(true, signal === null ? {} : { signal });
      return { snapshot, atMs: clock.monotonicMs() };
    };
    pace(SETTLE_INTERVAL_MS);
    try {
      // There is always a next sample, so there is always an answer.
      return (await waitUntilSettled(next, startMs, timeoutMs)) as SettledSnapshot;
    } finally {
      pace(watchers.intervalMs ?? USUAL_INTERVAL_MS);
    }
  };

  const readRam = async (): Promise<RamSnapshot> => {
    if (closing.signal.aborted) throw closed();
    const context = { startedMs: clock.monotonicMs(), continuing: true };
    using deadline = startDeadline(ANSWER_WITHIN_MS, clock);
    return requireRam(await readFirst('ram', readers.ram, context, deadline));
  };

  return {
    snapshot: (options = {}) => call(false, options),
    readRam: readers.ramIsCheap ? readRam : null,
    settled: (options = {}) => settled(options),
    watch: (options = {}) => watchers.watch(options),
    ...judgeSnapshots(
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
        flight?.catch(() => undefined),
        ...gpuReaders.map((reader) => reader.stop?.()),
      ]);
      await readers.close();
    },
  };
}

function needsName({ gpus }: ResourceSnapshot): boolean {
  return gpus.some(({ name }) => / \[[0-9a-f:]+\]$/.test(name));
}

function closed(): ResourceMonitorError {
  return new ResourceMonitorError(
    'PROBE_FAILED',
    'This monitor was disposed of. Create a new one.',
  );
}
