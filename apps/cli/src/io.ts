/** One of the process's output streams, as the CLI sees it. */
export interface OutputStream {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Columns and rows of the terminal; null where the stream is not a terminal. */
  readonly columns: number | null;
  readonly rows: number | null;
}

/**
 * The outside world: `runCli` uses the process only through this interface, so tests can replace
 * it.
 */
export interface Io {
  readonly version: string;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly stdin: AsyncIterable<string | Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
  readonly homeFolder: string;
  /** Aborted with an `Interrupted` by Ctrl-C, and where stdout can't be written. */
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
  readonly sleep: (durationMs: number, signal: AbortSignal) => Promise<void>;
}

/** Why a run was ended from outside: by a signal, or because its output can't be written. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor(
    readonly exitCode: number,
    readonly by: 'signal' | 'output' = 'signal',
  ) {
    super('Interrupted.');
  }
}
