import { cpus } from 'node:os';
import type { FileTree } from '../ports/file-tree.js';
import type { CpuTimes, LoadAverages } from '../reading/figures.js';
import type { Reader } from '../reading/reader.js';

/** USER_HZ, the unit of times in /proc: 100 on every architecture that runs Node. */
export const TICKS_PER_SECOND = 100;
const MS_PER_TICK = 1000 / TICKS_PER_SECOND;

/**
 * The number of cores in /proc/stat. Node's `availableParallelism` can be lower, because of a control group's
 * quota or this process's CPU affinity. The quota and the affinity do not change the machine's CPU times.
 */
export function coreCounter(files: FileTree): () => number {
  let cores: number | null = null;
  return () =>
    (cores ??=
      files.readText('/proc/stat')?.match(/^cpu\d+ /gm)?.length ?? Math.max(1, cpus().length));
}

/** Reads the CPU times of the machine from the first line of /proc/stat. */
export function machineCpu(
  files: FileTree,
  cores: () => number,
): Reader<CpuTimes> & { close(): void } {
  const file = files.keep('/proc/stat');
  return {
    source: '/proc/stat',
    read: () => {
      const times = parseCpuLine(file.read());
      return times === null
        ? { reason: 'the file is missing or has no line for the CPU' }
        : { value: { ...times, cores: cores() } };
    },
    close: () => file.close(),
  };
}

/** Reads `user nice system idle iowait irq softirq steal guest guest_nice`, in ticks; see proc_stat(5). */
export function parseCpuLine(text: string | null): { busyMs: number; totalMs: number } | null {
  const line = /^cpu +(.*)$/m.exec(text ?? '')?.[1];
  if (line === undefined) return null;
  // The last two fields are left out, because user and nice already include guest time.
  const ticks = line.split(/ +/).slice(0, 8).map(Number);
  if (ticks.length < 4 || ticks.some(Number.isNaN)) return null;
  const total = ticks.reduce((sum, value) => sum + value, 0);
  const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0);
  return { busyMs: (total - idle) * MS_PER_TICK, totalMs: total * MS_PER_TICK };
}

/** Reads /proc/loadavg. */
export function linuxLoadAverages(files: FileTree): Reader<LoadAverages> & { close(): void } {
  const file = files.keep('/proc/loadavg');
  return {
    source: '/proc/loadavg',
    read: () => {
      const averages = (file.read() ?? '').split(' ', 3).map(Number);
      const [one, five, fifteen] = averages;
      return one === undefined ||
        five === undefined ||
        fifteen === undefined ||
        averages.some(Number.isNaN)
        ? { reason: 'the file is missing or has an unknown format' }
        : { value: [one, five, fifteen] as const };
    },
    close: () => file.close(),
  };
}
