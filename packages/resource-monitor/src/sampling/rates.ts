import type {
  CpuTimes,
  ProcessReading,
  ProcessReadings,
  SwapCounters,
} from '../reading/figures.js';
import type { EngineProcess } from '../snapshot.js';

/** Counters advance in steps (10 ms on Linux), so rates over a shorter time than this would be noise. */
const SHORTEST_WINDOW_MS = 200;

/** The counters at one moment. */
export interface Counters {
  readonly atMs: number;
  readonly cpu: { readonly times: CpuTimes; readonly source: string } | null;
  readonly swap: SwapCounters | null;
  readonly engines: ProcessReadings | null;
}

/** The rates between two moments; null if the figure is missing at one of the two. */
export interface Rates {
  readonly utilizationRatio: number | null;
  readonly enginesRatio: number | null;
  readonly othersRatio: number | null;
  readonly engines: readonly EngineProcess[] | null;
  readonly swapInBytesPerSecond: number | null;
  readonly swapOutBytesPerSecond: number | null;
}

type MachineRates = Pick<
  Rates,
  'utilizationRatio' | 'swapInBytesPerSecond' | 'swapOutBytesPerSecond'
>;

/** Converts growing counters to rates since the previous sample. */
export function createRates(): (now: Counters) => Rates {
  const sharesOf = createEngineShares();
  let base: Counters | null = null;
  let last: MachineRates | null = null;
  return (now) => {
    if (last === null || base === null || now.atMs - base.atMs >= SHORTEST_WINDOW_MS) {
      last = machineRates(base, now);
      base = now;
    }
    const engines = sharesOf(now.engines, now.cpu?.times.cores ?? null);
    const enginesRatio = sumOfShares(engines);
    const { utilizationRatio } = last;
    return {
      ...last,
      engines,
      enginesRatio,
      // Engine and machine are read at slightly different times, so the difference can be below zero.
      othersRatio:
        utilizationRatio === null || enginesRatio === null
          ? null
          : Math.max(0, utilizationRatio - enginesRatio),
    };
  };
}

function machineRates(before: Counters | null, now: Counters): MachineRates {
  const elapsedMs = before === null ? 0 : now.atMs - before.atMs;
  return {
    utilizationRatio: utilization(before?.cpu ?? null, now.cpu, elapsedMs),
    ...swapRates(before?.swap ?? null, now.swap, elapsedMs),
  };
}

function utilization(
  before: Counters['cpu'],
  now: Counters['cpu'],
  elapsedMs: number,
): number | null {
  if (before === null || now?.source !== before.source) return null;
  if (now.times.of !== before.times.of) return null;
  const totalMs =
    now.times.totalMs === null || before.times.totalMs === null
      ? elapsedMs * now.times.cores
      : now.times.totalMs - before.times.totalMs;
  const busyMs = now.times.busyMs - before.times.busyMs;
  return totalMs <= 0 || busyMs < 0 ? null : Math.min(1, busyMs / totalMs);
}

function swapRates(before: SwapCounters | null, now: SwapCounters | null, elapsedMs: number) {
  if (before === null || now === null || elapsedMs <= 0) {
    return { swapInBytesPerSecond: null, swapOutBytesPerSecond: null };
  }
  const perSecond = (bytes: number): number => (Math.max(0, bytes) * 1000) / elapsedMs;
  return {
    swapInBytesPerSecond: perSecond(now.inBytes - before.inBytes),
    swapOutBytesPerSecond: perSecond(now.outBytes - before.outBytes),
  };
}

/**
 * Converts the CPU times of processes to shares of all cores. The shares refer to the time between two listings
 * of the processes. Listing is expensive, so some platforms list less often than they sample.
 */
function createEngineShares(): (
  now: ProcessReadings | null,
  cores: number | null,
) => readonly EngineProcess[] | null {
  let base: ProcessReadings | null = null;
  let last: readonly EngineProcess[] = [];
  return (now, cores) => {
    if (now === null) return null;
    if (base !== null && now.atMs - base.atMs < SHORTEST_WINDOW_MS) return last;
    last = sharesBetween(base, now, cores);
    base = now;
    return last;
  };
}

function sharesBetween(
  before: ProcessReadings | null,
  now: ProcessReadings,
  cores: number | null,
): readonly EngineProcess[] {
  const elapsedMs = before === null ? 0 : now.atMs - before.atMs;
  const earlier = new Map(before?.processes.map((process) => [process.processId, process]));
  const shareOf = (process: ProcessReading): number | null => {
    const base = earlier.get(process.processId);
    // The OS reuses process ids. Only an equal start time proves that two readings are of the same process.
    if (base?.startedAt !== process.startedAt || elapsedMs <= 0 || cores === null) return null;
    return Math.min(1, Math.max(0, process.cpuMs - base.cpuMs) / (elapsedMs * cores));
  };
  return now.processes
    .map((process) => ({
      processId: process.processId,
      name: process.name,
      cpuRatio: shareOf(process),
      residentBytes: process.residentBytes,
    }))
    .sort((one, other) => (other.cpuRatio ?? 0) - (one.cpuRatio ?? 0));
}

/** Null if the share of a process is unknown, because the sum of the known shares would be too small. */
function sumOfShares(engines: readonly EngineProcess[] | null): number | null {
  if (engines === null || engines.some(({ cpuRatio }) => cpuRatio === null)) return null;
  return Math.min(
    1,
    engines.reduce((sum, { cpuRatio }) => sum + (cpuRatio ?? 0), 0),
  );
}
