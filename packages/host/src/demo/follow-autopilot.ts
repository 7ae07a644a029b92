import type { AutopilotEvent, RunReport } from '@mai/autopilot';
import type { Selection } from '@mai/selector';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeEvent, describeReplan } from '../text/decisions/describe-event.js';
import { describeFootprint } from '../text/estimates/describe-footprint.js';
import { explainRejection } from '../text/decisions/explain-rejection.js';
import { settingsOf } from '../text/decisions/describe-decision.js';
import { formatBytes } from '../words.js';
import type { DemoStage } from './demo-stage.js';

/** A switch that has begun in time gets this much more time to finish. */
const FINISH_WITHIN_MS = 10_000;

/** Less than this is not worth a sentence. */
const HELD_LEAST_BYTES = 16 * 2 ** 20;

/** The result of waiting for a switch. */
export interface Followed {
  /** The load that was chosen, with the estimate that it was decided with. Null where no such switch came in time. */
  readonly chosen: Selection['chosen'];
  /** The latest decision; null before the first. */
  readonly latest: Selection | null;
  /** How long the latest decision still waits in milliseconds, where it waits for longer than the demo; else null. */
  readonly waitMs: number | null;
}

/** Reads the autopilot's events until a switch that `isWanted` has loaded a model, and prints each change. */
export async function untilSwitched(
  {
    stage: { text: print, style, signal },
    events,
    switchWithinMs,
    limitBytes,
  }: {
    readonly stage: DemoStage;
    readonly events: AsyncIterator<AutopilotEvent>;
    readonly switchWithinMs: number;
    /** The use of RAM above which Mai steps down. */
    readonly limitBytes: number;
  },
  isWanted: (report: RunReport) => boolean,
): Promise<Followed> {
  const waiting = new AbortController();
  const within = (ms: number) => {
    const deadline = sleep(ms, null, { signal: AbortSignal.any([signal, waiting.signal]) });
    deadline.catch(() => undefined);
    return deadline;
  };
  const begun = within(switchWithinMs);
  const finished = within(switchWithinMs + FINISH_WITHIN_MS);
  let isSwitching = false;
  let latest: Selection | null = null;
  try {
    for (;;) {
      const next = await Promise.race([events.next(), isSwitching ? finished : begun]);
      if (next === null || next.done === true) return { chosen: null, latest, waitMs: null };
      const event = next.value;
      if (event.type === 'decided') {
        latest = event.selection;
        const { waitMs } = event.verdict;
        if (waitMs !== null && waitMs > switchWithinMs) return { chosen: null, latest, waitMs };
      }
      if (event.type === 'switch-started') {
        isSwitching = true;
        for (const line of latest === null ? [] : explain(latest, style, limitBytes)) print(line);
      }
      const text = describeEvent(event, latest, style);
      if (text !== null && event.type !== 'started' && event.type !== 'switch-finished') {
        print(text);
      }
      if (event.type !== 'switch-finished') continue;
      isSwitching = false;
      const { report } = event;
      const replan = describeReplan(report);
      if (replan !== null) print(replan);
      latest = report.last.selection;
      const { chosen } = latest;
      if (report.outcome === 'switched' && chosen !== null && isWanted(report)) {
        return { chosen, latest, waitMs: null };
      }
    }
  } finally {
    waiting.abort();
  }
}

/** The models that do not fit, and the memory that the chosen model takes. */
function explain(
  { chosen, rejected, pools }: Selection,
  style: DemoStage['style'],
  limitBytes: number,
): readonly string[] {
  const limit = pools.find(({ pool }) => pool === 'ram')?.limitBytes ?? limitBytes;
  const heldBytes = limitBytes - limit;
  return [
    ...(heldBytes < HELD_LEAST_BYTES
      ? []
      : [
          `Other programs take more and more memory. So Mai leaves ${formatBytes(heldBytes)} below the limit for them.`,
        ]),
    ...rejected
      .filter(({ rejection }) => rejection.code === 'INSUFFICIENT_RAM')
      .map(
        ({ modelKey, rejection }) =>
          `${style.caution('Does not fit')}: ${modelKey} ${explainRejection(rejection)}.`,
      ),
    ...(chosen?.footprint == null
      ? []
      : [
          `${style.good('Choice')}: ${style.bold(chosen.modelKey)}${settingsOf(chosen)}. It takes ${describeFootprint(chosen.footprint)}.`,
        ]),
  ];
}
