import type { GpuSnapshot, ResourceSnapshot } from '../src/snapshot.js';

const GIB = 1024 ** 3;

/** A snapshot of a machine with 32 GiB. Tests give only the figures that matter to them. */
export function snapshotWith(
  parts: {
    readonly timestampMs?: number;
    readonly totalBytes?: number;
    readonly availableBytes?: number | null;
    readonly cpuRatio?: number | null;
    readonly gpus?: readonly Partial<GpuSnapshot>[];
  } = {},
): ResourceSnapshot {
  const { timestampMs = 0, totalBytes = 32 * GIB, availableBytes = 16 * GIB } = parts;
  return {
    timestampMs,
    observable: true,
    ram: {
      totalBytes,
      availableBytes,
      mappedCountsAsUsed: false,
      limitedBy: 'machine',
      machineTotalBytes: totalBytes,
    },
    swap: { totalBytes: 0, freeBytes: 0, inBytesPerSecond: 0, outBytesPerSecond: 0 },
    pressure: { stall: null, level: null, commit: null },
    unified: false,
    gpus: (parts.gpus ?? []).map((gpu, index) => ({
      deviceKey: `gpu-${index}`,
      name: 'GPU',
      vendor: null,
      kind: 'discrete',
      memory: 'dedicated',
      totalBytes: 8 * GIB,
      usedBytes: null,
      availableBytes: 8 * GIB,
      utilizationRatio: null,
      processes: null,
      readAtMs: timestampMs,
      ...gpu,
    })),
    cpu: {
      cores: 8,
      utilizationRatio: parts.cpuRatio ?? null,
      enginesRatio: null,
      othersRatio: null,
      loadAverages: null,
    },
    engines: null,
    power: { onBattery: null, chargeRatio: null },
    sources: [],
  };
}
