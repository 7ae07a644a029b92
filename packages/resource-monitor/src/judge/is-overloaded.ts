import type { ResourceSnapshot } from '../snapshot.js';

/** Shares of a total, 0 to 1, above which a pool is overloaded; null switches one off. */
export interface OverloadThresholds {
  /** Of RAM or a unified pool; 0.8 unless given. */
  readonly memoryLimitRatio?: number | null;
  /** Of each GPU's own memory; 0.9 unless given. */
  readonly vramLimitRatio?: number | null;
  /** Of all cores; 0.8 unless given. */
  readonly cpuLimitRatio?: number | null;
}

/** Whether any known figure is above its limit. What is unknown is not held against the machine. */
export function isOverloaded(snapshot: ResourceSnapshot, thresholds: OverloadThresholds): boolean {
  const { memoryLimitRatio = 0.8, vramLimitRatio = 0.9, cpuLimitRatio = 0.8 } = thresholds;
  const { ram, gpus, cpu } = snapshot;
  const above = (ratio: number | null, limit: number | null): boolean =>
    ratio !== null && limit !== null && ratio > limit;
  return (
    above(usedRatio(ram), memoryLimitRatio) ||
    above(cpu.utilizationRatio, cpuLimitRatio) ||
    gpus.some((gpu) => gpu.memory === 'dedicated' && above(usedRatio(gpu), vramLimitRatio))
  );
}

function usedRatio(pool: {
  readonly totalBytes: number | null;
  readonly availableBytes: number | null;
}): number | null {
  const { totalBytes, availableBytes } = pool;
  if (totalBytes === null || availableBytes === null || totalBytes <= 0) return null;
  return (totalBytes - availableBytes) / totalBytes;
}
