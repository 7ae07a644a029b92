import type { GpuReading } from '../reading/figures.js';
import { isPossibleTotal } from '../reading/possible-bytes.js';

/** Drivers add up the rounded load of several units of a GPU, so a sum slightly above 1 is read as 1. */
const ROUNDING_RATIO = 1.1;

/** Replaces impossible figures by null, because a failing driver can report arbitrary numbers. */
export function plausible(gpu: GpuReading): GpuReading {
  const { utilizationRatio } = gpu;
  const totalBytes =
    gpu.totalBytes !== null && isPossibleTotal(gpu.totalBytes) ? gpu.totalBytes : null;
  const exceeds = (bytes: number | null): boolean =>
    bytes !== null && totalBytes !== null && bytes > totalBytes;
  // For shared memory the total is only a cap, which the use may exceed.
  const overused = gpu.memory === 'dedicated' && exceeds(gpu.usedBytes);
  const overfree = exceeds(gpu.availableBytes);
  const impossible = gpu.availableBytes !== null && (overused || overfree);
  // Readers compute free memory as the total less the use. So if the total is not known, free memory of 0 bytes, or of more
  // bytes than any GPU has, is not a measurement.
  const underived = totalBytes === null && !isPossibleTotal(gpu.availableBytes ?? 0);
  const faults = [
    ...(totalBytes === null && gpu.totalBytes !== null
      ? [`reports a total of ${gpu.totalBytes} bytes`]
      : []),
    ...(impossible ? [`reports more ${overfree ? 'free' : 'used'} memory than the total`] : []),
  ];
  return {
    ...gpu,
    totalBytes,
    usedBytes: overused ? null : gpu.usedBytes,
    // Several readers derive free memory from the use, so an impossible use makes use and free memory unknown.
    availableBytes: impossible || underived ? null : gpu.availableBytes,
    utilizationRatio:
      utilizationRatio === null || utilizationRatio > ROUNDING_RATIO
        ? null
        : Math.min(1, utilizationRatio),
    readAtMonotonicMs: impossible || underived ? null : gpu.readAtMonotonicMs,
    reasons: [...gpu.reasons, ...faults],
  };
}

/**
 * A shared GPU, whose memory is RAM, with no more of it than the machine has. The sum of the carve-out and the GTT of an AMD APU can
 * be more (ROCm/legacy-rocm-build #6004: 132 GiB with 119.5 GiB of RAM), and so can the size in LM Studio's survey.
 */
export function withinRam<Gpu extends Shared>(gpu: Gpu, ramTotalBytes: number): Gpu {
  const { memory, totalBytes, usedBytes, availableBytes } = gpu;
  if (memory !== 'shared' || totalBytes === null || totalBytes <= ramTotalBytes) return gpu;
  const left = ramTotalBytes - (usedBytes ?? 0);
  return {
    ...gpu,
    totalBytes: ramTotalBytes,
    availableBytes: availableBytes === null ? null : Math.max(0, Math.min(availableBytes, left)),
  };
}

type Shared = Pick<GpuReading, 'memory' | 'totalBytes' | 'usedBytes' | 'availableBytes'>;
