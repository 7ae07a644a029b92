import type { Resources, SelectionPolicy } from '@mai/memory-ledger';

/** The pools whose measured use is above the hard limit, by name; none where nothing is measured. */
export function poolsOverHardLimit(resources: Resources, policy: SelectionPolicy): string[] {
  if (!resources.observable) return [];
  const over = (total: number | null, available: number | null, limitRatio: number): boolean =>
    total !== null && available !== null && total - available > limitRatio * total;
  const pools: string[] = [];
  const ramLimit = resources.unified ? policy.unifiedHardLimitRatio : policy.hardLimitRatio;
  if (over(resources.ram.totalBytes, resources.ram.availableBytes, ramLimit)) pools.push('ram');
  for (const gpu of resources.gpus) {
    // Shared GPU memory lives in RAM, where it has been counted.
    if (gpu.memory === 'shared' || resources.unified) continue;
    if (over(gpu.totalBytes, gpu.availableBytes, policy.hardLimitRatio))
      pools.push(`gpu:${gpu.deviceKey}`);
  }
  return pools;
}
