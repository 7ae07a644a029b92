import { createRandom } from '../random.js';
import type { TraceRow } from '../trace/trace.js';
import { DESKTOP, rowsOf, type Machine, type Point } from './curves.js';

export const HOUR_S = 3600;

/** A machine and a random course of its memory and requests. */
export interface Scenario {
  readonly name: string;
  /** The events of the scenario, in a sentence. */
  readonly description: string;
  /**
   * Whether every peak of use by others is shorter than the load time of a large model. In that case even the
   * reference planner gains no quality from a switch, so the quality ratio says little.
   */
  readonly short: boolean;
  /** Makes the trace. The same seed gives the same rows. */
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
