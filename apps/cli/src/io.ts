import type { Terminal } from '@mai/host';

/** An output stream of the process. */
export interface OutputStream {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Columns and rows of the terminal; null where the stream is not a terminal. */
  readonly columns: number | null;
  readonly rows: number | null;
}

/**
 * The outside world. `runCli` uses the process only through this interface, so that tests can
 * replace the process.
 */
export interface Io {
  readonly version: string;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly stdin: AsyncIterable<string | Uint8Array>;
  /** Stdin and stdout where both are a terminal. */
  readonly terminal: Terminal | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
  readonly homeFolder: string;
  /** Aborts with an `Interrupted` on a signal such as Ctrl-C, and when stdout cannot be written. */
  readonly signal: AbortSignal;
  /** Sets the handler of the next Ctrl-C. It handles only that one. Null removes the handler. */
  readonly onInterrupt: (handler: (() => void) | null) => void;
  /** Does what Ctrl-C does. In raw mode the terminal sends no signal. */
  readonly interrupt: () => void;
  readonly nowMs: () => number;
  readonly sleep: (durationMs: number, signal: AbortSignal) => Promise<void>;
}

/** The reason of an aborted run: a signal such as Ctrl-C, or output that cannot be written. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  /** Identifiers of cancelled loads that the runtime has not confirmed to have ended. */
  readonly unconfirmed: string[] = [];

  constructor(
    readonly exitCode: number,
    readonly by: 'signal' | 'output' = 'signal',
  ) {
    super('Interrupted.');
  }
}
