import type { SimulatedModel } from '../machine/simulated-model.js';
import type { TraceRow } from '../trace/trace.js';

/**
 * A day in steps of a quarter of a second. Planning with more steps would take longer than the simulation.
 */
const STEPS_MAX = 345_600;

/** The steps that time is cut into for planning. */
export interface PlanningGrid {
  readonly stepMs: number;
  readonly steps: number;
}

/**
 * Finds the longest step of which every time of the trace and every load time is a multiple. Where that
 * gives more than `STEPS_MAX` steps, it takes `STEPS_MAX` equal ones.
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
