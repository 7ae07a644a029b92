import type { SelectionPolicy } from '@mai/memory-ledger';
import { gpuSharesOf, type Demand } from './pools.js';
import { gridOf } from './planning-grid.js';
import { roomByStep, type RoomByStep } from './room-by-step.js';
import { demandOf, rungsOf, type SimulatedModel } from './simulated-model.js';
import type { TraceRow } from './trace.js';

/** One way to load one model: a state of the plan. */
interface Holding {
  readonly demand: Demand;
  readonly loadSteps: number;
  readonly quality: number;
  /** Of the last model of the chain: it may stay up to the hard limit. */
  readonly last: boolean;
}

/**
 * The most quality that could have been had with perfect foresight: time is cut into steps, and over
 * them the best sequence of loads is found by dynamic programming. It has the same load times and rungs;
 * a model is held, and loaded, only while every pool stays within its percentage limit, the last of the
 * chain up to the hard limit; the old one serves during a load where both fit.
 *
 * Exact where all changes of the trace and all load times are multiples of a step that `gridOf` finds;
 * otherwise a step counts for a model only where it fits all through it.
 */
export function referenceQualityMs(
  trace: readonly TraceRow[],
  models: readonly SimulatedModel[],
  policy: SelectionPolicy,
): number {
  const [first] = trace;
  if (first === undefined) return 0;
  const { stepMs, steps } = gridOf(trace, models);
  const shares = gpuSharesOf(first);
  const holdings = models.flatMap((model, index) =>
    rungsOf(model).map((rung): Holding => ({
      demand: demandOf(rung, shares),
      loadSteps: Math.ceil(model.loadMs / stepMs),
      quality: rung.quality,
      last: index === models.length - 1,
    })),
  );
  const room = roomByStep(trace, policy, steps, stepMs);
  return bestFrom(holdings, room, steps) * stepMs;
}

/** The most from the start with nothing loaded, in steps times quality. */
function bestFrom(holdings: readonly Holding[], room: RoomByStep, steps: number): number {
  const alone = holdings.map((one) => fitsUntil(room, one.demand, one.last, steps));
  const both = holdings.map((from) =>
    holdings.map((to) => {
      const together = from.demand.map((bytes, pool) => bytes + (to.demand[pool] ?? 0));
      return fitsUntil(room, together, from.last && to.last, steps);
    }),
  );
  // best[h][t]: the most from step t on, holding h; the last row is holding nothing.
  const none = holdings.length;
  const best = Array.from({ length: none + 1 }, () => new Float64Array(steps + 1));
  const fromNothing = best[none] as Float64Array;
  for (let step = steps - 1; step >= 0; step -= 1) {
    let nothing = fromNothing[step + 1] as number;
    for (let to = 0; to < none; to += 1) {
      const ready = step + (holdings[to] as Holding).loadSteps;
      if (ready <= steps && ((alone[to] as Int32Array)[step] as number) >= ready) {
        nothing = Math.max(nothing, (best[to] as Float64Array)[ready] as number);
      }
    }
    fromNothing[step] = nothing;
    for (let from = 0; from < none; from += 1) {
      const { quality } = holdings[from] as Holding;
      const own = best[from] as Float64Array;
      let most = nothing;
      if (((alone[from] as Int32Array)[step] as number) > step) {
        most = Math.max(most, quality + (own[step + 1] as number));
        for (let to = 0; to < none; to += 1) {
          const { loadSteps } = holdings[to] as Holding;
          const ready = step + loadSteps;
          if (to === from || ready > steps) continue;
          if ((((both[from] as Int32Array[])[to] as Int32Array)[step] as number) >= ready) {
            const then = (best[to] as Float64Array)[ready] as number;
            most = Math.max(most, quality * loadSteps + then);
          }
        }
      }
      own[step] = most;
    }
  }
  return fromNothing[0] as number;
}

/** Until which step a demand fits without a break, by step. */
function fitsUntil(room: RoomByStep, demand: Demand, last: boolean, steps: number): Int32Array {
  const until = new Int32Array(steps + 1);
  until[steps] = steps;
  const pools = last ? room.hard : room.limit;
  for (let step = steps - 1; step >= 0; step -= 1) {
    let fits = room.available === null || room.available[step] === 1;
    for (let pool = 0; fits && pool < pools.length; pool += 1) {
      fits = (demand[pool] ?? 0) <= ((pools[pool] as Float64Array)[step] as number);
    }
    until[step] = fits ? (until[step + 1] as number) : step;
  }
  return until;
}
