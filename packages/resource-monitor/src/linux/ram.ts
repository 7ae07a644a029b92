import type { SwapReading } from '../reading/figures.js';
import type { Reader, Reading, SampleContext } from '../reading/reader.js';
import type { RamSnapshot } from '../snapshot.js';
import type { CgroupMemory, CgroupMemoryReader } from './cgroups/cgroup-memory.js';
import type { MemInfo, MemInfoReader } from './meminfo.js';
import { ARC_STATISTICS } from './zfs-arc.js';

/** The sources of the RAM figures. */
export interface RamSources {
  readonly cgroup: CgroupMemoryReader | null;
  readonly memInfo: Pick<MemInfoReader, 'read' | 'isContainers'>;
  /** The part of ZFS's cache that can be evicted; null without ZFS. */
  readonly readEvictableBytes: (context: SampleContext) => number | null;
  /** The total of sysinfo(2), for a /proc/meminfo without a valid total. */
  readonly systemTotalBytes: () => number;
}

/** Reads memory as a control group limits it. */
export function cgroupRam(sources: RamSources): Reader<RamSnapshot> {
  const { cgroup, memInfo, systemTotalBytes } = sources;
  return {
    source: 'cgroup',
    async read(context): Promise<Reading<RamSnapshot>> {
      const machine = memInfo.read(context);
      const machineTotalBytes = machine?.totalBytes ?? systemTotalBytes();
      // The limit can equal the total, because a container's own /proc/meminfo shows the limit as its total. `read` reports
      // only limits below its argument, so the argument is one byte more.
      const limit = (await cgroup?.read((machine?.usableBytes ?? machineTotalBytes) + 1)) ?? null;
      if (limit === null) return { reason: 'no control group limits memory' };
      const left = machine === null ? MISSING : availableOf(machine, sources, context);
      return {
        value: {
          totalBytes: limit.limitBytes,
          availableBytes: availableInGroup(
            limit,
            // The group's own figure is better than an estimate from a file that contradicts itself.
            machine?.contradiction == null ? left.bytes : null,
            memInfo.isContainers,
          ),
          mappedCountsAsUsed: false,
          limitedBy: 'cgroup',
          machineTotalBytes,
        },
        reasons: [
          ...(limit.availableBytes === null ? [`${limit.folder} does not report its use`] : []),
          ...left.reasons.map((reason) => `/proc/meminfo: ${reason}`),
        ],
      };
    },
  };
}

/**
 * A group has at most the machine's available memory. A container's own /proc/meminfo does not show the
 * machine's memory. Its figures are derived from the group, and some versions of lxcfs count the file cache as
 * used.
 */
function availableInGroup(
  { availableBytes }: CgroupMemory,
  machineAvailableBytes: number | null,
  isContainers: boolean,
): number | null {
  if (availableBytes === null || machineAvailableBytes === null || isContainers)
    return availableBytes;
  return Math.min(availableBytes, machineAvailableBytes);
}

/** Reads the machine's memory. MemAvailable includes the pages of mapped files. */
export function machineRam(sources: RamSources): Reader<RamSnapshot> {
  return {
    source: '/proc/meminfo',
    read(context): Reading<RamSnapshot> {
      const machine = sources.memInfo.read(context);
      if (machine === null) return { reason: 'the file is missing or has no valid MemTotal' };
      const { bytes, reasons } = availableOf(machine, sources, context);
      return {
        value: {
          totalBytes: machine.usableBytes,
          availableBytes: bytes,
          mappedCountsAsUsed: false,
          limitedBy: 'machine',
          machineTotalBytes: machine.totalBytes,
        },
        reasons,
      };
    },
  };
}

interface Available {
  readonly bytes: number | null;
  readonly reasons: readonly string[];
}

const MISSING: Available = {
  bytes: null,
  reasons: ['the file is missing or has no valid MemTotal'],
};

/** MemAvailable plus the part of ZFS's cache that can be evicted, which MemAvailable does not include. */
function availableOf(
  { usableBytes, availableBytes, contradiction }: MemInfo,
  { memInfo, readEvictableBytes }: RamSources,
  context: SampleContext,
): Available {
  // An estimate instead of an impossible MemAvailable is not made larger: what it includes is not known.
  if (availableBytes === null || contradiction !== null) {
    return { bytes: availableBytes, reasons: contradiction === null ? [] : [contradiction] };
  }
  const evictableBytes = readEvictableBytes(context);
  if (evictableBytes === null) return { bytes: availableBytes, reasons: [] };
  if (memInfo.isContainers) {
    // The memory use of a container does not include ZFS's cache, which belongs to the machine.
    return {
      bytes: availableBytes,
      reasons: [`${ARC_STATISTICS} describes the machine, not this container`],
    };
  }
  const bytes = availableBytes + evictableBytes;
  // A cache larger than the memory in use does not belong to the machine that /proc/meminfo describes.
  return bytes > usableBytes
    ? { bytes: availableBytes, reasons: [`${ARC_STATISTICS} reports more cache than is in use`] }
    : { bytes, reasons: [] };
}

/** Reads the swap that the control group allows, or the machine's swap if there is no limit. */
export function linuxSwap({
  cgroup,
  memInfo,
}: Pick<RamSources, 'cgroup' | 'memInfo'>): readonly Reader<SwapReading>[] {
  return [
    {
      source: 'cgroup swap limit',
      read: (context) => {
        const machine = memInfo.read(context);
        const limit = cgroup?.readSwap(machine?.swapTotalBytes ?? 0) ?? null;
        if (limit === null) return { reason: 'no control group limits swap' };
        const freeBytes = Math.min(limit.freeBytes, machine?.swapFreeBytes ?? limit.freeBytes);
        return { value: { totalBytes: limit.totalBytes, freeBytes } };
      },
    },
    {
      source: '/proc/meminfo',
      read: (context) => {
        const machine = memInfo.read(context);
        if (machine?.swapTotalBytes == null) return { reason: 'the file has no SwapTotal' };
        if (machine.swapFreeBytes === null) return { reason: 'the file has no SwapFree' };
        return {
          value: { totalBytes: machine.swapTotalBytes, freeBytes: machine.swapFreeBytes },
        };
      },
    },
  ];
}
