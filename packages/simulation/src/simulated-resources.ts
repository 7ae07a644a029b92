import type { Resources } from '@mai/memory-ledger';
import { dedicatedGpus, isUnified, type Demand } from './pools.js';
import type { TraceRow } from './trace.js';

const GPU_KEY = 'simulated:';

/** What a monitor would read on a machine of which everything together asks so much. */
export function resourcesOf(
  row: TraceRow,
  demand: Demand,
  gpusLost: ReadonlySet<number>,
  timestampMs: number,
): Resources {
  const own = dedicatedGpus(row);
  const left = (totalBytes: number, pool: number): number =>
    Math.max(0, totalBytes - (demand[pool] ?? 0));
  return {
    timestampMs,
    observable: true,
    ram: {
      totalBytes: row.ram.totalBytes,
      availableBytes: left(row.ram.totalBytes, 0),
      mappedCountsAsUsed: false,
    },
    unified: isUnified(row),
    gpus: row.gpus.map((gpu, index) => ({
      deviceKey: `${GPU_KEY}${index}`,
      name: `GPU ${index}`,
      vendor: null,
      memory: gpu.unified ? ('shared' as const) : ('dedicated' as const),
      totalBytes: gpu.totalBytes,
      availableBytes:
        gpu.unified || gpusLost.has(index) ? null : left(gpu.totalBytes, 1 + own.indexOf(gpu)),
    })),
    cpu: { utilizationRatio: row.cpuOthersRatio, othersRatio: row.cpuOthersRatio },
  };
}
