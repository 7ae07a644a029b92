import { readStat } from './process-identity.js';

/** The work that a process has done since its start. */
export interface ProcessWork {
  readonly processorMs: number;
  /** Page faults that waited for the disk, as for mapped weights that the system had dropped. */
  readonly diskFaults: number;
}

/** Every Linux that Node runs on counts 100 clock ticks in a second for programs. */
const MS_PER_TICK = 10;

/** Reads the work of a process; `null`: not known, as on other systems than Linux. */
export async function readWork(pid: number): Promise<ProcessWork | null> {
  if (process.platform !== 'linux') return null;
  try {
    // majflt, utime and stime: fields 12, 14 and 15 of `/proc/PID/stat`.
    const fields = await readStat(pid);
    const [diskFaults = NaN, , userTicks = NaN, systemTicks = NaN] = fields.slice(9).map(Number);
    const processorMs = (userTicks + systemTicks) * MS_PER_TICK;
    return Number.isFinite(processorMs + diskFaults) ? { processorMs, diskFaults } : null;
  } catch {
    // The process has just ended, or the system hides it.
    return null;
  }
}
