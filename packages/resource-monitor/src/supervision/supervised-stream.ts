import type { Clock } from '../ports/clock.js';
import type { Executor, RunningStream } from '../ports/executor.js';
import { messageOf } from '../resource-monitor-error.js';

/** Wait after the first fault. It doubles up to `LONGEST_BACK_OFF_MS` while faults go on. */
const FIRST_BACK_OFF_MS = 1000;
const LONGEST_BACK_OFF_MS = 60_000;
/** After a run of at least this length, the back-off starts at `FIRST_BACK_OFF_MS` again. */
const HEALTHY_AFTER_MS = 60_000;
/** Longest wait for the first line. Without a persistence daemon, the driver wakes all GPUs first. */
const FIRST_LINE_WITHIN_MS = 15_000;
/** A program hangs if it has been silent for this number of intervals, but not before `SHORTEST_SILENCE_MS`. */
const SILENT_INTERVALS = 4;
const SHORTEST_SILENCE_MS = 3000;
/** Without a `keepAlive` for this time the program is ended, so that the GPU can sleep. */
const RELEASE_AFTER_MS = 30_000;
/** Length at which a program's message is cut. */
const MAX_REASON_CHARS = 200;
/**
 * Number of programs that were told to end and may still run when a new program starts. Two are normal: one
 * from a restart, and one that hangs in its driver.
 */
const MOST_LINGERING = 2;
/** A program that prints more is killed. 64 GPUs at the shortest interval print far fewer lines. */
const MOST_LINES_PER_SECOND = 2000;

/** The state of the program. */
export interface StreamState {
  /** Why the program supplies nothing now; null while it runs well. */
  readonly trouble: string | null;
  /** The program's own message, where it ended with one; null otherwise. */
  readonly lastWords: string | null;
  /** True from a start until the first line. */
  readonly starting: boolean;
}

/**
 * Keeps a program running that prints lines continuously. It starts the program on first use, kills it
 * when it falls silent or floods, starts it again after a back-off, and ends it when it is no longer used.
 */
export interface SupervisedStream {
  readonly state: StreamState;
  /** Call this at every use. Starts the program unless it runs or a back-off is in force. */
  keepAlive(): void;
  /** Writes one line to the program's stdin, once it runs. */
  send(line: string): void;
  /** Ends the program and starts it with a new command, without counting that as a fault. */
  restart(): void;
  /** Ends the program until the next `keepAlive`, without counting that as a fault. */
  pause(): void;
  /** Ends the program for good. */
  stop(): Promise<void>;
}

export interface SupervisedStreamOptions {
  readonly executor: Executor;
  readonly clock: Clock;
  readonly name: string;
  /** The command; evaluated at each start. */
  readonly command: () => { readonly program: string; readonly args: readonly string[] };
  readonly intervalMs: () => number;
  /**
   * Returns false for a line in an unknown format. Such a line does not count as output. A program that prints
   * only such lines counts as silent.
   */
  readonly onLine: (line: string) => boolean;
  /**
   * For programs that print only when asked: the time since which an answer is due; null if no answer is due.
   * Without this option a line is due in every interval.
   */
  readonly silentSinceMs?: () => number | null;
  /** Called after a change of `state`. */
  readonly onState: () => void;
}

interface Run {
  readonly startedMs: number;
  lastLineMs: number | null;
  /** The last line in an unknown format: often the program's error message. */
  lastUnknownLine: string | null;
  /** Lines since `countedFromMs`, for the flood check. */
  lines: number;
  countedFromMs: number;
  stream: RunningStream | null;
  /** Lines for the program's stdin, kept until the program runs. */
  unsent: string[];
  /** Fires when the program has ended, or was told to end. */
  readonly over: AbortController;
}

