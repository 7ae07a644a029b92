import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';

/**
 * Threads for one engine: the physical cores that this process may use. llama.cpp's threads wait for each other in a
 * loop, so more threads than cores make it many times slower, and two threads on one core gain nothing.
 */
export async function availableCores(): Promise<number> {
  const logical = availableParallelism();
  const [physical, quota] = await Promise.all([physicalCores(logical), cgroupQuota()]);
  return Math.max(1, Math.min(logical, physical, quota));
}

/**
 * On Linux from `/proc/cpuinfo`. Elsewhere llama.cpp's own rule: half of the logical processors where there are more
 * than four.
 */
async function physicalCores(logical: number): Promise<number> {
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const cores = new Set<string>();
  for (const processor of text.split('\n\n')) {
    const core = /^core id\s*:\s*(\d+)/m.exec(processor)?.[1];
    if (core === undefined) continue;
    cores.add(`${/^physical id\s*:\s*(\d+)/m.exec(processor)?.[1] ?? ''}:${core}`);
  }
  if (cores.size > 0) return cores.size;
  return process.platform === 'darwin' || logical <= 4 ? logical : Math.floor(logical / 2);
}

/** Processors that the control group of a container allows; `Infinity`: no limit. */
async function cgroupQuota(): Promise<number> {
  const text = await readFile('/sys/fs/cgroup/cpu.max', 'utf8').catch(() => '');
  const [quota, period] = text.trim().split(' ').map(Number);
  const isLimited = Number.isFinite(quota) && Number.isFinite(period);
  return isLimited ? Math.floor((quota ?? 0) / (period ?? 1)) : Number.POSITIVE_INFINITY;
}
