import type { GpuReading } from '../reading/figures.js';

/** Drivers add up the rounded use of several engines, so a sum slightly above 1 means 1. */
const ROUNDING_RATIO = 1.1;

/** Replaces impossible figures by null: drivers in trouble report invented ones. */
export function plausible(gpu: GpuReading): GpuReading {
  const { utilizationRatio } = gpu;
  const totalBytes = gpu.totalBytes === 0 ? null : gpu.totalBytes;
  const fits = (bytes: number | null): number | null =>
    bytes !== null && totalBytes !== null && bytes > totalBytes ? null : bytes;
  const availableBytes = fits(gpu.availableBytes);
  const impossible = availableBytes !== gpu.availableBytes;
  return {
    ...gpu,
    totalBytes,
    // The total of shared memory is only a cap, and a GPU may hold more than that.
    usedBytes: gpu.memory === 'shared' ? gpu.usedBytes : fits(gpu.usedBytes),
    availableBytes,
    utilizationRatio:
      utilizationRatio === null || utilizationRatio > ROUNDING_RATIO
        ? null
        : Math.min(1, utilizationRatio),
    readAtMonotonicMs: impossible ? null : gpu.readAtMonotonicMs,
    reasons: impossible
      ? [...gpu.reasons, 'it reports more free memory than the total']
      : gpu.reasons,
  };
}
