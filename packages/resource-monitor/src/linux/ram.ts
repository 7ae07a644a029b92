import type { Reader, Reading, SampleContext } from '../reading/reader.js';
import type { RamSnapshot } from '../snapshot.js';
import type { CgroupMemoryReader } from './cgroups/cgroup-memory.js';
import type { MemInfo } from './meminfo.js';

type ReadMemInfo = (context: SampleContext) => MemInfo | null;

/** Reads memory as a control group limits it. */
export function cgroupRam(
  cgroup: CgroupMemoryReader | null,
  readMemInfo: ReadMemInfo,
): Reader<RamSnapshot> {
  return {
    source: 'cgroup',
    async read(context): Promise<Reading<RamSnapshot>> {
      const machine = readMemInfo(context);
      if (machine === null) return { reason: '/proc/meminfo is missing' };
      const limit = (await cgroup?.read(machine.totalBytes)) ?? null;
      if (limit === null) return { reason: 'no control group limits memory' };
      return {
        value: {
          totalBytes: limit.limitBytes,
          // The group cannot use more than the machine has left.
          availableBytes: Math.min(limit.availableBytes, machine.availableBytes),
          mappedCountsAsUsed: false,
          limitedBy: 'cgroup',
          machineTotalBytes: machine.totalBytes,
        },
      };
    },
  };
}

/** Reads the machine's memory. MemAvailable includes the pages of mapped files. */
export function machineRam(readMemInfo: ReadMemInfo): Reader<RamSnapshot> {
  return {
    source: '/proc/meminfo',
    read(context): Reading<RamSnapshot> {
      const machine = readMemInfo(context);
      if (machine === null) return { reason: 'it is missing or has no MemTotal' };
      return {
        value: {
          totalBytes: machine.totalBytes,
          availableBytes: machine.availableBytes,
          mappedCountsAsUsed: false,
          limitedBy: 'machine',
          machineTotalBytes: machine.totalBytes,
        },
      };
    },
  };
}

/** Reads the swap that the control group allows, or the machine's if there is no limit. */
export function linuxSwap(
  cgroup: CgroupMemoryReader | null,
  readMemInfo: ReadMemInfo,
): readonly Reader<{ readonly totalBytes: number; readonly freeBytes: number }>[] {
  return [
    {
      source: 'cgroup swap limit',
      read: (context) => {
        const machine = readMemInfo(context);
        const limit = cgroup?.readSwap(machine?.swapTotalBytes ?? 0) ?? null;
        if (limit === null) return { reason: 'no control group limits swap' };
        const freeBytes = Math.min(limit.freeBytes, machine?.swapFreeBytes ?? limit.freeBytes);
        return { value: { totalBytes: limit.totalBytes, freeBytes } };
      },
    },
    {
      source: '/proc/meminfo',
      read: (context) => {
        const machine = readMemInfo(context);
        if (machine?.swapTotalBytes == null) return { reason: 'it has no SwapTotal' };
        const { swapTotalBytes: totalBytes, swapFreeBytes } = machine;
        return { value: { totalBytes, freeBytes: swapFreeBytes ?? totalBytes } };
      },
    },
  ];
}
