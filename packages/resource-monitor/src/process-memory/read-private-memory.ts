import { readFile } from 'node:fs/promises';
import { childProcesses } from '../ports/child-processes.js';
import type { Clock } from '../ports/clock.js';
import { systemClock } from '../ports/clock.js';
import type { Executor } from '../ports/executor.js';
import { parseFootprint, parseSmapsRollup } from './parse-private-memory.js';

const TIMEOUT_MS = 10_000;

/** Whose memory to read, and by what. */
export interface PrivateMemoryOptions {
  /** `process.platform` unless given. */
  readonly platform?: NodeJS.Platform;
  /** A folder that stands in for `/` on Linux; '' unless given. */
  readonly root?: string;
  /** Runs the tools of macOS and Windows; children of this process unless given. */
  readonly executor?: Executor;
  readonly clock?: Clock;
  /** The environment that tools are looked up in; `process.env` unless given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Bytes of memory that these processes hold together and no file backs: Linux the `Anonymous` of
 * `smaps_rollup`, macOS the physical footprint of footprint(1), Windows private bytes. A process that has
 * ended counts nothing. Null where the platform does not tell, or not this user.
 *
 * Takes a few milliseconds for each process on Linux, and a child process elsewhere: for a measurement,
 * not for every sample.
 *
 * @throws the signal's reason when cancelled.
 */
export async function readPrivateMemory(
  processIds: readonly number[],
  options: PrivateMemoryOptions = {},
): Promise<number | null> {
  const { platform = process.platform, root = '', env = process.env, signal } = options;
  signal?.throwIfAborted();
  if (processIds.length === 0) return null;
  if (platform === 'linux') return fromSmaps(processIds, root);
  const executor = options.executor ?? childProcesses(options.clock ?? systemClock, platform, env);
  if (platform === 'darwin') return fromFootprint(processIds, executor, signal ?? null);
  return platform === 'win32' ? fromPowerShell(processIds, executor, signal ?? null) : null;
}

async function fromSmaps(processIds: readonly number[], root: string): Promise<number | null> {
  const all = await Promise.all(
    processIds.map(async (processId) => {
      try {
        const text = await readFile(`${root}/proc/${processId}/smaps_rollup`, 'utf8');
        return parseSmapsRollup(text);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        return code === 'ENOENT' || code === 'ESRCH' ? 0 : null;
      }
    }),
  );
  return sum(all);
}

async function fromFootprint(
  processIds: readonly number[],
  executor: Executor,
  signal: AbortSignal | null,
): Promise<number | null> {
  const program = executor.find('footprint', ['/usr/bin']);
  if (program === null) return null;
  const args = ['-f', 'bytes', ...processIds.flatMap((processId) => ['-p', String(processId)])];
  const { outcome, exitCode, stdout } = await executor.run(program, args, {
    timeoutMs: TIMEOUT_MS,
    signal,
  });
  signal?.throwIfAborted();
  return outcome === 'exited' && exitCode === 0 ? parseFootprint(stdout) : null;
}

async function fromPowerShell(
  processIds: readonly number[],
  executor: Executor,
  signal: AbortSignal | null,
): Promise<number | null> {
  const program = executor.find('powershell.exe', []) ?? executor.find('pwsh.exe', []);
  if (program === null) return null;
  const script = `(Get-Process -Id ${processIds.join(',')} -ErrorAction SilentlyContinue | Measure-Object -Property PrivateMemorySize64 -Sum).Sum`;
  const { outcome, exitCode, stdout } = await executor.run(
    program,
    ['-NoProfile', '-NonInteractive', '-Command', script],
    { timeoutMs: TIMEOUT_MS, signal },
  );
  signal?.throwIfAborted();
  const bytes = stdout.trim();
  return outcome === 'exited' && exitCode === 0 && /^\d+$/.test(bytes) ? Number(bytes) : null;
}

function sum(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>(
    (total, value) => (total === null || value === null ? null : total + value),
    0,
  );
}
