import type { FileTree } from '../ports/file-tree.js';
import { isPossibleTotal } from '../reading/possible-bytes.js';
import { oncePerSample } from '../reading/reader.js';
import type { SampleContext } from '../reading/reader.js';

/** Figures of /proc/meminfo, in bytes. */
export interface MemInfo {
  readonly totalBytes: number;
  /**
   * The total without the memory that is reserved as huge pages. Only programs that ask for huge pages can use that memory.
   * llama.cpp does not ask for them (ggml-org/llama.cpp #2251, #12552 and #21821). MemAvailable leaves this memory out, too.
   */
  readonly usableBytes: number;
  /** Null if neither MemAvailable nor the lines that it is estimated from are possible. */
  readonly availableBytes: number | null;
  /** Why MemAvailable is impossible; null if it is possible. */
  readonly contradiction: string | null;
  /** False if `availableBytes` is estimated from other lines: before Linux 3.14, and if MemAvailable is impossible. */
  readonly availableIsKernels: boolean;
  readonly swapTotalBytes: number | null;
  readonly swapFreeBytes: number | null;
}

/** Reads /proc/meminfo, and tells whether the file describes a container instead of the machine. */
export interface MemInfoReader {
  /** Read at most once per sample. Null if the file does not exist or has no valid MemTotal. */
  readonly read: (context: SampleContext) => MemInfo | null;
  /** True if a file system such as lxcfs is mounted over /proc/meminfo. The figures are then the container's. */
  readonly isContainers: boolean;
  readonly close: () => void;
}

/** Reads /proc/meminfo for each sample, and the mounts of this process once. */
export function createMemInfo(files: FileTree): MemInfoReader {
  const file = files.keep('/proc/meminfo');
  // The fifth field is the mount point; see proc_pid_mountinfo(5).
  const mounts = files.readText('/proc/self/mountinfo') ?? '';
  const isContainers = /^(\S+ ){4}\/proc\/meminfo /m.test(mounts);
  return {
    read: oncePerSample(() => {
      const memInfo = parseMemInfo(file.read());
      // lxcfs passes on the machine's huge pages, which are no part of the container's total.
      return isContainers && memInfo !== null
        ? { ...memInfo, usableBytes: memInfo.totalBytes }
        : memInfo;
    }),
    isContainers,
    close: () => file.close(),
  };
}

/**
 * The kernel subtracts its reserve from MemFree to get MemAvailable. The reserve is a few percent of the
 * total, so MemAvailable cannot be 0 if this share of the total is free.
 */
const LARGEST_RESERVE_RATIO = 0.25;

/**
 * MemAvailable is free memory, file cache and kernel memory that can be reclaimed, less reserves (`si_mem_available` in
 * Linux's mm/show_mem.c). These counters are read one after the other and lag behind, so it may be this share of the total above
 * their sum.
 */
const COUNTERS_LAG_RATIO = 0.1;

/** Null if the text has no valid MemTotal. */
export function parseMemInfo(text: string | null): MemInfo | null {
  if (text === null) return null;
  const totalBytes = bytesOf(text, 'MemTotal:');
  if (totalBytes === null || !isPossibleTotal(totalBytes)) return null;
  const reported = bytesOf(text, 'MemAvailable:');
  const estimated = estimateAvailable(text);
  const freeBytes = bytesOf(text, 'MemFree:');
  const mostBytes = mostAvailable(text);
  const faultOf = (availableBytes: number): string | null =>
    contradictionOf({ totalBytes, availableBytes, freeBytes, mostBytes });
  const contradiction = faultOf(reported ?? estimated);
  // lxcfs can report a container's free memory and file cache beside a MemAvailable that is not the container's.
  const availableBytes =
    contradiction === null
      ? (reported ?? estimated)
      : faultOf(estimated) === null
        ? estimated
        : null;
  const restBytes = totalBytes - hugePagesIn(text);
  return {
    totalBytes,
    // Huge pages are never available. If they leave less than is available, the figures are not of one machine.
    usableBytes:
      contradiction === null && restBytes > 0 && restBytes >= (availableBytes ?? 0)
        ? restBytes
        : totalBytes,
    availableBytes,
    contradiction,
    availableIsKernels: reported !== null && contradiction === null,
    swapTotalBytes: bytesOf(text, 'SwapTotal:'),
    swapFreeBytes: bytesOf(text, 'SwapFree:'),
  };
}

function contradictionOf(figures: {
  readonly totalBytes: number;
  readonly availableBytes: number;
  readonly freeBytes: number | null;
  readonly mostBytes: number | null;
}): string | null {
  const { totalBytes, availableBytes, mostBytes } = figures;
  const freeBytes = figures.freeBytes ?? 0;
  if (availableBytes < 0 || freeBytes < 0) return 'reports less than 0 bytes of memory';
  if (availableBytes > totalBytes) return 'reports more available memory than the total';
  if (freeBytes > totalBytes) return 'reports more free memory than the total';
  if (mostBytes !== null && availableBytes > mostBytes + COUNTERS_LAG_RATIO * totalBytes)
    return 'reports more available memory than is free or can be reclaimed';
  if (availableBytes > 0) return null;
  // A running kernel always keeps some pages free.
  if (freeBytes === 0) return 'reports neither free nor available memory';
  return freeBytes > totalBytes * LARGEST_RESERVE_RATIO
    ? 'reports much free memory, but no available memory'
    : null;
}

/** An estimate of MemAvailable without the kernel's watermarks: free memory plus file cache, minus shared memory. */
function estimateAvailable(text: string): number {
  const of = (key: string): number => bytesOf(text, key) ?? 0;
  return Math.max(0, of('MemFree:') + of('Cached:') + of('Buffers:') - of('Shmem:'));
}

/** The sum of everything that MemAvailable can contain; null where the file leaves a part of it out. */
function mostAvailable(text: string): number | null {
  const [free, cached, buffers] = ['MemFree:', 'Cached:', 'Buffers:'].map((key) =>
    bytesOf(text, key),
  );
  if (free == null || cached == null || buffers == null) return null;
  const of = (key: string): number => bytesOf(text, key) ?? 0;
  // KReclaimable, since Linux 4.20, contains SReclaimable.
  const kernelBytes = Math.max(of('KReclaimable:'), of('SReclaimable:'));
  return free + cached + buffers + of('SwapCached:') + kernelBytes;
}

/** Bytes of the huge pages, used and free. Before Linux 4.17, the file has only the number of pages of the default size. */
function hugePagesIn(text: string): number {
  const pages = (bytesOf(text, 'HugePages_Total:') ?? 0) / 1024;
  return bytesOf(text, 'Hugetlb:') ?? pages * (bytesOf(text, 'Hugepagesize:') ?? 0);
}

function bytesOf(text: string, key: string): number | null {
  // A key counts only at the start of a line, because `SwapCached:` ends with `Cached:`.
  const line = text.startsWith(key) ? 0 : text.indexOf(`\n${key}`) + 1;
  if (line === 0 && !text.startsWith(key)) return null;
  const kibibytes = Number.parseInt(text.slice(line + key.length, line + key.length + 32), 10);
  return Number.isNaN(kibibytes) ? null : kibibytes * 1024;
}
