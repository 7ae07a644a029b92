import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Deadline of `ps`, in milliseconds. */
const PS_DEADLINE_MS = 2000;

/**
 * When a process was started, as text that identifies the process together with its number, because the system uses
 * numbers again. `gone`: no such process. `null`: not known, as on Windows.
 */
export async function startTimeOf(pid: number): Promise<string | 'gone' | null> {
  if (!isAlive(pid)) return 'gone';
  if (process.platform === 'linux') return linuxStartTime(pid);
  if (process.platform !== 'darwin') return null;
  try {
    const { stdout } = await run('ps', ['-o', 'lstart=', '-p', String(pid)], {
      timeout: PS_DEADLINE_MS,
    });
    return stdout.trim() === '' ? 'gone' : stdout.trim();
  } catch {
    // `ps` also fails for a process that has just ended.
    return isAlive(pid) ? null : 'gone';
  }
}

/** Whether a process exists. A zombie counts as existing. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** Field 22 of `/proc/PID/stat`: clock ticks between the start of the system and the start of the process. */
async function linuxStartTime(pid: number): Promise<string | 'gone' | null> {
  let text: string;
  try {
    text = await readFile(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    return codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH' ? 'gone' : null;
  }
  // The name of the program is in parentheses and may contain spaces.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  if (state === 'Z' || state === 'X') return 'gone';
  return fields[19] ?? null;
}

/** The system's code of an error; `null` for an error without one. */
export function codeOf(error: unknown): string | null {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : null;
}
