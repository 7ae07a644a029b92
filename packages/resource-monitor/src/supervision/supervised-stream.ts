import type { Clock } from '../ports/clock.js';
import type { Executor, RunningStream } from '../ports/executor.js';

/** First back-off; doubles up to the longest while the program keeps failing. */
const FIRST_BACK_OFF_MS = 1000;
const LONGEST_BACK_OFF_MS = 60_000;
/** After so long without a fault an earlier one is forgotten. */
const HEALTHY_AFTER_MS = 60_000;
/** Drivers without a daemon wake the GPUs first: seconds with one, more with many. */
const FIRST_LINE_WITHIN_MS = 15_000;
/** Of silence, in intervals, until the program counts as hung. */
const SILENT_INTERVALS = 4;
const SHORTEST_SILENCE_MS = 3000;
/** Nobody asked for so long: the program is let go, and the GPU may sleep. */
const RELEASE_AFTER_MS = 30_000;
/** The rest of a long complaint helps nobody. */
const MAX_REASON_CHARS = 200;
/** Of programs that were ended and are not gone: the one of a restart, and one that is stuck in its driver. */
const MOST_LINGERING = 2;

/** How the program is doing. */
export interface StreamState {
  /** Why there is nothing from it now; null while it runs well. */
  readonly trouble: string | null;
  /** True from a start until its first line. */
  readonly starting: boolean;
}

/**
 * Keeps one program running that prints lines for ever: starts it when it is first wanted, kills it
 * when it falls silent, starts it again after a back-off, and ends it when nobody wants it any more.
 */
export interface SupervisedStream {
  readonly state: StreamState;
  /** Wanted now; starts the program where it does not run and is not backing off. */
  want(): void;
  /** Writes one line to its stdin, as soon as it runs. */
  send(line: string): void;
  /** Ends it and starts it anew with other arguments, without counting that as a fault. */
  restart(): void;
  /** Ends it for good. */
  stop(): Promise<void>;
}

export interface SupervisedStreamOptions {
  readonly executor: Executor;
  readonly clock: Clock;
  readonly name: string;
  /** What to run now; asked at each start. */
  readonly command: () => { readonly program: string; readonly args: readonly string[] };
  readonly intervalMs: () => number;
  /** False for a line that is not of the kind that was asked for: rubbish does not feed the watchdog. */
  readonly onLine: (line: string) => boolean;
  /**
   * Since when an answer is owed, or null when none is; for programs that only answer. Without it the
   * program owes a line every interval.
   */
  readonly silentSinceMs?: () => number | null;
  /** Called after a change of `state`. */
  readonly onState: () => void;
}

interface Run {
  readonly startedMs: number;
  lastLineMs: number | null;
  lastRubbish: string | null;
  stream: RunningStream | null;
  /** Lines for its stdin from before it ran. */
  unsent: string[];
  /** Set when this side ended it, with the reason for people, or null for a wanted end. */
  endedBecause: string | null | undefined;
  readonly over: AbortController;
}

export function createSupervisedStream(options: SupervisedStreamOptions): SupervisedStream {
  const { executor, clock, name, command, intervalMs, onLine, silentSinceMs, onState } = options;
  let run: Run | null = null;
  let trouble: string | null = null;
  let backOffMs = FIRST_BACK_OFF_MS;
  let retryAtMs = 0;
  let wantedAtMs = 0;
  let stopped = false;
  const endings = new Set<Promise<void>>();
  /** Those whose end was asked for and has not been seen. */
  const lingering = new Set<Run>();

  const start = (): void => {
    const current: Run = {
      startedMs: clock.monotonicMs(),
      lastLineMs: null,
      lastRubbish: null,
      stream: null,
      unsent: [],
      endedBecause: undefined,
      over: new AbortController(),
    };
    run = current;
    const { program, args } = command();
    const listener = {
      onLine: (line: string): void => {
        if (run !== current || line.trim() === '') return;
        if (!onLine(line)) {
          current.lastRubbish = readable(line);
          return;
        }
        current.lastLineMs = clock.monotonicMs();
        trouble = null;
        if (current.lastLineMs - current.startedMs > HEALTHY_AFTER_MS)
          backOffMs = FIRST_BACK_OFF_MS;
      },
      onEnd: (detail: string): void => ended(current, detail),
    };
    executor.stream(program, args, listener).then(
      (stream) => {
        current.stream = stream;
        for (const line of current.unsent.splice(0)) stream.send(line);
        if (current.endedBecause !== undefined) track(stream.stop());
        else void watch(current);
      },
      (error: unknown) => ended(current, String(error)),
    );
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
    // An error message of the program itself says more than its exit code.
    fault(
      current.lastRubbish === null ? `${name} ${detail}` : `${name} said: ${current.lastRubbish}`,
    );
  };

  const fault = (reason: string): void => {
    retryAtMs = clock.monotonicMs() + backOffMs;
    trouble = `${readable(reason)} (next try in ${Math.round(backOffMs / 1000)} s)`;
    backOffMs = Math.min(backOffMs * 2, LONGEST_BACK_OFF_MS);
    onState();
  };

  /** Ends the program from this side; null is an end that nobody needs to hear of. */
  const end = (current: Run, reason: string | null): void => {
    if (run !== current) return;
    run = null;
    current.endedBecause = reason;
    current.over.abort();
    lingering.add(current);
    if (current.stream !== null) track(current.stream.stop());
    if (reason !== null) fault(reason);
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
          const heard = current.lastRubbish === null ? '' : `, last said: ${current.lastRubbish}`;
          end(current, `${name} printed no figures for ${Math.round(silentMs / 1000)} s${heard}`);
        } else if (nowMs - wantedAtMs > RELEASE_AFTER_MS) end(current, null);
      }
    } catch {
      // It is over.
    }
  };

  return {
    get state(): StreamState {
      return { trouble, starting: run !== null && run.lastLineMs === null && trouble === null };
    },
    want() {
      wantedAtMs = clock.monotonicMs();
      if (run !== null || stopped || wantedAtMs < retryAtMs) return;
      // What is stuck in the kernel does not die, and the next one would get stuck beside it.
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
    async stop() {
      stopped = true;
      if (run !== null) end(run, null);
      await Promise.all(endings);
    },
  };
}

/** What a program said, fit to be shown: it may have printed anything, escape sequences too. */
function readable(text: string): string {
  return text
    .replace(/\p{Cc}\[[\d;?]*[a-z]/giu, ' ')
    .replace(/[\p{C}\uFFFD\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_REASON_CHARS);
}
