import { createRandom } from './random.js';
import { DESKTOP, gpu, rowsOf, type Machine, type Point } from './scenario-curves.js';
import type { TraceRow } from './trace.js';

/** Seconds. */
export const HOUR_S = 3600;

/** A kind of day that a machine may have. */
export interface Scenario {
  readonly name: string;
  /** What happens, in a sentence. */
  readonly description: string;
  /** Whether an excursion is shorter than a large model takes to load. */
  readonly short: boolean;
  /** The same rows for the same seed. */
  readonly trace: (seed: number) => TraceRow[];
}

/** A scenario of so many hours from the points of its curve. */
export const scenario = (
  name: string,
  description: string,
  hours: number,
  points: (random: () => number, endS: number) => Point[],
  options: { readonly machine?: Machine; readonly short?: boolean } = {},
): Scenario => ({
  name,
  description,
  short: options.short ?? false,
  trace: (seed) => {
    const endS = hours * HOUR_S;
    return rowsOf(points(createRandom(seed), endS), options.machine ?? DESKTOP, endS);
  },
});

/** 64 GiB and a GPU with 24. */
export const GPU_MACHINE: Machine = { ...DESKTOP, ramGib: 64, gpus: [gpu(24, 1)] };
/** One pool of 36 GiB. */
export const UNIFIED: Machine = { ...DESKTOP, ramGib: 36, gpus: [gpu(27, 0, true)] };

/** At another level for a while. */
export const during = (fromS: number, forS: number, ramGib: number, calmGib: number): Point[] => [
  { atS: fromS, ramGib },
  { atS: fromS + forS, ramGib: calmGib },
];
