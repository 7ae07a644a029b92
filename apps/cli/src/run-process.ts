import { homedir } from 'node:os';
import type { WriteStream } from 'node:tty';
import { SHOW_CURSOR, systemClock } from '@mai/host';
import { codeOf, EXIT, knownError } from './exit-codes.js';
import { Interrupted, type OutputStream } from './io.js';
import { bugMessage } from './report-error.js';
import { runCli } from './run-cli.js';
import { UsageError } from './usage-error.js';

/** Runs the command line against the real process: its streams, its signals, its exit code. */
export async function runProcess(argv: readonly string[], version: string): Promise<void> {
  const controller = new AbortController();
  let onInterrupt: (() => void) | null = null;
  const interrupt = (exitCode: number) => () => {
    const handler = exitCode === EXIT.interrupted ? onInterrupt : null;
    onInterrupt = null;
    if (handler !== null) return handler();
    // The first Ctrl-C asks for a clean end. The second Ctrl-C ends the process at once.
    if (controller.signal.aborted) {
      showCursor();
      process.exit(exitCode);
    }
    controller.abort(new Interrupted(exitCode));
  };
  const onCtrlC = interrupt(EXIT.interrupted);
  process.on('SIGINT', onCtrlC);
  process.on('SIGTERM', interrupt(EXIT.terminated));
  process.on('SIGTSTP', suspend);
  // The system sends SIGHUP when the terminal is closed. The command still ends cleanly.
  process.on('SIGHUP', interrupt(EXIT.hungUp));
  // Where the output cannot be written, the result is lost, so the command is cancelled.
  let outputExitCode: number | null = null;
  process.stdout.on('error', (error) => {
    // After the first error, each further write fails, too.
    if (outputExitCode !== null) return;
    const code = codeOf(error);
    const isClosed = code !== null && CLOSED_CODES.has(code);
    outputExitCode = isClosed ? EXIT.success : EXIT.outputFailed;
    if (!isClosed) process.stderr.write(outputFailed(code));
    // Pipes report errors late: the command may have ended already.
    process.exitCode = outputExitCode;
    controller.abort(new Interrupted(outputExitCode, 'output'));
  });
  // Without stderr only notes and warnings are lost, so the command goes on.
  process.stderr.on('error', () => undefined);

  // Errors in callbacks that nobody awaits are also reported as bugs, without a stack trace.
  const fail = (error: unknown) => {
    showCursor();
    const known = knownError(error);
    const message = known?.message ?? bugMessage(error, argv.includes('--verbose'));
    process.stderr.write(`error: ${message}\n`);
    process.exit(known?.exitCode ?? EXIT.bug);
  };
  for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, fail);

  let readsStdin = false;
  // A command may wait for timers only, which do not keep the process alive, such as for the next try to connect.
  const alive = setInterval(() => undefined, 60_000);
  const exitCode = await runCli(argv, {
    version,
    stdout: outputStream(process.stdout),
    stderr: outputStream(process.stderr),
    // A getter, because the first access to process.stdin opens it.
    get stdin() {
      readsStdin = true;
      return process.stdin;
    },
    get terminal() {
      readsStdin = true;
      const { stdin: input, stdout: output } = process;
      return input.isTTY && output.isTTY ? { input, output } : null;
    },
    env: process.env,
    // A getter, so that commands that need no folder, such as --help, run without one.
    get cwd() {
      return currentFolder();
    },
    platform: process.platform,
    homeFolder: homedir(),
    signal: controller.signal,
    onInterrupt: (handler) => (onInterrupt = handler),
    interrupt: onCtrlC,
    nowMs: Date.now,
    sleep: (durationMs, signal) => systemClock.sleep(durationMs, { signal }),
  });
  clearInterval(alive);
  process.exitCode = outputExitCode ?? exitCode;
  // An interrupted command can leave a read from the terminal open, which would keep this process alive.
  if (readsStdin) process.stdin.destroy();
}

// Error codes of a stream without a reader: a closed pipe, as in `mai models | head` (`EOF` on Windows), or a closed
// terminal (`EIO`).
const CLOSED_CODES = new Set(['EPIPE', 'EOF', 'EIO']);

function outputFailed(code: string | null): string {
  const why = code === null ? 'OUTPUT_FAILED' : `OUTPUT_FAILED, ${code}`;
  return `error: The output cannot be written (${why}). Free space on that disk, or write the output to another place.\n`;
}

/** @throws UsageError where the folder of the shell was removed, its drive was unplugged, or macOS denies this terminal access to it. */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch (error) {
    const code = codeOf(error);
    const why = code === 'ENOENT' ? 'does not exist any more' : `cannot be used (${code})`;
    throw new UsageError(
      `The current folder ${why}. Change to another folder, then run the command again.`,
    );
  }
}

/** An interrupted live view leaves the cursor hidden. Showing a visible cursor changes nothing. */
function showCursor(): void {
  if (process.stdout.isTTY) process.stdout.write(SHOW_CURSOR);
}

/** Ctrl-Z: shows the cursor for the shell, and stops. A live view hides it again with its next frame. */
function suspend(): void {
  showCursor();
  // Without a listener, the signal stops the process, except where no shell could continue it.
  process.off('SIGTSTP', suspend);
  process.kill(process.pid, 'SIGTSTP');
  process.on('SIGTSTP', suspend);
}

function outputStream(stream: WriteStream): OutputStream {
  return {
    write: (text) => void stream.write(text),
    get isTTY() {
      return stream.isTTY;
    },
    // A terminal whose size is not known reports 0.
    get columns() {
      return stream.isTTY && stream.columns > 0 ? stream.columns : null;
    },
    get rows() {
      return stream.isTTY && stream.rows > 0 ? stream.rows : null;
    },
  };
}
