import {
  addCharges,
  HARD_LIMIT,
  LIMIT,
  NO_CHARGE,
  room,
  type Footprint,
  type PoolName,
  type SelectionPolicy,
} from '@mai/memory-ledger';
import {
  chargeOf,
  foreignFootprint,
  poolsOfRow,
  resourcesOfRow,
} from '../machine/simulated-resources.js';
import type { TraceRow } from '../trace/trace.js';
import type { PlanningGrid } from './planning-grid.js';

/** By pool and step: the least room within the step, in bytes. */
export type RoomByStep = ReadonlyMap<PoolName, Float64Array>;

/**
 * The bytes of each pool that are left below the limit, and below the hard limit, beside others and models that
 * were loaded by hand.
 */
export interface PlanningRoom {
  readonly limit: RoomByStep;
  readonly hardLimit: RoomByStep;
  /** By step: 1 while LM Studio is up. */
  readonly up: Uint8Array;
}

/**
 * Works out the room for models in every step.
 *
 * @param pools - the pools that models are charged to. A row without one of these pools has no room in that
 *   pool.
 */
export function planningRoom(
  trace: readonly TraceRow[],
  policy: SelectionPolicy,
  pools: readonly PoolName[],
  grid: PlanningGrid,
): PlanningRoom {
  const create = (): Map<PoolName, Float64Array> =>
    new Map(pools.map((pool) => [pool, new Float64Array(grid.steps).fill(Infinity)]));
  const limit = create();
  const hardLimit = create();
  const up = new Uint8Array(grid.steps).fill(1);
  const foreign = new Map<string, Footprint>();
  let isUp = true;
  for (const [index, row] of trace.entries()) {
    isUp = followEvents(row, foreign, isUp);
    const untilMs = trace[index + 1]?.tMs ?? grid.steps * grid.stepMs;
    const from = Math.floor(row.tMs / grid.stepMs);
    const until = Math.min(grid.steps, Math.ceil(untilMs / grid.stepMs));
    if (!isUp) up.fill(0, from, until);
    const resources = resourcesOfRow(row);
    const held = poolsOfRow(row, policy, {
      ours: NO_CHARGE,
      foreign: addCharges([...foreign.values()].map((one) => chargeOf(one, resources))),
    });
    for (const name of pools) {
      const pool = held.find((one) => one.name === name);
      lower(limit.get(name), from, until, pool === undefined ? 0 : room(pool, LIMIT));
      lower(hardLimit.get(name), from, until, pool === undefined ? 0 : room(pool, HARD_LIMIT));
    }
  }
  return { limit, hardLimit, up };
}

/** Applies the events of a row to the models that were loaded by hand. Returns whether LM Studio is then up. */
function followEvents(row: TraceRow, foreign: Map<string, Footprint>, wasUp: boolean): boolean {
  let isUp = wasUp;
  for (const event of row.events) {
    if (event.type === 'foreignLoad') {
      foreign.set(event.instanceIdentifier, foreignFootprint(event, row));
    } else if (event.type === 'foreignUnload') foreign.delete(event.instanceIdentifier);
    else if (event.type === 'lmStudioUp') isUp = true;
    else if (event.type === 'lmStudioDown') {
      isUp = false;
      foreign.clear();
    }
  }
  return isUp;
}

function lower(
  steps: Float64Array | undefined,
  from: number,
  until: number,
  roomBytes: number,
): void {
  if (steps === undefined) return;
  for (let step = from; step < until; step += 1) {
    if (roomBytes < (steps[step] ?? 0)) steps[step] = roomBytes;
  }
}
