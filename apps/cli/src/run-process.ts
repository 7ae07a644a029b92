import { homedir } from 'node:os';
import type { WriteStream } from 'node:tty';
import { systemClock } from '@mai/host';
import { EXIT } from './exit-codes.js';
import { Interrupted, type OutputStream } from './io.js';
import { bugMessage } from './report-error.js';
import { runCli } from './run-cli.js';
import { SHOW_CURSOR } from './terminal/live-view.js';

/** Runs the command line against the real process: its streams, its signals, its exit code. */
export async function runProcess(argv: readonly string[], version: string): Promise<void> {
  const controller = new AbortController();
  const interrupt = (exitCode: number) => () => {
    // The first Ctrl-C asks for a clean end; the second ends the process at once.
    if (controller.signal.aborted) {
      showCursor();
      process.exit(exitCode);
    }
    controller.abort(new Interrupted(exitCode));
  };
  process.on('SIGINT', interrupt(EXIT.interrupted));
  process.on('SIGTERM', interrupt(EXIT.terminated));
  // The terminal was closed: finish cleanly all the same.
  process.on('SIGHUP', interrupt(EXIT.hungUp));
  // `mai models | head` closes stdout early, and a closed terminal accepts no output. Neither is
  // an error, but work in progress is ended cleanly.
  const onClosedStream = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    if (!controller.signal.aborted) controller.abort(new Interrupted(EXIT.success));
  };
  for (const stream of [process.stdout, process.stderr]) stream.on('error', onClosedStream);

  // No error may end in a stack trace, not even one in a callback that nobody awaits.
  const fail = (error: unknown) => {
    showCursor();
    process.stderr.write(`error: ${bugMessage(error, argv.includes('--verbose'))}\n`);
    process.exit(EXIT.bug);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);

  process.exitCode = await runCli(argv, {
    version,
    stdout: outputStream(process.stdout),
    stderr: outputStream(process.stderr),
    // A getter, because reading process.stdin opens it.
    get stdin() {
      return process.stdin;
    },
    env: process.env,
    cwd: process.cwd(),
    platform: process.platform,
    homeFolder: homedir(),
    signal: controller.signal,
    nowMs: Date.now,
    sleep: (durationMs, signal) => systemClock.sleep(durationMs, { signal }),
  });
}

/** An interrupted live view has hidden the cursor; showing it twice does no harm. */
function showCursor(): void {
  if (process.stdout.isTTY) process.stdout.write(SHOW_CURSOR);
}

function outputStream(stream: WriteStream): OutputStream {
  return {
    write: (text) => void stream.write(text),
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.isTTY ? stream.columns : null;
    },
    get rows() {
      return stream.isTTY ? stream.rows : null;
    },
  };
}
