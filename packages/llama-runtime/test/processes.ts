import { readdir, readFile } from 'node:fs/promises';
import { findProcess } from '../src/process/system/process-identity.js';

/** Waits until a condition holds. Throws after the deadline. */
export async function until(
  what: string,
  condition: () => Promise<boolean> | boolean,
  deadlineMs = 10_000,
): Promise<void> {
  const startedMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startedMs > deadlineMs) {
      throw new Error(`after ${deadlineMs} ms still not: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Whether a process runs. A zombie does not. */
export async function runs(pid: number): Promise<boolean> {
  return (await findProcess(pid)) !== null;
}

/** `MemAvailable` of Linux, in bytes. */
export async function availableBytes(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8');
  return Number(/^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1]) * 1024;
}

/** Anonymous memory of a process in bytes. Linux only. */
export async function anonymousBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Anonymous:\s+(\d+) kB$/m.exec(text)?.[1]) * 1024;
}

/** The running engine processes and inspecting processes of this process. Linux only. */
export async function enginePids(): Promise<readonly number[]> {
  const tasks = await readdir('/proc/self/task');
  const lists = await Promise.all(
    tasks.map((task) => readFile(`/proc/self/task/${task}/children`, 'utf8').catch(() => '')),
  );
  const pids = lists.join(' ').split(' ').filter(Boolean).map(Number);
  const isOurs = async (pid: number): Promise<boolean> => {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return /(?:engine|inspect)[-\w]*\.mjs/.test(command) && (await runs(pid));
  };
  return (await Promise.all(pids.map(async (pid) => ((await isOurs(pid)) ? [pid] : [])))).flat();
}
