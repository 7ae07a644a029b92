import type { FileTree } from '../ports/file-tree.js';
import { oncePerSample } from '../reading/per-sample.js';
import type { SampleContext } from '../reading/reader.js';

/** The lines of /proc/meminfo that matter here, in bytes. */
export interface MemInfo {
  readonly totalBytes: number;
  readonly availableBytes: number;
  /** False on kernels before 3.14, where `availableBytes` is put together from other lines. */
  readonly availableIsKernels: boolean;
  readonly swapTotalBytes: number | null;
  readonly swapFreeBytes: number | null;
}

/** Reads /proc/meminfo at most once a sample; null where there is none. */
export function createMemInfo(files: FileTree): {
  read: (context: SampleContext) => MemInfo | null;
  close: () => void;
} {
  const file = files.keep('/proc/meminfo');
  return { read: oncePerSample(() => parseMemInfo(file.read())), close: () => file.close() };
}

/** Null where the text has no MemTotal, or none that can be. */
export function parseMemInfo(text: string | null): MemInfo | null {
  if (text === null) return null;
  const totalBytes = bytesOf(text, 'MemTotal:');
  if (totalBytes === null || totalBytes <= 0) return null;
  const available = bytesOf(text, 'MemAvailable:');
  return {
    totalBytes,
    availableBytes: Math.min(totalBytes, available ?? guessAvailable(text)),
    availableIsKernels: available !== null,
    swapTotalBytes: bytesOf(text, 'SwapTotal:'),
    swapFreeBytes: bytesOf(text, 'SwapFree:'),
  };
}

/** What MemAvailable stands for, without the watermarks: free, and the file cache that isn't shmem. */
function guessAvailable(text: string): number {
  const of = (key: string): number => bytesOf(text, key) ?? 0;
  return Math.max(0, of('MemFree:') + of('Cached:') + of('Buffers:') - of('Shmem:'));
}

function bytesOf(text: string, key: string): number | null {
  // At the start of a line: `Cached:` is also the end of `SwapCached:`.
  const line = text.startsWith(key) ? 0 : text.indexOf(`\n${key}`) + 1;
  if (line === 0 && !text.startsWith(key)) return null;
  const kibibytes = Number.parseInt(text.slice(line + key.length, line + key.length + 24), 10);
  return Number.isNaN(kibibytes) ? null : kibibytes * 1024;
}
