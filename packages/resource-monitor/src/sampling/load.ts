import type { CpuTimes, ProcessReading, SwapCounters } from '../reading/figures.js';
import type { EngineProcess } from '../snapshot.js';

/** Over less than this the counters (10 ms steps on Linux) say little, so an older sample is kept. */
const SHORTEST_WINDOW_MS = 200;

/** The counters of one moment. */
export interface Counters {
  readonly atMs: number;
  readonly cpu: { readonly times: CpuTimes; readonly source: string } | null;
  readonly swap: SwapCounters | null;
  readonly engines: readonly ProcessReading[] | null;
}

/** What happened between two moments; null where one of them lacks the figure. */
export interface Rates {
  readonly utilizationRatio: number | null;
  readonly enginesRatio: number | null;
  readonly othersRatio: number | null;
  readonly engines: readonly EngineProcess[] | null;
  readonly swapInBytesPerSecond: number | null;
  readonly swapOutBytesPerSecond: number | null;
}

/** Turns counters that only ever grow into rates since the sample before. */
export function createRates(): (now: Counters) => Rates {
  let base: Counters | null = null;
  let last: Rates = ratesBetween(null, null);
  return (now) => {
    if (base !== null && now.atMs - base.atMs < SHORTEST_WINDOW_MS) return last;
    last = ratesBetween(base, now);
    base = now;
    return last;
  };
}

function ratesBetween(before: Counters | null, now: Counters | null): Rates {
  const elapsedMs = before === null || now === null ? 0 : now.atMs - before.atMs;
  const utilizationRatio = utilization(before?.cpu ?? null, now?.cpu ?? null, elapsedMs);
  const cores = now?.cpu?.times.cores ?? null;
  const engines = engineShares(before?.engines ?? null, now?.engines ?? null, elapsedMs, cores);
  const enginesRatio =
    engines === null || engines.some(({ cpuRatio }) => cpuRatio === null)
      ? null
      : Math.min(
          1,
          engines.reduce((sum, { cpuRatio }) => sum + (cpuRatio ?? 0), 0),
        );
  return {
    utilizationRatio,
    enginesRatio,
    // The two are not read in the same instant, so the difference may fall below zero.
    othersRatio:
      utilizationRatio === null || enginesRatio === null
        ? null
        : Math.max(0, utilizationRatio - enginesRatio),
    engines,
    ...swapRates(before?.swap ?? null, now?.swap ?? null, elapsedMs),
  };
}

function utilization(
  before: Counters['cpu'],
  now: Counters['cpu'],
  elapsedMs: number,
): number | null {
  if (before === null || now?.source !== before.source) return null;
  const totalMs =
    now.times.totalMs === null || before.times.totalMs === null
      ? elapsedMs * now.times.cores
      : now.times.totalMs - before.times.totalMs;
  const busyMs = now.times.busyMs - before.times.busyMs;
  return totalMs <= 0 || busyMs < 0 ? null : Math.min(1, busyMs / totalMs);
}

function engineShares(
  before: Counters['engines'],
  now: Counters['engines'],
  elapsedMs: number,
  cores: number | null,
): EngineProcess[] | null {
  if (now === null) return null;
  const earlier = new Map(before?.map((process) => [process.processId, process]));
  return now
    .map((process): EngineProcess => {
      const base = earlier.get(process.processId);
      // A later process may have the same id.
      const workedMs = base?.startedAt === process.startedAt ? process.cpuMs - base.cpuMs : null;
      const known = workedMs !== null && elapsedMs > 0 && cores !== null;
      return {
        processId: process.processId,
        name: process.name,
        cpuRatio: known ? Math.min(1, Math.max(0, workedMs) / (elapsedMs * cores)) : null,
        residentBytes: process.residentBytes,
      };
    })
    .sort((one, other) => (other.cpuRatio ?? 0) - (one.cpuRatio ?? 0));
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
