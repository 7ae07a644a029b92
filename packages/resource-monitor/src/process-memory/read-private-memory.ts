import { readFile } from 'node:fs/promises';
import { childProcesses } from '../ports/child-processes.js';
import { systemClock } from '../ports/clock.js';
import type { Executor } from '../ports/executor.js';

const TIMEOUT_MS = 10_000;

/**
 * The sum of these processes' memory that is not backed by a file, in bytes: on Linux `Anonymous` of
 * `smaps_rollup`, on macOS the physical footprint of footprint(1), on Windows private bytes. A process that has
 * ended counts 0. Null without processes, or if the platform or the user's rights do not allow it.
 *
 * Takes a few milliseconds per process on Linux, and starts a program elsewhere. Use it for measurements, not
 * for every sample.
 *
 * @throws the signal's reason if it fires; RangeError for a number that no process can have.
 */
export async function readPrivateMemory(
  processIds: readonly number[],
  { signal = null }: { readonly signal?: AbortSignal | null | undefined } = {},
): Promise<number | null> {
  for (const id of processIds) {
    if (!Number.isSafeInteger(id) || id < 1)
      throw new RangeError(`A process id must be a whole number of at least 1, not ${id}.`);
  }
  const { platform, env } = process;
  const executor = childProcesses(systemClock, platform, env);
  return readPrivateMemoryOn({ platform, root: '', executor }, processIds, signal);
}

/** `readPrivateMemory` for any platform. `root` replaces `/` on Linux. */
export async function readPrivateMemoryOn(
  machine: {
    readonly platform: NodeJS.Platform;
    readonly root: string;
    readonly executor: Executor;
  },
  processIds: readonly number[],
  signal: AbortSignal | null,
): Promise<number | null> {
  const { platform, root, executor } = machine;
  signal?.throwIfAborted();
  if (processIds.length === 0) return null;
  switch (platform) {
    case 'linux':
      return fromSmaps(processIds, root);
    case 'darwin':
      return fromFootprint(processIds, executor, signal);
    case 'win32':
      return fromPowerShell(processIds, executor, signal);
    default:
      return null;
  }
}

async function fromSmaps(processIds: readonly number[], root: string): Promise<number | null> {
  const all = await Promise.all(
    processIds.map(async (processId) => {
      try {
        const text = await readFile(`${root}/proc/${processId}/smaps_rollup`, 'utf8');
        return parseSmapsRollup(text);
      } catch (error) {
        return isGone(error) ? 0 : null;
      }
    }),
  );
  return sum(all);
}

/** Whether a file of /proc could not be read because its process has ended. */
function isGone(error: unknown): boolean {
  // `instanceof Error` is false for an error of another realm, so the field is checked instead.
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return code === 'ENOENT' || code === 'ESRCH';
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

/** Reads `Anonymous:      12345 kB` of smaps_rollup, in bytes; null if the kernel does not print it. */
function parseSmapsRollup(text: string): number | null {
  const kibibytes = /^Anonymous:\s+(\d+) kB$/m.exec(text)?.[1];
  return kibibytes === undefined ? null : Number(kibibytes) * 1024;
}

/** Adds up the output of `footprint -f bytes`: `name [12]: 64-bit Footprint: 46137344 B (16384 bytes per page)`. */
function parseFootprint(text: string): number | null {
  const all = [...text.matchAll(/\[\d+\].*\bFootprint:\s+(\d+) B\b/g)];
  return all.length === 0 ? null : all.reduce((sum, [, bytes]) => sum + Number(bytes), 0);
}
