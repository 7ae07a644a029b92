import type { SimulatedModel } from '../machine/simulated-model.js';
import type { TraceRow } from '../trace/trace.js';

/**
 * The number of steps of a day with four steps a second. With more steps, planning would take longer than the
 * simulation.
 */
const STEPS_MAX = 345_600;

/** The division of time into equal steps for planning. */
export interface PlanningGrid {
  readonly stepMs: number;
  readonly steps: number;
}

/**
 * Finds the longest step that divides every time of the trace and every load time. If this gives more than
 * `STEPS_MAX` steps, the grid has `STEPS_MAX` equal steps instead.
 */
export function gridOf(
  trace: readonly TraceRow[],
  models: readonly SimulatedModel[],
): PlanningGrid {
  const durationMs = trace[trace.length - 1]?.tMs ?? 0;
  if (durationMs <= 0) return { stepMs: 1, steps: 0 };
  let stepMs = durationMs;
  for (const { tMs } of trace) stepMs = commonDivisor(stepMs, tMs);
  for (const { loadMs } of models) stepMs = commonDivisor(stepMs, loadMs);
  const exact = Number.isInteger(stepMs) && durationMs / stepMs <= STEPS_MAX;
  if (!exact) stepMs = durationMs / STEPS_MAX;
  return { stepMs, steps: Math.round(durationMs / stepMs) };
}

/** The greatest common divisor (Euclid). */
function commonDivisor(one: number, other: number): number {
  let [greater, lesser] = [one, other];
  while (lesser > 0) [greater, lesser] = [lesser, greater % lesser];
  return greater;
}
