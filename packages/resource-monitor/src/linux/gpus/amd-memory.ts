import type { GpuReading } from '../../reading/figures.js';

/** amdgpu's counters of one GPU; null for a counter whose file does not exist. */
export interface AmdMemory {
  /** The memory of a card, or the part of system memory that firmware has set aside for an APU (its carve-out). */
  readonly vramTotalBytes: number | null;
  readonly vramUsedBytes: number | null;
  /** System memory that the GPU may map. */
  readonly gttTotalBytes: number | null;
  readonly gttUsedBytes: number | null;
  /** True for an APU, which has no memory of its own. */
  readonly integrated: boolean;
}

type Classified = Pick<
  GpuReading,
  'kind' | 'memory' | 'totalBytes' | 'usedBytes' | 'availableBytes'
>;

/**
 * The pool of an AMD GPU. For a card it is the VRAM. An APU allocates from its carve-out and from system memory
 * (GTT). With a small carve-out, as is usual, the pool is the sum of both and is shared with the system. If the
 * carve-out is larger than the GTT (on Strix Halo boards), the carve-out is a dedicated pool, because the OS
 * does not count it as RAM.
 */
export function classifyAmd(memory: AmdMemory): Classified {
  const { vramTotalBytes, vramUsedBytes, gttTotalBytes, gttUsedBytes, integrated } = memory;
  const kind = integrated ? 'integrated' : 'discrete';
  if (vramTotalBytes === null) {
    const shared = integrated ? 'shared' : 'dedicated';
    return { kind, memory: shared, totalBytes: null, usedBytes: null, availableBytes: null };
  }
  if (integrated && gttTotalBytes === null) {
    // The system memory that the GPU may use is not known. The carve-out alone would be too small, because
    // models also use system memory.
    return { kind, memory: 'shared', totalBytes: null, usedBytes: null, availableBytes: null };
  }
  if (!integrated || gttTotalBytes === null || vramTotalBytes > gttTotalBytes)
    return { kind, memory: 'dedicated', ...pool(vramTotalBytes, vramUsedBytes) };
  const usedBytes =
    vramUsedBytes === null || gttUsedBytes === null ? null : vramUsedBytes + gttUsedBytes;
  return { kind, memory: 'shared', ...pool(vramTotalBytes + gttTotalBytes, usedBytes) };
}

function pool(
  totalBytes: number,
  usedBytes: number | null,
): Pick<GpuReading, 'totalBytes' | 'usedBytes' | 'availableBytes'> {
  const availableBytes = usedBytes === null ? null : Math.max(0, totalBytes - usedBytes);
  return { totalBytes, usedBytes, availableBytes };
}
