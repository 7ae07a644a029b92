import { setImmediate } from 'node:timers/promises';
import { addCharges, type Charge, type SelectionPolicy } from '@mai/memory-ledger';
import { loadOptionsOf, type SimulatedModel } from '../machine/simulated-model.js';
import { chargeOf, footprintOf, resourcesOfRow } from '../machine/simulated-resources.js';
import type { TraceRow } from '../trace/trace.js';
import { gridOf } from './planning-grid.js';
import { planningRoom, type PlanningRoom } from './room-by-step.js';

const STEPS_PER_TURN = 1024;

/** One load option of one model that the plan can keep loaded. */
interface Holding {
  readonly charge: Charge;
  readonly loadSteps: number;
  readonly quality: number;
  /** Whether this is the last model of the chain, which may stay up to the hard limit. */
  readonly isLast: boolean;
}

/**
 * The highest quality that is possible with perfect foresight, as quality times milliseconds. Dynamic
 * programming over steps of time finds the best sequence of loads.
 *
 * 1. Load times and load options are those of the simulation. GPUs are those of the first row.
 * 2. A model is loaded and kept only while every pool that it is charged to stays within the limit. For the
 *    last model of the chain, this is the hard limit.
 * 3. During a load the old model still serves if both models fit.
 *
 * The result is exact where `gridOf` finds a step that divides every time. Otherwise a model is counted for a
 * step only if it fits during the whole step.
 *
 * @throws the signal's reason when it fires.
 */
export async function referenceQualityMs(
  trace: readonly TraceRow[],
  models: readonly SimulatedModel[],
  policy: SelectionPolicy,
  signal: AbortSignal | null = null,
): Promise<number> {
  const [first] = trace;
  if (first === undefined) return 0;
  const grid = gridOf(trace, models);
  const resources = resourcesOfRow(first);
  const holdings = models.flatMap((model, index) =>
    loadOptionsOf(model).map((loadOption): Holding => ({
      charge: chargeOf(footprintOf(loadOption, resources), resources),
      loadSteps: Math.ceil(model.loadMs / grid.stepMs),
      quality: loadOption.quality,
      isLast: index === models.length - 1,
    })),
  );
  const pools = [...addCharges(holdings.map((one) => one.charge)).keys()];
  const room = planningRoom(trace, policy, pools, grid);
  return (await bestFromNothing(holdings, room, grid.steps, signal)) * grid.stepMs;
}

/** A state of the plan, with its tables for dynamic programming. */
interface State extends Holding {
  /**
   * By step: the first later step at which the state no longer fits; the step itself if the state does not fit
   * there.
   */
  readonly fitsUntil: Int32Array;
  /** By step: the highest quality from that step on while this state is held. */
  readonly best: Float64Array;
}

/** A load of `to` while the old state still serves. */
interface Move {
  readonly to: State;
  /** By step: the step until which both states fit. */
  readonly fitsUntil: Int32Array;
}

/** The highest sum of the qualities of all steps that a plan can reach, if no model is loaded at the start. */
async function bestFromNothing(
  holdings: readonly Holding[],
  room: PlanningRoom,
  steps: number,
  signal: AbortSignal | null,
): Promise<number> {
  // The event loop turns now and then, so that signals of the process are handled.
  const turn = async (): Promise<void> => {
    await setImmediate();
    signal?.throwIfAborted();
  };
  const states = holdings.map((holding): State => ({
    ...holding,
    fitsUntil: fitsUntil(room, holding.charge, holding.isLast, steps),
    best: new Float64Array(steps + 1),
  }));
  const moves = new Map<State, readonly Move[]>();
  for (const from of states) {
    await turn();
    const others = states.filter((to) => to !== from);
    moves.set(
      from,
      others.map((to) => ({
        to,
        fitsUntil: fitsUntil(
          room,
          addCharges([from.charge, to.charge]),
          from.isLast && to.isLast,
          steps,
        ),
      })),
    );
  }
  const fromNothing = new Float64Array(steps + 1);
  for (let step = steps - 1; step >= 0; step -= 1) {
    if (step % STEPS_PER_TURN === 0) await turn();
    let nothing = at(fromNothing, step + 1);
    for (const to of states) {
      const ready = step + to.loadSteps;
      if (ready <= steps && at(to.fitsUntil, step) >= ready) {
        nothing = Math.max(nothing, at(to.best, ready));
      }
    }
    fromNothing[step] = nothing;
    for (const [from, others] of moves) {
      let most = nothing;
      if (at(from.fitsUntil, step) > step) {
        most = Math.max(most, from.quality + at(from.best, step + 1));
        for (const { to, fitsUntil: bothFitUntil } of others) {
          const ready = step + to.loadSteps;
          if (ready <= steps && at(bothFitUntil, step) >= ready) {
            most = Math.max(most, from.quality * to.loadSteps + at(to.best, ready));
          }
        }
      }
      from.best[step] = most;
    }
  }
  return at(fromNothing, 0);
}

/** By step: the step until which a charge fits without interruption. */
function fitsUntil(
  { limit, hardLimit, up }: PlanningRoom,
  charge: Charge,
  isLast: boolean,
  steps: number,
): Int32Array {
  const rooms = isLast ? hardLimit : limit;
  const needed = [...charge].flatMap(([pool, bytes]) => {
    const byStep = rooms.get(pool);
    return byStep === undefined || bytes <= 0 ? [] : [{ bytes, byStep }];
  });
  const until = new Int32Array(steps + 1);
  until[steps] = steps;
  for (let step = steps - 1; step >= 0; step -= 1) {
    const fits = up[step] === 1 && needed.every(({ bytes, byStep }) => bytes <= at(byStep, step));
    until[step] = fits ? at(until, step + 1) : step;
  }
  return until;
}

/** Reads an entry of a table. An index outside of the table is a bug. */
function at(table: Float64Array | Int32Array, index: number): number {
  const value = table[index];
  if (value === undefined) throw new RangeError(`The plan has no step ${index}.`);
  return value;
}
