import type { TraceEvent, TraceRow } from './trace.js';

const GIB = 1024 ** 3;

type Gpu = TraceRow['gpus'][number];

/** The machine of a scenario and how it is used; others are in GiB. */
export interface Machine {
  readonly ramGib: number;
  readonly gpus: readonly Gpu[];
  readonly requests: TraceRow['requests'];
}

/** 32 GiB and no GPU. */
export const DESKTOP: Machine = {
  ramGib: 32,
  gpus: [],
  requests: { ratePerMinute: 2, meanSeconds: 6 },
};
/** A GPU of so many GiB, of which others use so many. */
export const gpu = (totalGib: number, othersGib: number, unified = false): Gpu => ({
  totalBytes: totalGib * GIB,
  othersBytes: othersGib * GIB,
  unified,
});

/** One point of a curve: from this second on. */
export interface Point {
  readonly atS: number;
  readonly ramGib: number;
  readonly gpus?: readonly Gpu[];
  readonly requests?: TraceRow['requests'];
  readonly events?: readonly TraceEvent[];
  readonly cpuOthersRatio?: number;
}

/** The points as rows, with a last one at the end. */
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
  const last = rows[rows.length - 1] as TraceRow;
  return [...rows, { ...last, tMs: endS * 1000, events: [] }];
}

/** Uniform between two numbers. */
export const between = (random: () => number, low: number, high: number): number =>
  low + (high - low) * random();

/** From one level to another in steps of five seconds. */
export function ramp(fromS: number, forS: number, fromGib: number, toGib: number): Point[] {
  const steps = Math.max(1, Math.round(forS / 5));
  return Array.from({ length: steps }, (_, index) => ({
    atS: fromS + (index + 1) * (forS / steps),
    ramGib: fromGib + ((toGib - fromGib) * (index + 1)) / steps,
  }));
}

/** Between two levels, in turns. */
export function turns(
  random: () => number,
  options: {
    readonly lowGib: readonly [number, number];
    readonly highGib: readonly [number, number];
    readonly lowS: readonly [number, number];
    readonly highS: readonly [number, number];
    readonly endS: number;
  },
): Point[] {
  const points: Point[] = [];
  let atS = 0;
  while (atS < options.endS) {
    points.push({ atS, ramGib: between(random, ...options.lowGib) });
    atS += between(random, ...options.lowS);
    points.push({ atS, ramGib: between(random, ...options.highGib) });
    atS += between(random, ...options.highS);
  }
  return points;
}
