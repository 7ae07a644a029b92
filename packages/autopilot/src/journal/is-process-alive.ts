import { readFileSync } from 'node:fs';
import os from 'node:os';
import { errorCode } from '../autopilot-error.js';

/**
 * Whether a process with this id runs on this machine. One that ran at `sinceMs` (epoch milliseconds),
 * before the machine started, is gone, whatever has its id now.
 */
export function isProcessAlive(processId: number, sinceMs?: number): boolean {
  if (sinceMs !== undefined && Date.now() - sinceMs > os.uptime() * 1000) return false;
  try {
    process.kill(processId, 0);
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    if (errorCode(error) !== 'EPERM') return false;
  }
  return !hasEnded(processId);
}

/** Linux keeps the id of a process that has ended until its parent has asked how (proc_pid_stat(5)). */
function hasEnded(processId: number): boolean {
  if (process.platform !== 'linux') return false;
  let stat: string;
  try {
    stat = readFileSync(`/proc/${processId}/stat`, 'latin1');
  } catch {
    // Hidden from this user, or gone since.
    return false;
  }
  // The name comes before the state, in brackets, and may hold brackets and spaces itself.
  const state = stat.slice(stat.lastIndexOf(')') + 2)[0];
  return state === 'Z' || state === 'X';
}
