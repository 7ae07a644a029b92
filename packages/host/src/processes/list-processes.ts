import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

/** A program that runs on this machine. */
export interface RunningProcess {
  readonly processId: number;
  readonly parentId: number;
  /** File name without its path. */
  readonly name: string;
  /**
   * The file name at the start, where the process has changed its name since (Node 24 changes it to
   * `MainThread`); otherwise null.
   */
  readonly startedAs: string | null;
}

/** Deadline of the command. Long, because PowerShell takes seconds to start on a busy machine. */
const COMMAND_TIMEOUT_MS = 15_000;
const COMMAND_MAX_BYTES = 16 * 1024 * 1024;
/** Number of processes that are read before other events of this program are handled. */
const SCAN_SLICE = 64;

/** Lists the processes that this user can see. */
export async function listProcesses(
  platform: NodeJS.Platform,
  signal: AbortSignal,
): Promise<readonly RunningProcess[]> {
  if (platform === 'linux') return listFromProc();
  // Loaded on first use, because loading takes 2 ms.
  const { execFile } = await import('node:child_process');
  const run = promisify(execFile);
  const options = { signal, timeout: COMMAND_TIMEOUT_MS, maxBuffer: COMMAND_MAX_BYTES };
  if (platform === 'win32') {
    const script =
      'Get-CimInstance Win32_Process | ForEach-Object { "$($_.ProcessId) $($_.ParentProcessId) $($_.Name)" }';
    const args = ['-NoProfile', '-NonInteractive', '-Command', script];
    return parseTable((await run('powershell.exe', args, options)).stdout);
  }
  return parseTable((await run('ps', ['-axo', 'pid=,ppid=,comm='], options)).stdout);
}

/** Whether a process has the name `wanted`. Ignores case, path and `.exe`. */
export function isProgram(
  { name, startedAs }: Pick<RunningProcess, 'name' | 'startedAs'>,
  wanted: string,
): boolean {
  return [name, startedAs].some((one) => one !== null && plainName(one) === plainName(wanted));
}

/** Parses lines of `pid ppid command`. */
export function parseTable(text: string): RunningProcess[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(.+?)\s*$/.exec(line);
    if (match === null) return [];
    const [, processId, parentId, command = ''] = match;
    return {
      processId: Number(processId),
      parentId: Number(parentId),
      name: baseName(command),
      startedAs: null,
    };
  });
}

/**
 * Reads synchronously, because the files of /proc are in memory, and promises take three times as long.
 */
async function listFromProc(): Promise<RunningProcess[]> {
  const found: RunningProcess[] = [];
  const entries = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  for (const [index, entry] of entries.entries()) {
    if (index % SCAN_SLICE === SCAN_SLICE - 1)
      await new Promise((resolve) => setImmediate(resolve));
    const one = readProc(entry);
    if (one !== null) found.push(one);
  }
  return found;
}

function readProc(entry: string): RunningProcess | null {
  try {
    const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
    const commandLine = readFileSync(`/proc/${entry}/cmdline`, 'utf8');
    const short = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const [, parentId] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      processId: Number(entry),
      parentId: Number(parentId),
      ...namesOf(short, commandLine),
    };
  } catch {
    // The process has ended, or the system hides it because it belongs to another user.
    return null;
  }
}

/**
 * The names of a Linux process.
 *
 * @param short - the kernel's name of the process, cut to 15 bytes
 * @param commandLine - its arguments, separated by NUL. The first is the program, or the interpreter of a
 *   script
 */
export function namesOf(
  short: string,
  commandLine: string,
): Pick<RunningProcess, 'name' | 'startedAs'> {
  const started = commandLine.split('\0').slice(0, 2).map(baseName);
  const whole = started.find((one) => (short.length < 15 ? one === short : one.startsWith(short)));
  if (whole !== undefined) return { name: whole, startedAs: null };
  // Some processes write a title such as `sshd: somebody` over their arguments.
  const [program = ''] = commandLine.split('\0');
  const isTitle = program === '' || program.includes(': ');
  return { name: short, startedAs: isTitle ? null : baseName(program) };
}

function baseName(command: string): string {
  return path.win32.basename(command);
}

function plainName(name: string): string {
  return baseName(name)
    .replace(/\.exe$/i, '')
    .toLowerCase();
}
