import { cpus, freemem, loadavg, totalmem } from 'node:os';
import type { CpuTimes, LoadAverages } from '../reading/figures.js';
import type { Reader } from '../reading/reader.js';
import type { RamSnapshot } from '../snapshot.js';

/** The machine's memory, as reported by Node's `os` module. */
export interface NodeMemory {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

export function readNodeMemory(): NodeMemory {
  return { totalBytes: totalmem(), freeBytes: freemem() };
}

/** CPU times of all cores. */
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

/** Load averages. Windows has no load average, and Node reports 0 there. */
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
 * Total and free memory. Outside Windows, Node's free memory can exclude the file cache, so it can be less than
 * the available memory. It is not known whether Node's free memory includes mapped pages.
 */
export function nodeRam(
  memory: () => NodeMemory,
  source = 'os.freemem()',
  mappedCountsAsUsed: RamSnapshot['mappedCountsAsUsed'] = null,
): Reader<RamSnapshot> {
  return {
    source,
    read: () => {
      const { totalBytes, freeBytes } = memory();
      return {
        value: {
          totalBytes,
          availableBytes: freeBytes,
          mappedCountsAsUsed,
          limitedBy: 'machine',
          machineTotalBytes: totalBytes,
        },
      };
    },
  };
}
