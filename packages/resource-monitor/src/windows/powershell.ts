import type { SupervisedStream } from '../supervision/supervised-stream.js';
import { createSupervisedStream } from '../supervision/supervised-stream.js';
import type { Clock } from '../ports/clock.js';
import type { Executor } from '../ports/executor.js';
import { raceDeadline } from '../ports/race.js';
import type { SampleContext } from '../reading/reader.js';
import { POWERSHELL_ARGUMENTS } from './powershell-script.js';
import type { WindowsSample } from './windows-sample.js';
import { parseWindowsSample } from './windows-sample.js';

/** WMI takes a tenth of a second, and half a core while it does. */
const ASK_AGAIN_AFTER_MS = 1000;
const PROCESSES_EVERY_MS = 5000;
const STALE_AFTER_MS = 10_000;

/** The last answer and when it came. */
export interface WindowsAnswer {
  readonly sample: WindowsSample;
  readonly atMs: number;
}

/** One PowerShell that is asked again and again. */
export interface PowerShell {
  /** The newest answer. Where there is none, or an old one, the next is waited for. */
  read(context: SampleContext): Promise<WindowsAnswer | { readonly reason: string }>;
  stop(): Promise<void>;
}

export function createPowerShell(options: {
  readonly executor: Executor;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly patienceMs: number;
}): PowerShell {
  const { executor, clock, env, patienceMs } = options;
  let answer: WindowsAnswer | null = null;
  let processes: WindowsSample['processes'] = null;
  let askedAtMs: number | null = null;
  let unanswered = false;
  let askedProcessesAtMs = Number.NEGATIVE_INFINITY;
  let question = 0;
  let wake: (() => void)[] = [];
  let stream: SupervisedStream | null = null;

  const wakeAll = (): void => {
    const waiting = wake;
    wake = [];
    for (const resolve of waiting) resolve();
  };
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
      // It speaks only when it is spoken to.
      silentSinceMs: () => (unanswered ? askedAtMs : null),
      onLine: (line) => {
        const sample = parseWindowsSample(line);
        if (sample === null) return false;
        processes = sample.processes ?? processes;
        answer = { sample: { ...sample, processes }, atMs: clock.monotonicMs() };
        unanswered = false;
        wakeAll();
        return true;
      },
      onState: wakeAll,
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
      if (program === null) return { reason: 'it is not on the PATH' };
      const opened = open(program);
      opened.want();
      ask(opened, continuing);
      // Once for each question: a PowerShell that hangs must not make every sample late.
      const patienceLeftMs = patienceMs - (clock.monotonicMs() - (askedAtMs ?? 0));
      if (!isFresh() && opened.state.trouble === null && patienceLeftMs > 0) {
        const next = new Promise<void>((resolve) => wake.push(resolve));
        await raceDeadline(next, patienceLeftMs, clock);
      }
      if (answer === null) {
        return { reason: opened.state.trouble ?? `no answer within ${patienceMs} ms yet` };
      }
      if (isFresh()) return answer;
      const ageMs = clock.monotonicMs() - answer.atMs;
      const reason = `PowerShell's last answer is ${Math.round(ageMs / 1000)} s old`;
      return { reason: opened.state.trouble ?? reason };
    },
    stop: async () => stream?.stop(),
  };
}
