import type { FileTree, KeptFile } from '../../ports/file-tree.js';
import type { FindCgroup } from './cgroup-folders.js';

/** The tightest memory limit of a hierarchy of groups, and what can still be allocated. */
export interface CgroupMemory {
  readonly version: 1 | 2;
  /** The smallest limit of all nested groups. */
  readonly limitBytes: number;
  /**
   * Memory that can be allocated before the first of the groups reaches its limit. Null if the use of a group cannot be
   * read.
   */
  readonly availableBytes: number | null;
  /** The file whose limit is the smallest. */
  readonly limitFile: string;
  /** The folder of that file. */
  readonly folder: string;
}

interface SwapLimit {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** Reads the limits. File cache does not count as used, because the kernel can drop it. */
export interface CgroupMemoryReader {
  /** Null if no group limits memory below `machineTotalBytes`. */
  read(machineTotalBytes: number): Promise<CgroupMemory | null>;
  /** The swap that the groups allow, and its free part. Null if no group limits swap below `machineSwapBytes`. */
  readSwap(machineSwapBytes: number): SwapLimit | null;
  close(): void;
}

/** A limit and the file that sets it. */
interface Limit {
  readonly bytes: number;
  readonly name: string;
}

interface Level {
  readonly folder: string;
  readonly limits: readonly { readonly name: string; readonly file: KeptFile }[];
  readonly usage: KeptFile;
  readonly stat: KeptFile;
  readonly swapLimit: KeptFile;
  readonly swapUsage: KeptFile;
}

/**
 * The file names of each version. `memory.high` counts as a limit, because above it the kernel slows a process
 * down so much that a model does not run.
 */
const NAMES = {
  2: {
    limits: ['memory.max', 'memory.high'],
    usage: 'memory.current',
    swapLimit: 'memory.swap.max',
    swapUsage: 'memory.swap.current',
    fileKeys: ['active_file', 'inactive_file'],
  },
  1: {
    limits: ['memory.limit_in_bytes'],
    usage: 'memory.usage_in_bytes',
    // Limit and usage of memory and swap together.
    swapLimit: 'memory.memsw.limit_in_bytes',
    swapUsage: 'memory.memsw.usage_in_bytes',
    // Keys with `total_` include the groups below, where accounting is hierarchical.
    fileKeys: ['total_active_file', 'total_inactive_file'],
  },
} as const;

/** Version 1 reports a limit near 2^63 for 'unlimited'. No machine has this much memory. */
const UNLIMITED_BYTES = 2 ** 60;

/** Finds the memory groups of this process; null if it has no memory group. */
export function createCgroupMemory(
  files: FileTree,
  findCgroup: FindCgroup,
): CgroupMemoryReader | null {
  const found = findCgroup('memory');
  if (found === null) return null;
  const { version } = found;
  const names = NAMES[version];
  const levels = found.folders.map((folder): Level => {
    const keep = (name: string): KeptFile => files.keep(`${folder}/${name}`);
    return {
      folder,
      limits: names.limits.map((name) => ({ name, file: keep(name) })),
      usage: keep(names.usage),
      stat: keep('memory.stat'),
      swapLimit: keep(names.swapLimit),
      swapUsage: keep(names.swapUsage),
    };
  });

  return {
    async read(machineTotalBytes) {
      let tightest: { limitBytes: number; limitFile: string; folder: string } | null = null;
      let availableBytes: number | null = Number.POSITIVE_INFINITY;
      for (const level of levels) {
        const own = smallestLimit(level, machineTotalBytes);
        if (own === null && version === 2) continue;
        // Read on another thread, because in a large hierarchy the kernel adds up the statistics of many groups.
        const stat = own === null && level !== levels[0] ? null : await level.stat.readLater();
        // In version 1 this line includes the limits of groups above the visible ones.
        const inherited = limitBelow(
          stat === null ? null : valueOf(stat, 'hierarchical_memory_limit'),
          machineTotalBytes,
        );
        const above = inherited === null ? null : { bytes: inherited, name: 'memory.stat' };
        const limit = smaller(own, above);
        if (limit === null) continue;
        const usedBytes = parseBytes(level.usage.read());
        const cachedBytes = names.fileKeys
          .map((key) => (stat === null ? 0 : (valueOf(stat, key) ?? 0)))
          .reduce((sum, bytes) => sum + bytes, 0);
        // The counters are read one after the other, so the difference can be slightly below zero.
        const heldBytes = usedBytes === null ? null : Math.max(0, usedBytes - cachedBytes);
        availableBytes =
          availableBytes === null || heldBytes === null
            ? null
            : Math.min(availableBytes, Math.max(0, limit.bytes - heldBytes));
        if (tightest === null || limit.bytes < tightest.limitBytes) {
          const limitFile = `${level.folder}/${limit.name}`;
          tightest = { limitBytes: limit.bytes, limitFile, folder: level.folder };
        }
      }
      return tightest === null ? null : { version, ...tightest, availableBytes };
    },

    readSwap(machineSwapBytes) {
      const limits = levels
        .flatMap((level) => (version === 1 ? combinedSwapLimit(level) : swapLimit(level)) ?? [])
        .filter(({ totalBytes }) => totalBytes < machineSwapBytes);
      if (limits.length === 0) return null;
      return {
        totalBytes: Math.min(...limits.map(({ totalBytes }) => totalBytes)),
        freeBytes: Math.min(...limits.map(({ freeBytes }) => freeBytes)),
      };
    },

    close() {
      for (const { limits, usage, stat, swapLimit, swapUsage } of levels) {
        for (const { file } of limits) file.close();
        for (const file of [usage, stat, swapLimit, swapUsage]) file.close();
      }
    },
  };
}

function swapLimit(level: Level): SwapLimit | null {
  const totalBytes = parseBytes(level.swapLimit.read());
  if (totalBytes === null) return null;
  const usedBytes = parseBytes(level.swapUsage.read()) ?? 0;
  return { totalBytes, freeBytes: Math.max(0, totalBytes - usedBytes) };
}

/**
 * Version 1 limits memory and swap together, so the swap that it allows is the combined limit minus the memory
 * limit, and the swap in use is the combined usage minus the memory in use.
 */
function combinedSwapLimit(level: Level): SwapLimit | null {
  const combinedBytes = parseBytes(level.swapLimit.read());
  if (combinedBytes === null || combinedBytes >= UNLIMITED_BYTES) return null;
  const memoryLimitBytes = parseBytes(level.limits[0]?.file.read() ?? null) ?? 0;
  const combinedUsedBytes = parseBytes(level.swapUsage.read()) ?? 0;
  const memoryUsedBytes = parseBytes(level.usage.read()) ?? 0;
  const totalBytes = Math.max(0, combinedBytes - memoryLimitBytes);
  const swapUsedBytes = Math.max(0, combinedUsedBytes - memoryUsedBytes);
  const freeBytes = Math.min(totalBytes - swapUsedBytes, combinedBytes - combinedUsedBytes);
  return { totalBytes, freeBytes: Math.max(0, freeBytes) };
}

function smallestLimit({ limits }: Level, machineTotalBytes: number): Limit | null {
  return limits
    .map(({ name, file }): Limit | null => {
      const bytes = limitBelow(parseBytes(file.read()), machineTotalBytes);
      return bytes === null ? null : { bytes, name };
    })
    .reduce(smaller, null);
}

function smaller(one: Limit | null, other: Limit | null): Limit | null {
  if (one === null || other === null) return one ?? other;
  return other.bytes < one.bytes ? other : one;
}

/**
 * Null for a limit that this machine cannot reach. Version 2 writes 'unlimited' as `max`. Version 1 writes it
 * as the largest multiple of a page below 2^63. Null also for 0, which is never a lasting limit: tools set
 * memory.high to 0 for a moment to make the kernel write out a group's pages.
 */
function limitBelow(bytes: number | null, machineTotalBytes: number): number | null {
  return bytes === null || bytes === 0 || bytes >= machineTotalBytes ? null : bytes;
}

/** Null for `max` and any other text that is not a number. */
function parseBytes(text: string | null): number | null {
  const trimmed = text?.trim() ?? '';
  return /^\d+$/.test(trimmed) ? Number(trimmed) : null;
}

function valueOf(stat: string, key: string): number | null {
  const start = stat.startsWith(`${key} `) ? 0 : stat.indexOf(`\n${key} `) + 1;
  if (start === 0 && !stat.startsWith(`${key} `)) return null;
  const value = Number.parseInt(stat.slice(start + key.length + 1, start + key.length + 24), 10);
  return Number.isNaN(value) ? null : value;
}
