import type { FileTree, KeptFile } from '../../ports/file-tree.js';
import type { CpuTimes } from '../../reading/figures.js';
import type { Reader } from '../../reading/reader.js';
import type { FindCgroup } from './cgroup-folders.js';

interface Level {
  readonly folder: string;
  /** The quota in cores; null without a quota. */
  readonly quota: () => number | null;
  /** CPU time of the whole group since its creation. */
  readonly busyMs: () => number | null;
  readonly files: readonly KeptFile[];
}

/** Reads the CPU time of the group with the tightest quota, and that quota in cores. */
export function cgroupCpu(
  files: FileTree,
  findCgroup: FindCgroup,
  machineCores: () => number,
): Reader<CpuTimes> & { close(): void } {
  const levels = findLevels(files, findCgroup);
  return {
    source: 'cgroup cpu quota',
    read: () => {
      let tightest: { cores: number; level: Level } | null = null;
      for (const level of levels) {
        const cores = level.quota();
        if (cores === null || cores >= machineCores()) continue;
        if (tightest === null || cores < tightest.cores) tightest = { cores, level };
      }
      if (tightest === null) return { reason: 'no control group has a CPU quota' };
      const busyMs = tightest.level.busyMs();
      if (busyMs === null) return { reason: "the group's CPU time cannot be read" };
      const { cores, level } = tightest;
      return { value: { busyMs, totalMs: null, cores, of: level.folder } };
    },
    close: () => {
      for (const level of levels) for (const file of level.files) file.close();
    },
  };
}

function findLevels(files: FileTree, findCgroup: FindCgroup): Level[] {
  const cpu = findCgroup('cpu');
  if (cpu === null) return [];
  if (cpu.version === 2) {
    return cpu.folders.map((folder) => {
      const max = files.keep(`${folder}/cpu.max`);
      const stat = files.keep(`${folder}/cpu.stat`);
      return {
        folder,
        quota: () => parseQuota(max.read()),
        busyMs: () => {
          const microseconds = /^usage_usec (\d+)$/m.exec(stat.read() ?? '')?.[1];
          return microseconds === undefined ? null : Number(microseconds) / 1000;
        },
        files: [max, stat],
      };
    });
  }
  // The controller cpuacct counts the time. If cpuacct is mounted separately, its groups can differ from those
  // of cpu. The group's time is then not known.
  const accounting = findCgroup('cpuacct');
  const sameDepth = accounting?.version === 1 && accounting.folders.length === cpu.folders.length;
  return cpu.folders.map((folder, index) => {
    const quota = files.keep(`${folder}/cpu.cfs_quota_us`);
    const period = files.keep(`${folder}/cpu.cfs_period_us`);
    const folderOfTime = sameDepth ? (accounting.folders[index] ?? folder) : folder;
    const usage = files.keep(`${folderOfTime}/cpuacct.usage`);
    return {
      folder,
      quota: () => parseQuota(`${quota.read()?.trim()} ${period.read()?.trim()}`),
      busyMs: () => {
        const nanoseconds = usage.read()?.trim() ?? '';
        return /^\d+$/.test(nanoseconds) ? Number(nanoseconds) / 1e6 : null;
      },
      files: [quota, period, usage],
    };
  });
}

/** Cores of a quota: `200000 100000` means 2; `max` and -1 mean that there is no quota. */
function parseQuota(text: string | null): number | null {
  const [quota, period] = (text ?? '').trim().split(' ').map(Number);
  if (quota === undefined || period === undefined) return null;
  return quota > 0 && period > 0 ? quota / period : null;
}
