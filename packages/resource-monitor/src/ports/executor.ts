/** Runs programs for readers, without a shell. No program outlives the monitor. Tests replay recorded output. */
export interface Executor {
  /** The path of a program on the PATH or in one of the folders `places`; null if not found. Runs nothing. */
  find(name: string, places: readonly string[]): string | null;
  /** Runs a program to its end and kills it at the deadline or when the signal fires. Never rejects. */
  run(program: string, args: readonly string[], options: RunOptions): Promise<RunResult>;
  /** Starts a program that prints lines until it is stopped. */
  stream(
    program: string,
    args: readonly string[],
    listener: StreamListener,
  ): Promise<RunningStream>;
}

/** Options of `Executor.run`. */
export interface RunOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | null;
  /** True if the program starts other programs, which must be killed with it. Default: false. */
  readonly startsOthers?: boolean;
}

/** The result of a run. */
export interface RunResult {
  readonly outcome: 'exited' | 'timed-out' | 'not-started' | 'aborted';
  /** Null if the program did not exit by itself. */
  readonly exitCode: number | null;
  readonly stdout: string;
  /** The last part of stderr, for messages. */
  readonly stderr: string;
}

/** Receives the output of `Executor.stream`. */
export interface StreamListener {
  readonly onLine: (line: string) => void;
  /** Called once, when the program has ended for any reason; `detail` is a text for people. */
  readonly onEnd: (detail: string) => void;
}

/** A running program. */
export interface RunningStream {
  /** Null if the program could not be started. */
  readonly processId: number | null;
  /** Writes one line to the program's stdin. */
  send(line: string): void;
  /** Ends the program, with SIGKILL if necessary. Resolves when it has ended or cannot be killed. */
  stop(): Promise<void>;
}
