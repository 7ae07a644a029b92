import type { SelectionPolicy } from '@mai/memory-ledger';
import { boundsOf, othersOf, plus, type Demand } from './pools.js';
import { foreignDemand } from './simulated-instance.js';
import type { TraceRow } from './trace.js';

/** What is left for models in each step, the least within it; by pool, then by step. */
export interface RoomByStep {
  readonly limit: readonly Float64Array[];
  readonly hard: readonly Float64Array[];
  /** 1 in every step in which LM Studio is up; null when it always is. */
  readonly available: Uint8Array | null;
}

/** What others leave of each pool under either limit. */
export function roomByStep(
  trace: readonly TraceRow[],
  policy: SelectionPolicy,
  steps: number,
  stepMs: number,
): RoomByStep {
  const pools = 1 + Math.max(0, ...trace.map((row) => boundsOf(row, policy).limit.length - 1));
  const create = (): Float64Array[] =>
    Array.from({ length: pools }, () => new Float64Array(steps).fill(Number.POSITIVE_INFINITY));
  const limit = create();
  const hard = create();
  const foreign = foreignByRow(trace);
  for (const [index, row] of trace.entries()) {
    const untilMs = trace[index + 1]?.tMs ?? steps * stepMs;
    const bounds = boundsOf(row, policy);
    const taken = plus(othersOf(row), foreign[index] as Demand);
    const from = Math.floor(row.tMs / stepMs);
    const until = Math.min(steps, Math.ceil(untilMs / stepMs));
    for (let pool = 0; pool < pools; pool += 1) {
      const least = (to: Float64Array, bound: number | undefined): void => {
        const left = (bound ?? 0) - (taken[pool] ?? 0);
        for (let step = from; step < until; step += 1) {
          if (left < (to[step] as number)) to[step] = left;
        }
      };
      least(limit[pool] as Float64Array, bounds.limit[pool]);
      least(hard[pool] as Float64Array, bounds.hard[pool]);
    }
  }
  return { limit, hard, available: availability(trace, steps, stepMs) };
}

/** What models loaded by hand take, by row. */
function foreignByRow(trace: readonly TraceRow[]): Demand[] {
  const loaded = new Map<string, Demand>();
  return trace.map((row) => {
    for (const event of row.events) {
      if (event.type === 'foreignLoad') {
        loaded.set(event.instanceIdentifier, foreignDemand(event));
      } else if (event.type === 'foreignUnload') loaded.delete(event.instanceIdentifier);
      else if (event.type === 'lmStudioDown') loaded.clear();
    }
    return [...loaded.values()].reduce(plus, [0]);
  });
}

function availability(
  trace: readonly TraceRow[],
  steps: number,
  stepMs: number,
): Uint8Array | null {
  const down = trace.some((row) => row.events.some((event) => event.type === 'lmStudioDown'));
  if (!down) return null;
  const up = new Uint8Array(steps).fill(1);
  let isUp = true;
  for (const [index, row] of trace.entries()) {
    for (const event of row.events) {
      if (event.type === 'lmStudioUp') isUp = true;
      else if (event.type === 'lmStudioDown') isUp = false;
    }
    if (isUp) continue;
    const untilMs = trace[index + 1]?.tMs ?? steps * stepMs;
    up.fill(0, Math.floor(row.tMs / stepMs), Math.ceil(untilMs / stepMs));
  }
  return up;
}
