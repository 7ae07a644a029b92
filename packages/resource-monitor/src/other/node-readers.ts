import { cpus, freemem, loadavg, totalmem } from 'node:os';
import type { CpuTimes, LoadAverages } from '../reading/figures.js';
import type { Reader } from '../reading/reader.js';
import type { RamSnapshot } from '../snapshot.js';

/** Memory of the machine. */
export interface NodeMemory {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** Without starting anything. */
export function readNodeMemory(): NodeMemory {
  return { totalBytes: totalmem(), freeBytes: freemem() };
}

/** CPU time over all cores. */
export function nodeCpu(): Reader<CpuTimes> {
  return {
    source: 'os.cpus()',
    read: () => {
      const cores = cpus();
      if (cores.length === 0) return { reason: 'Node sees no processors' };
      let busyMs = 0;
      let totalMs = 0;
      for (const { times } of cores) {
        const busy = times.user + times.nice + times.sys + times.irq;
        busyMs += busy;
        totalMs += busy + times.idle;
      }
      return { value: { busyMs, totalMs, cores: cores.length } };
    },
  };
}

/** Windows has none, and Node says 0 there. */
export function nodeLoadAverages(platform: NodeJS.Platform): Reader<LoadAverages> {
  return {
    source: 'os.loadavg()',
    read: () => {
      if (platform === 'win32') return { reason: 'Windows keeps no load average' };
      const [one = 0, five = 0, fifteen = 0] = loadavg();
      return { value: [one, five, fifteen] as const };
    },
  };
}

/**
 * Total and free memory. On Windows free is what the system calls available (ullAvailPhys), and there
 * mapped files count as used; elsewhere it leaves out the file cache, so it errs on the careful side.
 */
export function nodeRam(memory: () => NodeMemory): Reader<RamSnapshot> {
  return {
    source: 'os.freemem()',
    read: () => {
      const { totalBytes, freeBytes } = memory();
      return {
        value: {
          totalBytes,
          availableBytes: freeBytes,
          mappedCountsAsUsed: true,
          limitedBy: 'machine',
          machineTotalBytes: totalBytes,
        },
      };
    },
  };
}
