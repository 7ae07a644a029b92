import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Deadline of `ps`, in milliseconds. */
const PS_DEADLINE_MS = 2000;

/** A running process. */
export interface RunningProcess {
  /**
   * When the process was started, as text. It identifies the process together with its number, because the system uses
   * numbers again. `null`: not known, as on Windows.
   */
  readonly startTime: string | null;
}

/** Looks for a process by its number; `null`: no process has this number. */
export async function findProcess(pid: number): Promise<RunningProcess | null> {
  if (!isAlive(pid)) return null;
  if (process.platform === 'linux') return findOnLinux(pid);
  if (process.platform !== 'darwin') return { startTime: null };
  try {
    const { stdout } = await run('ps', ['-o', 'lstart=', '-p', String(pid)], {
      timeout: PS_DEADLINE_MS,
    });
    return stdout.trim() === '' ? null : { startTime: stdout.trim() };
  } catch {
    // `ps` also fails for a process that has just ended.
    return isAlive(pid) ? { startTime: null } : null;
  }
}

/** Whether the system knows the process. It also knows zombies. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** Field 22 of `/proc/PID/stat`: clock ticks between the start of the system and the start of the process. */
async function findOnLinux(pid: number): Promise<RunningProcess | null> {
  let fields: readonly string[];
  try {
    fields = await readStat(pid);
  } catch (error) {
    const isGone = codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH';
    return isGone ? null : { startTime: null };
  }
  const [state] = fields;
  // A zombie has no memory any more.
  if (state === 'Z' || state === 'X') return null;
  return { startTime: fields[19] ?? null };
}

/** The fields of Linux's `/proc/PID/stat` from the third on. @throws the system's error */
export async function readStat(pid: number): Promise<readonly string[]> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name of the program is in parentheses and may contain spaces.
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** The system's code of an error; `null` for an error without one. */
export function codeOf(error: unknown): string | null {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : null;
}
