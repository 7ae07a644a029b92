import type { SupervisedStream } from '../supervision/supervised-stream.js';
import { createSupervisedStream } from '../supervision/supervised-stream.js';
import type { Clock } from '../ports/clock.js';
import type { Executor } from '../ports/executor.js';
import { createRepeatedEvent } from '../ports/race.js';
import type { SampleContext } from '../reading/reader.js';
import { POWERSHELL_ARGUMENTS } from './powershell-script.js';
import type { WindowsSample } from './windows-sample.js';
import { parseWindowsSample } from './windows-sample.js';

/** Interval between queries. A WMI query takes 0.1 s and half a core. */
const ASK_AGAIN_AFTER_MS = 1000;
const PROCESSES_EVERY_MS = 5000;
const STALE_AFTER_MS = 10_000;

/** An answer and when it arrived, in monotonic milliseconds. */
export interface WindowsAnswer {
  readonly sample: WindowsSample;
  readonly atMs: number;
}

/** One long-lived PowerShell that answers queries. */
export interface PowerShell {
  /** The newest answer. Waits for the next answer if the newest is missing or stale. */
  read(context: SampleContext): Promise<WindowsAnswer | { readonly reason: string }>;
  stop(): Promise<void>;
}

export function createPowerShell(options: {
  readonly executor: Executor;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long a sample waits for an answer. */
  readonly firstAnswerMs: number;
}): PowerShell {
  const { executor, clock, env, firstAnswerMs } = options;
  let answer: WindowsAnswer | null = null;
  let processes: WindowsSample['processes'] = null;
  let askedAtMs: number | null = null;
  let unanswered = false;
  let askedProcessesAtMs = Number.NEGATIVE_INFINITY;
  let question = 0;
  const changed = createRepeatedEvent(clock);
  let stream: SupervisedStream | null = null;

  const open = (program: string): SupervisedStream =>
    (stream ??= createSupervisedStream({
      executor,
      clock,
      name: 'PowerShell',
      command: () => {
        unanswered = false;
        askedAtMs = null;
        return { program, args: POWERSHELL_ARGUMENTS };
      },
      intervalMs: () => ASK_AGAIN_AFTER_MS,
      // The script prints only when asked.
      silentSinceMs: () => (unanswered ? askedAtMs : null),
      onLine: (line) => {
        const sample = parseWindowsSample(line);
        if (sample === null) return false;
        processes = sample.processes ?? processes;
        answer = { sample: { ...sample, processes }, atMs: clock.monotonicMs() };
        unanswered = false;
        changed.happened();
        return true;
      },
      onState: () => changed.happened(),
    }));
  const ask = (opened: SupervisedStream, continuing: boolean): void => {
    const nowMs = clock.monotonicMs();
    if (unanswered || (askedAtMs !== null && nowMs - askedAtMs < ASK_AGAIN_AFTER_MS)) return;
    const withProcesses = continuing && nowMs - askedProcessesAtMs >= PROCESSES_EVERY_MS;
    if (withProcesses) askedProcessesAtMs = nowMs;
    askedAtMs = nowMs;
    unanswered = true;
    question += 1;
    opened.send(`${question}${withProcesses ? 'p' : 's'}`);
  };
  const isFresh = (): boolean =>
    answer !== null && clock.monotonicMs() - answer.atMs <= STALE_AFTER_MS;

  return {
    async read({ continuing }) {
      const folder = `${env['SystemRoot'] ?? 'C:\\Windows'}\\System32\\WindowsPowerShell\\v1.0`;
      const program = executor.find('powershell', [folder]);
      if (program === null) return { reason: 'not found on the PATH', cause: 'not-installed' };
      const opened = open(program);
      opened.keepAlive();
      ask(opened, continuing);
      // The wait is counted from the question, so a hanging PowerShell delays only one sample.
      const waitMs = firstAnswerMs - (clock.monotonicMs() - (askedAtMs ?? 0));
      if (!isFresh() && opened.state.trouble === null && waitMs > 0) await changed.next(waitMs);
      if (answer === null) {
        return { reason: opened.state.trouble ?? `no answer within ${firstAnswerMs} ms yet` };
      }
      if (isFresh()) return answer;
      const ageMs = clock.monotonicMs() - answer.atMs;
      const reason = `PowerShell's last answer is ${Math.round(ageMs / 1000)} s old`;
      return { reason: opened.state.trouble ?? reason };
    },
    stop: async () => stream?.stop(),
  };
}
