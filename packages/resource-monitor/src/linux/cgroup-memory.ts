import type { FileTree, KeptFile } from '../ports/file-tree.js';
import type { FindCgroup } from './cgroup-folders.js';

/** The tightest limit of a hierarchy, and what is left below each of its limits. */
export interface CgroupMemory {
  readonly version: 1 | 2;
  /** The smallest limit on the way up. */
  readonly limitBytes: number;
  /** What can be taken before some level of the hierarchy is full. */
  readonly availableBytes: number;
  /** The file whose limit is the smallest. */
  readonly limitFile: string;
  /** The folder of that file. */
  readonly folder: string;
}

interface SwapLimit {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** The limits, without the file cache that could be dropped. */
export interface CgroupMemoryReader {
  /** Null where no group limits memory below `machineTotalBytes`. */
  read(machineTotalBytes: number): Promise<CgroupMemory | null>;
  /** Limits on swap: what is allowed and what is left; null where none is below the machine's. */
  readSwap(machineTotalBytes: number): SwapLimit | null;
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
  readonly swapLimit: KeptFile | null;
  readonly swapUsage: KeptFile | null;
}

/** What a version calls its files. `memory.high` does not kill, it stalls: no room for a model either. */
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
    // Version 1 limits memory and swap together (memsw); what of it is swap can't be told apart.
    swapLimit: null,
    swapUsage: null,
    // total_: with the groups below. Without hierarchy there are none.
    fileKeys: ['total_active_file', 'total_inactive_file'],
  },
} as const;

/** Null where this process is in no memory group. */
export function createCgroupMemory(
  files: FileTree,
  findCgroup: FindCgroup,
): CgroupMemoryReader | null {
  const found = findCgroup('memory');
  if (found === null) return null;
  const { version } = found;
  const names = NAMES[version];
  const levels = found.folders.map((folder): Level => {
    const keep = (name: string | null): KeptFile | null =>
      name === null ? null : files.keep(`${folder}/${name}`);
    return {
      folder,
      limits: names.limits.map((name) => ({ name, file: files.keep(`${folder}/${name}`) })),
      usage: files.keep(`${folder}/${names.usage}`),
      stat: files.keep(`${folder}/memory.stat`),
      swapLimit: keep(names.swapLimit),
      swapUsage: keep(names.swapUsage),
    };
  });

  return {
    async read(machineTotalBytes) {
      let tightest: { limitBytes: number; limitFile: string; folder: string } | null = null;
      let availableBytes = Number.POSITIVE_INFINITY;
      for (const level of levels) {
        const own = smallestLimit(level, machineTotalBytes);
        if (own === null && version === 2) continue;
        // Adding up the statistics of many groups takes the kernel a while: on a thread.
        const stat = own === null && level !== levels[0] ? null : await level.stat.readLater();
        // A limit further up that can't be seen from here still shows in version 1.
        const inherited = limitBelow(
          stat === null ? null : valueOf(stat, 'hierarchical_memory_limit'),
          machineTotalBytes,
        );
        const above = inherited === null ? null : { bytes: inherited, name: 'memory.stat' };
        const limit = smaller(own, above);
        if (limit === null) continue;
        const usedBytes = parseBytes(level.usage.read());
        if (usedBytes === null) continue;
        const cachedBytes = names.fileKeys
          .map((key) => (stat === null ? 0 : (valueOf(stat, key) ?? 0)))
          .reduce((sum, bytes) => sum + bytes, 0);
        // The counters are not read at one moment, so the difference may be a few pages below zero.
        const heldBytes = Math.max(0, usedBytes - cachedBytes);
        availableBytes = Math.min(availableBytes, Math.max(0, limit.bytes - heldBytes));
        if (tightest === null || limit.bytes < tightest.limitBytes) {
          const limitFile = `${level.folder}/${limit.name}`;
          tightest = { limitBytes: limit.bytes, limitFile, folder: level.folder };
        }
      }
      return tightest === null ? null : { version, ...tightest, availableBytes };
    },

    readSwap(machineTotalBytes) {
      let left: SwapLimit | null = null;
      for (const { swapLimit, swapUsage } of levels) {
        const totalBytes = parseBytes(swapLimit?.read() ?? null);
        if (totalBytes === null || totalBytes >= machineTotalBytes) continue;
        const freeBytes = Math.max(0, totalBytes - (parseBytes(swapUsage?.read() ?? null) ?? 0));
        const above: SwapLimit = left ?? { totalBytes, freeBytes };
        left = {
          totalBytes: Math.min(above.totalBytes, totalBytes),
          freeBytes: Math.min(above.freeBytes, freeBytes),
        };
      }
      return left;
    },

    close() {
      for (const { limits, usage, stat, swapLimit, swapUsage } of levels) {
        for (const { file } of limits) file.close();
        for (const file of [usage, stat, swapLimit, swapUsage]) file?.close();
      }
    },
  };
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
 * 'Unlimited' is `max` in version 2 and the largest multiple of a page below 2^63 in version 1;
 * either way no limit is one that the machine can't reach. Nothing runs in a group with a limit of 0,
 * but memory.high is set to it for a moment to push a group's pages out.
 */
function limitBelow(bytes: number | null, machineTotalBytes: number): number | null {
  return bytes === null || bytes === 0 || bytes >= machineTotalBytes ? null : bytes;
}

/** Null for `max` and for anything else that is no number. */
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
