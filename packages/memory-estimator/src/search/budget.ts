import type { Footprint } from '../estimate/footprint.js';

/** How much memory a model may take; null sets no bound. */
export interface MemoryBudget {
  readonly ramBytes: number | null;
  readonly gpus: readonly { readonly deviceKey: string; readonly bytes: number | null }[];
  /** The GPU takes its memory from RAM (Apple silicon, integrated GPUs): its bytes count there as well. */
  readonly unified: boolean;
  /** True charges the upper end of the interval, as a decision should; false the estimate itself. */
  readonly withMargin: boolean;
}

/** What a footprint is charged in each pool. */
export interface Charge {
  readonly ramBytes: number;
  readonly gpus: readonly { readonly deviceKey: string; readonly bytes: number }[];
}

/**
 * The bytes that a footprint is charged: itself, and what the interval's upper end lies above it, spread
 * over the pools by their bytes that are not mapped (mapped weights are exact).
 */
export function chargeOf(footprint: Footprint, withMargin: boolean): Charge {
  const { ram, gpus, interval } = footprint;
  const gpuBytes = gpus.reduce((sum, gpu) => sum + gpu.bytes, 0);
  const total = ram.mappedBytes + ram.anonymousBytes + gpuBytes;
  const margin = withMargin && interval !== null ? Math.max(0, interval.highBytes - total) : 0;
  const spread = ram.anonymousBytes + gpuBytes;
  const share = (bytes: number) => (spread > 0 ? Math.ceil((margin * bytes) / spread) : 0);
  return {
    ramBytes:
      ram.mappedBytes + ram.anonymousBytes + (spread > 0 ? share(ram.anonymousBytes) : margin),
    gpus: gpus.map(({ deviceKey, bytes }) => ({ deviceKey, bytes: bytes + share(bytes) })),
  };
}

/** Whether a footprint fits a budget. */
export function fitsBudget(footprint: Footprint, budget: MemoryBudget): boolean {
  return fits(chargeOf(footprint, budget.withMargin), budget);
}

/** Whether charges stay within a budget, pool by pool. What is no number fits nowhere. */
export function fits(charge: Charge, budget: MemoryBudget): boolean {
  const gpuBytes = charge.gpus.reduce((sum, gpu) => sum + gpu.bytes, 0);
  const ramBytes = charge.ramBytes + (budget.unified ? gpuBytes : 0);
  if (budget.ramBytes !== null && !(ramBytes <= budget.ramBytes)) return false;
  return charge.gpus.every(({ deviceKey, bytes }) => {
    const limit = budget.gpus.find((gpu) => gpu.deviceKey === deviceKey)?.bytes ?? null;
    return limit === null || bytes <= limit;
  });
}
