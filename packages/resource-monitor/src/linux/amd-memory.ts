import type { GpuReading } from '../reading/figures.js';

/** amdgpu's counters of one chip; null where it has no such file. */
export interface AmdMemory {
  /** A card's own memory; of an APU the part of system memory that the firmware set aside. */
  readonly vramTotalBytes: number | null;
  readonly vramUsedBytes: number | null;
  /** System memory that the GPU may map. */
  readonly gttTotalBytes: number | null;
  readonly gttUsedBytes: number | null;
  /** A chip without memory of its own. */
  readonly integrated: boolean;
}

type Classified = Pick<
  GpuReading,
  'kind' | 'memory' | 'totalBytes' | 'usedBytes' | 'availableBytes'
>;

/**
 * What an AMD chip's memory means. A card has its VRAM. An APU allocates from its carve-out and from
 * system memory (GTT) alike, so with the usual small carve-out it lives in system memory and is not
 * full at 2 GB; a firmware that sets most of the memory aside for it (Strix Halo boards do) has made
 * that part dedicated, and the OS no longer counts it as RAM.
 */
export function classifyAmd(memory: AmdMemory): Classified {
  const { vramTotalBytes, vramUsedBytes, gttTotalBytes, gttUsedBytes, integrated } = memory;
  const kind = integrated ? 'integrated' : 'discrete';
  if (vramTotalBytes === null) {
    const shared = integrated ? 'shared' : 'dedicated';
    return { kind, memory: shared, totalBytes: null, usedBytes: null, availableBytes: null };
  }
  if (integrated && gttTotalBytes === null) {
    // How much of system memory it may use is unknown: its carve-out alone would look full.
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
