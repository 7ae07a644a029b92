import { createRandom } from '../random.js';
import type { TraceRow } from '../trace/trace.js';
import { DESKTOP, rowsOf, type Machine, type Point } from './curves.js';

export const HOUR_S = 3600;

/** One kind of day on one machine. */
export interface Scenario {
  readonly name: string;
  /** What happens, in a sentence. */
  readonly description: string;
  /**
   * Whether peaks of the others are shorter than the load time of a large model. The reference planner then
   * gets no quality from a switch, and the quality ratio says little.
   */
  readonly short: boolean;
  /** The same rows for the same seed. */
  readonly trace: (seed: number) => TraceRow[];
}

/**
 * A scenario from the points of its curve.
 *
 * @param points - draws from `random` only, so that the same seed gives the same trace.
 */
export function scenario(
  name: string,
  description: string,
  hours: number,
  points: (random: () => number, endS: number) => Point[],
  options: {
    /** Default `DESKTOP`. */
    readonly machine?: Machine;
    readonly short?: boolean;
  } = {},
): Scenario {
  return {
    name,
    description,
    short: options.short ?? false,
    trace: (seed) => {
      const endS = hours * HOUR_S;
      return rowsOf(points(createRandom(seed), endS), options.machine ?? DESKTOP, endS);
    },
  };
}
