import type { TraceEvent, TraceGpu, TraceRow } from '../trace/trace.js';

export const GIB = 1024 ** 3;

/** The machine of a scenario and its requests. */
export interface Machine {
  readonly ramGib: number;
  readonly gpus: readonly TraceGpu[];
  readonly requests: TraceRow['requests'];
}

/** 32 GiB and no GPU. */
export const DESKTOP: Machine = {
  ramGib: 32,
  gpus: [],
  requests: { ratePerMinute: 2, meanSeconds: 6 },
};
/** 64 GiB and a GPU with 24 GiB. */
export const GPU_MACHINE: Machine = { ...DESKTOP, ramGib: 64, gpus: [gpu(24, 1)] };
/** One unified pool of 36 GiB. */
export const UNIFIED: Machine = { ...DESKTOP, ramGib: 36, gpus: [gpu(27, 0, true)] };

/** A GPU, with its total and its use by others in GiB. */
export function gpu(totalGib: number, othersGib: number, unified = false): TraceGpu {
  return { totalBytes: totalGib * GIB, othersBytes: othersGib * GIB, unified };
}

/** The state of the machine from second `atS` on. A field that is left out has the value of the scenario's machine. */
export interface Point {
  readonly atS: number;
  /** RAM that others use, in GiB. */
  readonly ramGib: number;
  readonly gpus?: readonly TraceGpu[];
  readonly requests?: TraceRow['requests'];
  readonly events?: readonly TraceEvent[];
  readonly cpuOthersRatio?: number;
}

/** Turns points into rows, and adds the row at the end. Points after the end are left out. */
export function rowsOf(points: readonly Point[], machine: Machine, endS: number): TraceRow[] {
  const rows = points
    .filter((point) => point.atS < endS)
    .map((point): TraceRow => ({
      tMs: Math.round(point.atS) * 1000,
      ram: {
        totalBytes: machine.ramGib * GIB,
        othersBytes: Math.round(Math.max(0, point.ramGib) * GIB),
      },
      gpus: point.gpus ?? machine.gpus,
      cpuOthersRatio: point.cpuOthersRatio ?? 0.1,
      onBattery: false,
      requests: point.requests ?? machine.requests,
      events: point.events ?? [],
    }));
  const last = rows[rows.length - 1];
  if (last === undefined) throw new RangeError('A scenario needs a point before its end.');
  return [...rows, { ...last, tMs: endS * 1000, events: [] }];
}

/** A random number, uniform between two numbers. */
export const between = (random: () => number, low: number, high: number): number =>
  low + (high - low) * random();

/** Others use `ramGib` for `forS` seconds from `fromS` on, and then `calmGib`. */
export const during = (fromS: number, forS: number, ramGib: number, calmGib: number): Point[] => [
  { atS: fromS, ramGib },
  { atS: fromS + forS, ramGib: calmGib },
];

/** Use by others changes from one level to another, in steps of five seconds. */
export function ramp(fromS: number, forS: number, fromGib: number, toGib: number): Point[] {
  const steps = Math.max(1, Math.round(forS / 5));
  return Array.from({ length: steps }, (_, index) => ({
    atS: fromS + (index + 1) * (forS / steps),
    ramGib: fromGib + ((toGib - fromGib) * (index + 1)) / steps,
  }));
}

/** Ranges of the random values of `turns`: levels in GiB, durations in seconds. */
export interface TurnRanges {
  readonly lowGib: readonly [number, number];
  readonly highGib: readonly [number, number];
  readonly lowS: readonly [number, number];
  readonly highS: readonly [number, number];
  readonly endS: number;
}

/** Alternates between low and high levels. Points with an even index are low. */
export function turns(random: () => number, ranges: TurnRanges): Point[] {
  const points: Point[] = [];
  let atS = 0;
  while (atS < ranges.endS) {
    points.push({ atS, ramGib: between(random, ...ranges.lowGib) });
    atS += between(random, ...ranges.lowS);
    points.push({ atS, ramGib: between(random, ...ranges.highGib) });
    atS += between(random, ...ranges.highS);
  }
  return points;
}
