import type { CpuTimes, ProcessReadings, SwapCounters } from '../reading/figures.js';
import type { EngineProcess } from '../snapshot.js';
import { createEngineShares } from './engine-shares.js';
import { SHORTEST_WINDOW_MS } from './shortest-window.js';

/** The counters of one moment. */
export interface Counters {
  readonly atMs: number;
  readonly cpu: { readonly times: CpuTimes; readonly source: string } | null;
  readonly swap: SwapCounters | null;
  readonly engines: ProcessReadings | null;
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

type MachineRates = Pick<
  Rates,
  'utilizationRatio' | 'swapInBytesPerSecond' | 'swapOutBytesPerSecond'
>;

/** Turns counters that only ever grow into rates since the sample before. */
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
      // The two are not read in the same instant, so the difference may fall below zero.
      othersRatio:
        utilizationRatio === null || enginesRatio === null
          ? null
          : Math.max(0, utilizationRatio - enginesRatio),
    };
  };
}

/** Null when the share of one of them is unknown: a part of a sum is not the sum. */
function sumOfShares(engines: readonly EngineProcess[] | null): number | null {
  if (engines === null || engines.some(({ cpuRatio }) => cpuRatio === null)) return null;
  return Math.min(
    1,
    engines.reduce((sum, { cpuRatio }) => sum + (cpuRatio ?? 0), 0),
  );
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
