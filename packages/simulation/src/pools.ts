import type { SelectionPolicy } from '@mai/memory-ledger';
import type { TraceRow } from './trace.js';

/** Bytes by pool: RAM first, then every GPU with memory of its own, in the order of the trace. */
export type Demand = readonly number[];

/** The GPUs of a row that have memory of their own. */
export function dedicatedGpus(row: TraceRow): TraceRow['gpus'] {
  return row.gpus.filter((gpu) => !gpu.unified);
}

/** Whether CPU and GPU share one pool. */
export function isUnified(row: TraceRow): boolean {
  return row.gpus.length > 0 && row.gpus.every((gpu) => gpu.unified);
}

/** Which part of what is on GPUs each of them holds: as llama.cpp splits layers, by their size. */
export function gpuSharesOf(row: TraceRow): readonly number[] {
  const totals = dedicatedGpus(row).map((gpu) => gpu.totalBytes);
  const all = totals.reduce((sum, bytes) => sum + bytes, 0);
  return totals.map((bytes) => (all === 0 ? 0 : bytes / all));
}

/** What the rest of the machine takes. */
export function othersOf(row: TraceRow): Demand {
  return [row.ram.othersBytes, ...dedicatedGpus(row).map((gpu) => gpu.othersBytes)];
}

/** The most that may be in use, by kind of bound. */
export interface Bounds {
  readonly limit: Demand;
  readonly hard: Demand;
  readonly capacity: Demand;
}

/** What the policy allows in the pools of a row. */
export function boundsOf(row: TraceRow, policy: SelectionPolicy): Bounds {
  const hardRatio = isUnified(row) ? policy.unifiedHardLimitRatio : policy.hardLimitRatio;
  const pools = (ramRatio: number, vramRatio: number): Demand => [
    row.ram.totalBytes * ramRatio,
    ...dedicatedGpus(row).map((gpu) => gpu.totalBytes * vramRatio),
  ];
  return {
    limit: pools(policy.memoryLimitRatio, policy.vramLimitRatio),
    hard: pools(hardRatio, policy.hardLimitRatio),
    capacity: pools(1, 1),
  };
}

/** Pool by pool; a pool that one of them lacks has nothing there. */
export function plus(one: Demand, other: Demand): Demand {
  const longer = one.length >= other.length ? one : other;
  const shorter = longer === one ? other : one;
  return longer.map((bytes, pool) => bytes + (shorter[pool] ?? 0));
}

/** Whether any pool is above its bound. A pool without a bound is not there. */
export function exceeds(demand: Demand, bounds: Demand): boolean {
  for (let pool = 0; pool < bounds.length; pool += 1) {
    if ((demand[pool] ?? 0) > (bounds[pool] as number)) return true;
  }
  return false;
}
