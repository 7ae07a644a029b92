import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { cgroupQuota } from './cgroup-quota.js';

/**
 * Threads for one engine: the physical cores that this process may use. llama.cpp's threads wait for each other in a
 * loop, so more threads than cores make it many times slower, and two threads on one core gain nothing.
 *
 * `availableParallelism` knows the processors that a cpuset or the affinity leaves to this process. It knows no quota of control groups.
 */
export async function availableCores(): Promise<number> {
  const logical = availableParallelism();
  const [physical, quota] = await Promise.all([physicalCores(logical), cgroupQuota()]);
  return Math.max(1, Math.min(logical, physical, Math.floor(quota)));
}

/**
 * On Linux from `/proc/cpuinfo`. Elsewhere llama.cpp's own rule: half of the logical processors where there are more
 * than four.
 */
async function physicalCores(logical: number): Promise<number> {
  const [cpuinfo, status] = await Promise.all(
    ['/proc/cpuinfo', '/proc/self/status'].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  const cores = coresIn(cpuinfo ?? '', status ?? '');
  if (cores > 0) return cores;
  return process.platform === 'darwin' || logical <= 4 ? logical : Math.floor(logical / 2);
}

/**
 * The cores of the processors that this process may use; 0 where they are not known, as on ARM.
 *
 * @param cpuinfo the text of `/proc/cpuinfo`
 * @param status the text of `/proc/self/status`. Its `Cpus_allowed_list` has the processors of the cpuset and the affinity
 */
export function coresIn(cpuinfo: string, status: string): number {
  const allowed = /^Cpus_allowed_list:\s*(.+)$/m.exec(status)?.[1];
  const ranges = allowed?.split(',').map((range) => range.split('-').map(Number));
  const isAllowed = (processor: number) =>
    ranges === undefined ||
    ranges.some(([first = -1, last = first]) => processor >= first && processor <= last);
  const cores = new Set<string>();
  for (const text of cpuinfo.split('\n\n')) {
    const field = (name: string) => new RegExp(`^${name}\\s*:\\s*(\\d+)`, 'm').exec(text)?.[1];
    const core = field('core id');
    const processor = field('processor');
    if (core === undefined || (processor !== undefined && !isAllowed(Number(processor)))) continue;
    cores.add(`${field('physical id') ?? ''}:${core}`);
  }
  return cores.size;
}
