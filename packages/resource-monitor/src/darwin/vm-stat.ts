/** Figures of vm_stat, in bytes. */
export interface VmStat {
  /** Memory that cannot be freed without swapping: 'Memory Used' of Activity Monitor. */
  readonly usedBytes: number;
  readonly swapInBytes: number;
  readonly swapOutBytes: number;
}

/**
 * Reads vm_stat(1); null for output in another format. Used memory is anonymous pages that cannot be purged,
 * wired pages and the pages of the compressor. The rest is free or file cache. Before OS X 10.9 vm_stat did not
 * print anonymous pages. There, used memory is the total minus free, inactive and speculative pages.
 */
export function parseVmStat(text: string, totalBytes: number): VmStat | null {
  const pageBytes = Number(/page size of (\d+) bytes/.exec(text)?.[1] ?? Number.NaN);
  const pages = (label: string): number | null => {
    const match = new RegExp(`^"?${label}"?:\\s+(\\d+)\\.`, 'm').exec(text)?.[1];
    return match === undefined ? null : Number(match);
  };
  const free = pages('Pages free');
  const wired = pages('Pages wired down');
  if (Number.isNaN(pageBytes) || free === null || wired === null) return null;
  const anonymous = pages('Anonymous pages');
  const purgeable = pages('Pages purgeable') ?? 0;
  const compressor = pages('Pages occupied by compressor') ?? 0;
  const reclaimable = free + (pages('Pages inactive') ?? 0) + (pages('Pages speculative') ?? 0);
  const usedBytes =
    anonymous === null
      ? totalBytes - reclaimable * pageBytes
      : (Math.max(0, anonymous - purgeable) + wired + compressor) * pageBytes;
  return {
    usedBytes,
    swapInBytes: (pages('Swapins') ?? 0) * pageBytes,
    swapOutBytes: (pages('Swapouts') ?? 0) * pageBytes,
  };
}
