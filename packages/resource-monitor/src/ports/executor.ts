/**
 * The programs that a reader may run. Nothing here goes through a shell, and nothing outlives the
 * monitor. Tests hand in recorded outputs.
 */
export interface Executor {
  /** The path of a program on the PATH or in one of `places`, or null. Starts nothing. */
  find(name: string, places: readonly string[]): string | null;
  /** Runs a program to its end. Never rejects; killed at the deadline or when the signal fires. */
  run(program: string, args: readonly string[], options: RunOptions): Promise<RunResult>;
  /** Starts a program that goes on printing lines until it is stopped. */
  stream(
    program: string,
    args: readonly string[],
    listener: StreamListener,
  ): Promise<RunningStream>;
}

export interface RunOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | null;
  /** It starts programs itself, which are ended with it. False unless given. */
  readonly startsOthers?: boolean;
}

/** What a program left behind. */
export interface RunResult {
  readonly outcome: 'exited' | 'timed-out' | 'not-started' | 'aborted';
  /** Exit code; null where it did not exit by itself. */
  readonly exitCode: number | null;
  readonly stdout: string;
  /** The end of what it printed on stderr, for the reason that people read. */
  readonly stderr: string;
}

export interface StreamListener {
  readonly onLine: (line: string) => void;
  /** Called once, when it has ended for whatever reason; `detail` is for people. */
  readonly onEnd: (detail: string) => void;
}

/** A program that runs beside this process. */
export interface RunningStream {
  /** Null when it could not be started. */
  readonly processId: number | null;
  /** Writes one line to its stdin. */
  send(line: string): void;
  /** Ends it, by force if need be; resolves when it is gone or past caring. */
  stop(): Promise<void>;
}
