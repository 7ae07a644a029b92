import type { FileTree } from '../ports/file-tree.js';
import { oncePerSample } from '../reading/reader.js';
import type { SampleContext } from '../reading/reader.js';

/** ZFS's statistics of its cache. */
export const ARC_STATISTICS = '/proc/spl/kstat/zfs/arcstats';

/** Reads ZFS's cache, the ARC, at most once per sample; null if the ZFS module is not loaded. */
export function createZfsArc(files: FileTree): {
  readEvictableBytes: (context: SampleContext) => number | null;
  close: () => void;
} {
  const file = files.keep(ARC_STATISTICS);
  return {
    readEvictableBytes: oncePerSample(() => parseEvictableBytes(file.read())),
    close: () => file.close(),
  };
}

/**
 * The bytes of the ARC that the kernel gets back under memory pressure. MemAvailable does not include them,
 * because the ARC is not part of the page cache. The formula is `arc_evictable_memory()` of OpenZFS
 * (module/os/linux/zfs/arc_os.c) with its default `zfs_arc_pc_percent` of 0: clean buffers of both lists can be
 * evicted, until the size is `c_min`. `size` includes dirty and pinned buffers, but the counters of evictable
 * bytes do not. Null if a counter is missing.
 */
export function parseEvictableBytes(text: string | null): number | null {
  if (text === null) return null;
  const counters = new Map(
    [...text.matchAll(/^(\w+)\s+\d+\s+(\d+)$/gm)].map(([, name, value]) => [name, Number(value)]),
  );
  const sizeBytes = counters.get('size');
  const minimumBytes = counters.get('c_min');
  if (sizeBytes === undefined || minimumBytes === undefined) return null;
  let cleanBytes = 0;
  for (const name of EVICTABLE) {
    const bytes = counters.get(name);
    if (bytes === undefined) return null;
    cleanBytes += bytes;
  }
  return Math.max(0, Math.min(cleanBytes, sizeBytes - minimumBytes));
}

const EVICTABLE = [
  'mru_evictable_data',
  'mru_evictable_metadata',
  'mfu_evictable_data',
  'mfu_evictable_metadata',
];
