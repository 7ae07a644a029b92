import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

/** A program that runs on this machine. */
export interface RunningProcess {
  readonly processId: number;
  readonly parentId: number;
  /** Without path, and without `.exe`. */
  readonly name: string;
}

const run = promisify(execFile);
/** PowerShell takes seconds to start on a machine that is busy. */
const COMMAND_TIMEOUT_MS = 15_000;
const COMMAND_MAX_BYTES = 16 * 1024 * 1024;

/** Every process that can be seen from here. */
export async function listProcesses(
  platform: NodeJS.Platform,
  signal: AbortSignal,
): Promise<readonly RunningProcess[]> {
  const options = { signal, timeout: COMMAND_TIMEOUT_MS, maxBuffer: COMMAND_MAX_BYTES };
  if (platform === 'linux') return listFromProc();
  if (platform === 'win32') {
    const script =
      'Get-CimInstance Win32_Process | ForEach-Object { "$($_.ProcessId) $($_.ParentProcessId) $($_.Name)" }';
    const args = ['-NoProfile', '-NonInteractive', '-Command', script];
    return parseTable((await run('powershell.exe', args, options)).stdout);
  }
  return parseTable((await run('ps', ['-axo', 'pid=,ppid=,comm='], options)).stdout);
}

/** The same program under another spelling: as people, files and task managers write it. */
export function sameProgram(name: string, wanted: string): boolean {
  return plainName(name) === plainName(wanted);
}

/** Reads lines of `pid ppid command`. */
export function parseTable(text: string): RunningProcess[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(.+?)\s*$/.exec(line);
    if (match === null) return [];
    const [, processId, parentId, command = ''] = match;
    return { processId: Number(processId), parentId: Number(parentId), name: baseName(command) };
  });
}

async function listFromProc(): Promise<RunningProcess[]> {
  const entries = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(entries.map(readProc));
  return found.flatMap((one) => one ?? []);
}

async function readProc(entry: string): Promise<RunningProcess | null> {
  try {
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8');
    // The name is in brackets and may hold brackets itself; it is cut to 15 bytes.
    const short = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const [, parentId] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const full = short.length < 15 ? short : await longName(entry, short);
    return { processId: Number(entry), parentId: Number(parentId), name: baseName(full) };
  } catch {
    // Ended since, or hidden from this user.
    return null;
  }
}

async function longName(entry: string, short: string): Promise<string> {
  const [command = ''] = (await readFile(`/proc/${entry}/cmdline`, 'utf8')).split('\0');
  const name = baseName(command);
  return name.startsWith(short) ? name : short;
}

function baseName(command: string): string {
  return path.win32.basename(command);
}

function plainName(name: string): string {
  return baseName(name)
    .replace(/\.exe$/i, '')
    .toLowerCase();
}
