import type { ChildProcess } from 'node:child_process';
import type { Clock } from './clock.js';
import type { Executor, RunResult, RunningStream } from './executor.js';
import { messageOf } from '../resource-monitor-error.js';
import { findProgram } from './find-program.js';

/** A program that prints more than this to stdout is killed. */
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;
const KEPT_STDERR_CHARS = 400;
/** Longer lines are dropped. No program that a reader runs prints such a line. */
const MAX_LINE_CHARS = 256 * 1024;
/** Delay between SIGTERM and SIGKILL. */
const KILL_AFTER_MS = 500;
/** Wait after SIGKILL. A program that hangs in a driver survives SIGKILL, so the wait must end. */
const GIVE_UP_AFTER_MS = 1000;

/** Runs programs as children of this process. */
export function childProcesses(
  clock: Clock,
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
): Executor {
  const live = new Set<ChildProcess>();
  /** Children that lead a process group, which includes the programs that they start. */
  const leaders = new WeakSet<ChildProcess>();
  const kill = (child: ChildProcess, signal: NodeJS.Signals): void => {
    if (!leaders.has(child) || child.pid === undefined) {
      child.kill(signal);
      return;
    }
    try {
      process.kill(-child.pid, signal);
    } catch {
      // The group has already ended.
    }
  };
  const killAll = (): void => {
    for (const child of live) kill(child, 'SIGKILL');
  };
  const start = async (
    program: string,
    args: readonly string[],
    { stdin, startsOthers }: { stdin: 'pipe' | 'ignore'; startsOthers: boolean },
  ) => {
    // node:child_process is loaded on first use, because loading takes 2 ms and most machines never need it.
    const { spawn } = await import('node:child_process');
    const child = spawn(program, args, {
      stdio: [stdin, 'pipe', 'pipe'],
      windowsHide: true,
      // The option is off on Windows, where it opens a window and creates no process group.
      detached: startsOthers && platform !== 'win32',
      // Makes programs print English and a decimal point, whatever the user's language.
      env: { ...env, LC_ALL: 'C', LANG: 'C', ELECTRON_RUN_AS_NODE: '1' },
    });
    if (startsOthers && platform !== 'win32') leaders.add(child);
    if (live.size === 0) process.once('exit', killAll);
    live.add(child);
    const forget = (): void => {
      live.delete(child);
      if (live.size === 0) process.removeListener('exit', killAll);
    };
    child.once('exit', forget);
    child.once('error', forget);
    // Without a listener a broken pipe would end this process. The child's exit also reports the broken pipe.
    child.stdin?.on('error', () => undefined);
    return child;
  };
  const end = async (child: ChildProcess, gone: Promise<void>): Promise<void> => {
    const over = new AbortController();
    void gone.then(() => {
      over.abort();
      // Programs that the child started may have ignored SIGTERM.
      if (leaders.has(child)) kill(child, 'SIGKILL');
    });
    kill(child, 'SIGTERM');
    try {
      await clock.sleep(KILL_AFTER_MS, { signal: over.signal });
      kill(child, 'SIGKILL');
      await clock.sleep(GIVE_UP_AFTER_MS, { signal: over.signal });
    } catch {
      return;
    }
    for (const stream of child.stdio) stream?.destroy();
    child.unref();
  };

  return {
    find: (name, places) => findProgram(name, places, platform, env),

    async run(program, args, { timeoutMs, signal, startsOthers = false }): Promise<RunResult> {
      let child: ChildProcess;
      try {
        child = await start(program, args, { stdin: 'ignore', startsOthers });
      } catch (error) {
        // For example, Node throws if there is no memory for a process or if the program file is being written.
        return { outcome: 'not-started', exitCode: null, stdout: '', stderr: messageOf(error) };
      }
      return new Promise((resolve) => {
        let stdout = '';
        let stderr = '';
        let settled = false;
        const timer = new AbortController();
        const settle = (outcome: RunResult['outcome'], exitCode: number | null): void => {
          if (settled) return;
          settled = true;
          timer.abort();
          signal?.removeEventListener('abort', onAbort);
          resolve({ outcome, exitCode, stdout, stderr });
        };
        const onAbort = (): void => {
          settle('aborted', null);
          void end(child, gone);
        };
        const gone = new Promise<void>((resolveGone) => {
          child.once('close', (code) => {
            resolveGone();
            settle('exited', code);
          });
          child.once('error', (error) => {
            stderr = error.message;
            resolveGone();
            settle('not-started', null);
          });
        });
        if (signal?.aborted === true) onAbort();
        else signal?.addEventListener('abort', onAbort, { once: true });
        child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
          stdout += chunk;
          if (stdout.length > MAX_OUTPUT_BYTES) kill(child, 'SIGKILL');
        });
        child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
          stderr = (stderr + chunk).slice(-KEPT_STDERR_CHARS);
        });
        clock.sleep(timeoutMs, { signal: timer.signal }).then(
          () => {
            settle('timed-out', null);
            void end(child, gone);
          },
          () => undefined,
        );
      });
    },

    async stream(program, args, { onLine, onEnd }): Promise<RunningStream> {
      const child = await start(program, args, { stdin: 'pipe', startsOthers: false });
      let stderr = '';
      let ended = false;
      const gone = new Promise<void>((resolve) => {
        const finish = (detail: string): void => {
          resolve();
          if (ended) return;
          ended = true;
          onEnd(stderr.trim() === '' ? detail : `${detail}: ${stderr.trim()}`);
        };
        child.once('close', (code, signal) =>
          finish(code === null ? `killed by ${signal}` : `exited with code ${code}`),
        );
        child.once('error', (error) => finish(error.message));
      });
      const splitter = createLineSplitter(onLine);
      child.stdout?.setEncoding('utf8').on('data', splitter);
      child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
        stderr = (stderr + chunk).slice(-KEPT_STDERR_CHARS);
      });
      unrefAll(child);
      return {
        processId: child.pid ?? null,
        send: (line) => {
          if (child.stdin?.writable === true) child.stdin.write(`${line}\n`);
        },
        stop: async () => {
          if (ended || child.pid === undefined) return;
          child.ref();
          await end(child, gone);
        },
      };
    },
  };
}

/** Pipes to children are sockets, so they have `unref`, which Node's types do not declare. */
function unrefAll(child: ChildProcess): void {
  child.unref();
  for (const stream of child.stdio) {
    if (stream !== null && stream !== undefined && hasUnref(stream)) stream.unref();
  }
}

function hasUnref(value: object): value is { unref(): void } {
  return 'unref' in value && typeof value.unref === 'function';
}

/** Splits chunks of text into lines that end with LF or CRLF. Buffers one unfinished line at most. */
function createLineSplitter(onLine: (line: string) => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_CHARS) rest = '';
    for (const line of lines) onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
  };
}
