import type { Resources } from '@mai/memory-ledger';
import type { TraceRow } from '@mai/simulation';

/** The machine of a trace as the memory estimator meets it. */
export function simulatedResources({ ram, gpus }: TraceRow): Resources {
  return {
    timestampMs: 0,
    observable: true,
    ram: {
      totalBytes: ram.totalBytes,
      availableBytes: Math.max(0, ram.totalBytes - ram.othersBytes),
      mappedCountsAsUsed: false,
    },
    unified: gpus.some(({ unified }) => unified),
    gpus: gpus.map(({ totalBytes, othersBytes, unified }, index) => ({
      deviceKey: `simulated:${index}`,
      name: `GPU ${index + 1}`,
      vendor: null,
      memory: unified ? 'shared' : 'dedicated',
      totalBytes,
      availableBytes: Math.max(0, totalBytes - othersBytes),
    })),
    cpu: { utilizationRatio: null, othersRatio: null },
  };
}
