import type { FileTree } from '../ports/file-tree.js';
import type { SwapCounters } from '../reading/figures.js';
import type { Reader } from '../reading/reader.js';

/** Key of the page size in the auxiliary vector, see getauxval(3). */
const AT_PAGESZ = 6n;
const COMMON_PAGE_BYTES = 4096;

/** Reads from /proc/vmstat how many pages were swapped in and out since the machine started. */
export function linuxSwapCounters(files: FileTree): Reader<SwapCounters> & { close(): void } {
  const file = files.keep('/proc/vmstat');
  let pageBytes: number | null = null;
  return {
    source: '/proc/vmstat',
    read: ({ continuing }) => {
      if (!continuing) return { reason: 'a rate needs two samples' };
      const text = file.read() ?? '';
      const inPages = /^pswpin (\d+)$/m.exec(text)?.[1];
      const outPages = /^pswpout (\d+)$/m.exec(text)?.[1];
      if (inPages === undefined || outPages === undefined)
        return { reason: 'the file has no pswpin' };
      pageBytes ??= readPageSize(files);
      return {
        value: { inBytes: Number(inPages) * pageBytes, outBytes: Number(outPages) * pageBytes },
      };
    },
    close: () => file.close(),
  };
}

/** The page size from this process's auxiliary vector: 4 KiB on x86, up to 64 KiB on ARM and POWER. */
export function readPageSize(files: FileTree): number {
  const vector = Buffer.from(files.readText('/proc/self/auxv') ?? '', 'latin1');
  for (let offset = 0; offset + 16 <= vector.length; offset += 16) {
    if (vector.readBigUInt64LE(offset) === AT_PAGESZ)
      return Number(vector.readBigUInt64LE(offset + 8));
  }
  return COMMON_PAGE_BYTES;
}
