import type { FileTree } from '../ports/file-tree.js';
import { oncePerSample } from '../reading/reader.js';
import type { SampleContext } from '../reading/reader.js';

/** Figures of /proc/meminfo, in bytes. */
export interface MemInfo {
  readonly totalBytes: number;
  readonly availableBytes: number;
  /** False on kernels before 3.14, where `availableBytes` is estimated from other lines. */
  readonly availableIsKernels: boolean;
  readonly swapTotalBytes: number | null;
  readonly swapFreeBytes: number | null;
}

/** Reads /proc/meminfo at most once per sample; null if it does not exist. */
export function createMemInfo(files: FileTree): {
  read: (context: SampleContext) => MemInfo | null;
  close: () => void;
} {
  const file = files.keep('/proc/meminfo');
  return { read: oncePerSample(() => parseMemInfo(file.read())), close: () => file.close() };
}

/** Null if the text has no valid MemTotal. */
export function parseMemInfo(text: string | null): MemInfo | null {
  if (text === null) return null;
  const totalBytes = bytesOf(text, 'MemTotal:');
  if (totalBytes === null || totalBytes <= 0) return null;
  const available = bytesOf(text, 'MemAvailable:');
  return {
    totalBytes,
    availableBytes: Math.min(totalBytes, available ?? estimateAvailable(text)),
    availableIsKernels: available !== null,
    swapTotalBytes: bytesOf(text, 'SwapTotal:'),
    swapFreeBytes: bytesOf(text, 'SwapFree:'),
  };
}

/** MemAvailable without the kernel's watermarks: free memory, and file cache without shared memory. */
function estimateAvailable(text: string): number {
  const of = (key: string): number => bytesOf(text, key) ?? 0;
  return Math.max(0, of('MemFree:') + of('Cached:') + of('Buffers:') - of('Shmem:'));
}

function bytesOf(text: string, key: string): number | null {
  // Only at the start of a line: `SwapCached:` ends with `Cached:`.
  const line = text.startsWith(key) ? 0 : text.indexOf(`\n${key}`) + 1;
  if (line === 0 && !text.startsWith(key)) return null;
  const kibibytes = Number.parseInt(text.slice(line + key.length, line + key.length + 24), 10);
  return Number.isNaN(kibibytes) ? null : kibibytes * 1024;
}
