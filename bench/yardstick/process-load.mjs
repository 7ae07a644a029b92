// CPU time and memory of processes. Linux only, because other systems have no files with these figures.
import { existsSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** CPU seconds of a process and of its children that have ended. */
export function cpuSecondsOf(processId) {
  const text = readFileSync(`/proc/${processId}/stat`, 'utf8');
  // The name before the last bracket may contain spaces. Then come state, ppid, and so on. Fields 14 to 17 of
  // proc(5) are utime, stime, cutime and cstime.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) / TICKS_PER_SECOND;
}

/** Bytes of RAM that a process holds. */
export function residentBytesOf(processId) {
  const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${processId}/status`, 'utf8'));
  return Number(kib) * 1024;
}

/**
 * Milliseconds for which the main thread of this process was ready to run while other threads had every CPU. 0 where the
 * kernel does not count them. The time for which a process is stopped (SIGSTOP) does not count.
 */
export function waitedForCpuMs() {
  const file = '/proc/self/schedstat';
  if (!existsSync(file)) return 0;
  // Time on a CPU, time in the queue for one, both in nanoseconds, and the number of turns (sched-stats.rst).
  const [, queuedNs] = readFileSync(file, 'utf8').split(' ');
  return Number(queuedNs) / 1e6;
}
