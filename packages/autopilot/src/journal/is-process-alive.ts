import { readFileSync } from 'node:fs';
import os from 'node:os';
import { errorCode } from '../autopilot-error.js';

/**
 * Whether a process with this id runs on this machine. `sinceMs` (epoch milliseconds) is a time at which the
 * process ran. False when this time is before the start of the machine, because the id then belongs to
 * another process.
 */
export function isProcessAlive(processId: number, sinceMs?: number): boolean {
  if (sinceMs !== undefined && Date.now() - sinceMs > os.uptime() * 1000) return false;
  try {
    process.kill(processId, 0);
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    if (errorCode(error) !== 'EPERM') return false;
  }
  return !hasEnded(processId);
}

/** Linux keeps the id of an ended process until its parent has waited for it; see proc_pid_stat(5). */
function hasEnded(processId: number): boolean {
  if (process.platform !== 'linux') return false;
  let stat: string;
  try {
    stat = readFileSync(`/proc/${processId}/stat`, 'latin1');
  } catch {
    // Hidden from this user, or ended meanwhile.
    return false;
  }
  // The state follows the name, which is in brackets and may contain brackets and spaces.
  const state = stat.slice(stat.lastIndexOf(')') + 2)[0];
  return state === 'Z' || state === 'X';
}
