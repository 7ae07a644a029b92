import type { GpuReading } from '../reading/figures.js';

/** Engines are counted one by one and rounded: a little above all of them is all of them. */
const ROUNDING_RATIO = 1.1;

/** A reading without the figures that cannot be: what a driver makes up in trouble is unknown, not true. */
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
    // Of system memory the total is only a limit, and more may be held than it allows.
    usedBytes: gpu.memory === 'shared' ? gpu.usedBytes : fits(gpu.usedBytes),
    availableBytes,
    utilizationRatio:
      utilizationRatio === null || utilizationRatio > ROUNDING_RATIO
        ? null
        : Math.min(1, utilizationRatio),
    readAtMonotonicMs: impossible ? null : gpu.readAtMonotonicMs,
    reasons: impossible
      ? [...gpu.reasons, 'it claims more free memory than there is']
      : gpu.reasons,
  };
}
