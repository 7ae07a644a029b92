import { systemClock } from '@mai/host';
import type { Io, OutputStream } from '../src/io.js';
import { createOutput, type Output } from '../src/terminal/output.js';

export interface FakeIo extends Io {
  readonly out: () => string;
  readonly err: () => string;
}

export interface FakeIoOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly homeFolder?: string;
  /** Columns of both streams. Absent: the streams are not terminals. */
  readonly columns?: number;
  readonly stdin?: Iterable<string> | AsyncIterable<string>;
  readonly signal?: AbortSignal;
  readonly platform?: NodeJS.Platform;
  readonly onInterrupt?: Io['onInterrupt'];
}

/** An outside world in memory. Its streams record the output. */
export function createFakeIo(options: FakeIoOptions = {}): FakeIo {
  const homeFolder = options.homeFolder ?? '/nowhere';
  const written = { out: '', err: '' };
  const stream = (name: 'out' | 'err'): OutputStream => ({
    write: (text) => {
      written[name] += text;
    },
    isTTY: options.columns !== undefined,
    columns: options.columns ?? null,
    rows: options.columns === undefined ? null : 24,
  });
  return {
    version: '9.9.9',
    stdout: stream('out'),
    stderr: stream('err'),
    stdin: (async function* () {
      yield* options.stdin ?? [];
    })(),
    terminal: null,
    env: options.env ?? {},
    cwd: options.cwd ?? process.cwd(),
    platform: options.platform ?? 'linux',
    homeFolder,
    signal: options.signal ?? new AbortController().signal,
    onInterrupt: (handler) => options.onInterrupt?.(handler),
    interrupt: () => undefined,
    nowMs: Date.now,
    sleep: (durationMs, signal) => systemClock.sleep(durationMs, { signal }),
    out: () => written.out,
    err: () => written.err,
  };
}

/** An output as text without colours, for tests that look at the rendered text. */
export function createTextOutput(options: FakeIoOptions = {}): Output {
  return createOutput(createFakeIo(options), { json: false, quiet: false, noColour: true });
}
