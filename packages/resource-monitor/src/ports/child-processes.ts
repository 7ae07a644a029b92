import type { ChildProcess } from 'node:child_process';
import type { Clock } from './clock.js';
import type { Executor, RunResult, RunningStream } from './executor.js';
import { messageOf } from '../resource-monitor-error.js';
import { findProgram } from './find-program.js';
import { createStartChild, type Child, type ChildEnd } from './start-child.js';

/** A program that prints more than this to stdout is killed. */
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;
const KEPT_STDERR_CHARS = 400;
/** Longer lines are dropped. No program that a reader runs prints such a line. */
const MAX_LINE_CHARS = 256 * 1024;

/** Runs programs as children of this process. */
export function childProcesses(
  clock: Clock,
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
): Executor {
  const start = createStartChild(clock, platform, env);

  return {
    find: (name, places) => findProgram(name, places, platform, env),

    async run(program, args, { timeoutMs, signal, startsOthers = false }): Promise<RunResult> {
      let child: Child;
      try {
        child = await start(program, args, { stdin: 'ignore', startsOthers });
      } catch (error) {
        // For example, Node throws if there is no memory for a process or if the program file is being written.
        return { outcome: 'not-started', exitCode: null, stdout: '', stderr: messageOf(error) };
      }
      let stdout = '';
      child.process.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
        stdout += chunk;
        if (stdout.length > MAX_OUTPUT_BYTES) child.kill();
      });
      const stderr = keepStderr(child.process);
      return new Promise((resolve) => {
        const timer = new AbortController();
        const settle = (result: Pick<RunResult, 'outcome' | 'exitCode' | 'stderr'>): void => {
          timer.abort();
          signal?.removeEventListener('abort', onAbort);
          resolve({ ...result, stdout });
        };
        const endEarly = (outcome: 'aborted' | 'timed-out'): void => {
          settle({ outcome, exitCode: null, stderr: stderr() });
          void child.end();
        };
        const onAbort = (): void => endEarly('aborted');
        void child.gone.then(({ exitCode, fault }) =>
          fault === null
            ? settle({ outcome: 'exited', exitCode, stderr: stderr() })
            : settle({ outcome: 'not-started', exitCode, stderr: fault.message }),
        );
        if (signal?.aborted === true) onAbort();
        else signal?.addEventListener('abort', onAbort, { once: true });
        clock.sleep(timeoutMs, { signal: timer.signal }).then(
          () => endEarly('timed-out'),
          () => undefined,
        );
      });
    },

    async stream(program, args, { onLine, onEnd }): Promise<RunningStream> {
      const child = await start(program, args, { stdin: 'pipe', startsOthers: false });
      const { stdin, stdout, pid } = child.process;
      stdout?.setEncoding('utf8').on('data', createLineSplitter(onLine));
      const stderr = keepStderr(child.process);
      let ended = false;
      void child.gone.then((end) => {
        ended = true;
        const printed = stderr().trim();
        onEnd(printed === '' ? describeEnd(end) : `${describeEnd(end)}: ${printed}`);
      });
      unrefAll(child.process);
      return {
        processId: pid ?? null,
        send: (line) => {
          if (stdin?.writable === true) stdin.write(`${line}\n`);
        },
        stop: async () => {
          if (ended || pid === undefined) return;
          child.process.ref();
          await child.end();
        },
      };
    },
  };
}

/** Reads the child's stderr, and keeps its last part. Returns a function that gives this part. */
function keepStderr(child: ChildProcess): () => string {
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr = (stderr + chunk).slice(-KEPT_STDERR_CHARS);
  });
  return () => stderr;
}

function describeEnd({ exitCode, killedBy, fault }: ChildEnd): string {
  if (fault !== null) return fault.message;
  return exitCode === null ? `killed by ${killedBy}` : `exited with code ${exitCode}`;
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
