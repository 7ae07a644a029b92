import type { SimulatedModel } from './simulated-model.js';
import type { TraceRow } from './trace.js';

/** A day in steps of a quarter of a second; more would be planned for longer than it was simulated. */
const STEPS_MAX = 345_600;

/** How time is cut for planning. */
export interface PlanningGrid {
  readonly stepMs: number;
  readonly steps: number;
}

/**
 * The longest step that every change of the trace and every load time is a multiple of; where that is too
 * short for the length of the trace, the shortest that is not.
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
  const whole = Number.isInteger(stepMs) && durationMs / stepMs <= STEPS_MAX;
  if (!whole) stepMs = durationMs / STEPS_MAX;
  return { stepMs, steps: Math.round(durationMs / stepMs) };
}

function commonDivisor(one: number, other: number): number {
  let [greater, lesser] = [one, other];
  while (lesser > 0) [greater, lesser] = [lesser, greater % lesser];
  return greater;
}