export function createSupervisedStream(options: SupervisedStreamOptions): SupervisedStream {
  const { executor, clock, name, command, intervalMs, onLine, silentSinceMs, onState } = options;
  let run: Run | null = null;
  let trouble: string | null = null;
  let lastWords: string | null = null;
  let backOffMs = FIRST_BACK_OFF_MS;
  let retryAtMs = 0;
  let usedAtMs = 0;
  let stopped = false;
  const endings = new Set<Promise<void>>();
  /** Runs that were told to end and have not ended yet. */
  const lingering = new Set<Run>();

  const start = (): void => {
    const current: Run = {
      startedMs: clock.monotonicMs(),
      lastLineMs: null,
      lastUnknownLine: null,
      lines: 0,
      countedFromMs: clock.monotonicMs(),
      stream: null,
      unsent: [],
      over: new AbortController(),
    };
    run = current;
    const { program, args } = command();
    const listener = {
      onLine: (line: string): void => {
        if (run !== current || line.trim() === '') return;
        if (isFlood(current)) {
          end(current, `${name} printed more than ${MOST_LINES_PER_SECOND} lines in a second`);
          return;
        }
        if (!onLine(line)) {
          current.lastUnknownLine = readable(line);
          return;
        }
        current.lastLineMs = clock.monotonicMs();
        trouble = null;
        lastWords = null;
        if (current.lastLineMs - current.startedMs > HEALTHY_AFTER_MS)
          backOffMs = FIRST_BACK_OFF_MS;
      },
      onEnd: (detail: string): void => ended(current, detail),
    };
    executor.stream(program, args, listener).then(
      (stream) => {
        current.stream = stream;
        for (const line of current.unsent.splice(0)) stream.send(line);
        if (current.over.signal.aborted) track(stream.stop());
        else void watch(current);
      },
      (error: unknown) => ended(current, messageOf(error)),
    );
  };

  const isFlood = (current: Run): boolean => {
    const nowMs = clock.monotonicMs();
    if (nowMs - current.countedFromMs >= 1000) {
      current.countedFromMs = nowMs;
      current.lines = 0;
    }
    current.lines += 1;
    return current.lines > MOST_LINES_PER_SECOND;
  };

  const track = (ending: Promise<void>): void => {
    endings.add(ending);
    void ending.finally(() => endings.delete(ending));
  };

  const ended = (current: Run, detail: string): void => {
    lingering.delete(current);
    current.over.abort();
    if (run !== current) return;
    run = null;
    // The program's own error message says more than its exit code.
    fault(
      current.lastUnknownLine === null
        ? `${name} ${detail}`
        : `${name} said: ${current.lastUnknownLine}`,
      current.lastUnknownLine,
    );
  };

  const fault = (reason: string, words: string | null): void => {
    lastWords = words;
    retryAtMs = clock.monotonicMs() + backOffMs;
    trouble = `${readable(reason)} (next try in ${Math.round(backOffMs / 1000)} s)`;
    backOffMs = Math.min(backOffMs * 2, LONGEST_BACK_OFF_MS);
    onState();
  };

  /** Ends the program. If there is a reason, the end counts as a fault. */
  const end = (current: Run, reason: string | null): void => {
    if (run !== current) return;
    run = null;
    current.over.abort();
    lingering.add(current);
    if (current.stream !== null) track(current.stream.stop());
    if (reason !== null) fault(reason, null);
  };

  const watch = async (current: Run): Promise<void> => {
    const { signal } = current.over;
    try {
      for (;;) {
        await clock.sleep(Math.max(250, intervalMs()), { signal, background: true });
        const nowMs = clock.monotonicMs();
        const silence = Math.max(SHORTEST_SILENCE_MS, SILENT_INTERVALS * intervalMs());
        const allowedMs = current.lastLineMs === null ? FIRST_LINE_WITHIN_MS : silence;
        const owedSinceMs =
          silentSinceMs === undefined ? (current.lastLineMs ?? current.startedMs) : silentSinceMs();
        const silentMs = owedSinceMs === null ? 0 : nowMs - owedSinceMs;
        if (silentMs >= allowedMs) {
          const heard =
            current.lastUnknownLine === null
              ? ''
              : `, and its last message was: ${current.lastUnknownLine}`;
          end(current, `${name} printed no figures for ${Math.round(silentMs / 1000)} s${heard}`);
        } else if (nowMs - usedAtMs > RELEASE_AFTER_MS) end(current, null);
      }
    } catch {
      // The sleep was aborted, because this run has ended.
    }
  };

  return {
    get state(): StreamState {
      return {
        trouble,
        lastWords,
        starting: run !== null && run.lastLineMs === null && trouble === null,
      };
    },
    keepAlive() {
      usedAtMs = clock.monotonicMs();
      if (run !== null || stopped || usedAtMs < retryAtMs) return;
      // A program that hangs in the kernel cannot be killed, and the next program would hang, too.
      if (lingering.size < MOST_LINGERING) start();
    },
    send(line) {
      if (run?.stream != null) run.stream.send(line);
      else run?.unsent.push(line);
    },
    restart() {
      if (run === null) return;
      end(run, null);
      start();
    },
    pause() {
      if (run !== null) end(run, null);
    },
    async stop() {
      stopped = true;
      if (run !== null) end(run, null);
      await Promise.all(endings);
    },
  };
}

/** A program's message without control characters and escape sequences, cut to a fixed length. */
function readable(text: string): string {
  return text
    .replace(/\p{Cc}\[[\d;?]*[a-z]/giu, ' ')
    .replace(/[\p{C}\uFFFD\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_REASON_CHARS);
}
