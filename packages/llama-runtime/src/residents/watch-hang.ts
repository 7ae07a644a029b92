import { readState } from '../process/engine-http.js';
import { readWork, type ProcessWork } from '../process/system/read-work.js';
import type { EngineRecord } from './registry.js';

/** Deadline for an engine's state. */
const ANSWER_WITHIN_MS = 2000;
/** An engine that shows no sign of life and does no work is hung after this many intervals (30 s by default). */
const INTERVALS_WITHOUT_WORK = 6;
/** A busy engine can be silent while it computes an image, and reports nothing within a prompt (10 min by default). */
const INTERVALS_WITH_WORK = 120;
/** Intervals for each token of the open prompts. Slower than 0.5 tokens a second counts as hung. */
const INTERVALS_PER_PROMPT_TOKEN = 0.4;
/** Share of one processor. The engine's own timers take about a tenth of this. */
const LEAST_WORK_RATIO = 0.01;

/**
 * Asks an engine for its state at each interval, and calls `onHung` once if the engine hangs. The engine is alive if it answers
 * and either has no open requests or has new reports. Otherwise it hangs
 * - after 6 intervals in a row in which its process did no work: it is stopped, or waits for ever;
 * - if it works, or its work is not known: after 120 intervals, and 0.4 more for each token of the open prompts.
 *
 * Intervals are counted, not time, so the sleep of the machine does not count. The timer does not keep the process alive.
 * Returns a function that ends the watch.
 */
export function watchHang(
  { pid, endpoint, spec }: Pick<EngineRecord, 'pid' | 'endpoint' | 'spec'>,
  intervalMs: number,
  onHung: (how: string) => void,
): () => void {
  let isEnded = false;
  let timer: NodeJS.Timeout;
  let reports: number | null = null;
  let promptTokens = 0;
  let work: ProcessWork | null = null;
  /** Intervals since the last sign of life, and those of them at the end in which the process did no work. */
  let silent = 0;
  let asleep = 0;
  const check = async (): Promise<void> => {
    const startedMs = performance.now();
    const state = await readState(endpoint, Math.min(intervalMs, ANSWER_WITHIN_MS));
    const workBefore = work;
    work = await readWork(pid);
    if (isEnded) return;
    const answer = typeof state === 'string' ? null : state;
    const isAlive = answer !== null && (answer.queued === 0 || answer.reports !== reports);
    if (answer !== null) ({ reports, promptTokens } = answer);
    // While the processor waits for a GPU, only a missing answer is evidence.
    const canBeAsleep = answer === null || spec.gpuLayers === 0;
    silent = isAlive ? 0 : silent + 1;
    asleep = !isAlive && canBeAsleep && didNothing(workBefore, work, intervalMs) ? asleep + 1 : 0;
    const most = INTERVALS_WITH_WORK + promptTokens * INTERVALS_PER_PROMPT_TOKEN;
    if (asleep >= INTERVALS_WITHOUT_WORK || silent >= most) {
      isEnded = true;
      const seconds = Math.round((silent * intervalMs) / 1000);
      onHung(
        `killed after ${seconds} s ${answer === null ? 'without an answer' : 'without progress'}`,
      );
      return;
    }
    next(intervalMs - (performance.now() - startedMs));
  };
  const next = (delayMs: number): void => {
    timer = setTimeout(() => void check(), Math.max(delayMs, 1));
    timer.unref();
  };
  next(intervalMs);
  return () => {
    isEnded = true;
    clearTimeout(timer);
  };
}

/** Whether a process has done next to nothing in an interval. */
function didNothing(
  before: ProcessWork | null,
  now: ProcessWork | null,
  intervalMs: number,
): boolean {
  if (before === null || now === null || now.diskFaults !== before.diskFaults) return false;
  return now.processorMs - before.processorMs <= intervalMs * LEAST_WORK_RATIO;
}
