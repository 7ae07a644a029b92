import type { AutopilotEvent } from '@mai/autopilot';
import type { Selection } from '@mai/selector';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeEvent, describeReplan } from '../text/decisions/describe-event.js';
import { describeFootprint } from '../text/estimates/describe-footprint.js';
import { explainRejection } from '../text/decisions/explain-rejection.js';
import type { DemoStage } from './demo-stage.js';

type Chosen = NonNullable<Selection['chosen']>;

/**
 * Reads the autopilot's events until a wanted model is loaded, and prints each change.
 *
 * @returns the model with the estimate that its load was decided with; null where no wanted model was loaded in time
 */
export async function untilLoaded(
  { text: print, style, signal }: DemoStage,
  events: AsyncIterator<AutopilotEvent>,
  isWanted: (modelKey: string) => boolean,
  switchWithinMs: number,
): Promise<Chosen | null> {
  const waiting = new AbortController();
  const deadline = sleep(switchWithinMs, null, {
    signal: AbortSignal.any([signal, waiting.signal]),
  });
  let selection: Selection | null = null;
  try {
    for (;;) {
      const next = await Promise.race([events.next(), deadline]);
      if (next === null || next.done === true) return null;
      const event = next.value;
      if (event.type === 'decided') selection = event.selection;
      if (event.type === 'switch-started' && selection !== null) {
        for (const line of explain(selection, style)) print(line);
      }
      const text = describeEvent(event, selection, style);
      if (text !== null && event.type !== 'started' && event.type !== 'switch-finished') {
        print(text);
      }
      if (event.type !== 'switch-finished') continue;
      const { outcome, last } = event.report;
      const replan = describeReplan(event.report);
      if (replan !== null) print(replan);
      const { chosen } = last.selection;
      if (outcome === 'switched' && chosen !== null && isWanted(chosen.modelKey)) return chosen;
    }
  } finally {
    deadline.catch(() => undefined);
    waiting.abort();
  }
}

/** The models that do not fit, and the memory that the chosen model takes. */
function explain({ chosen, rejected }: Selection, style: DemoStage['style']): readonly string[] {
  return [
    ...rejected
      .filter(({ rejection }) => rejection.code === 'INSUFFICIENT_RAM')
      .map(
        ({ modelKey, rejection }) =>
          `${style.caution('Does not fit')}: ${modelKey} ${explainRejection(rejection)}.`,
      ),
    ...(chosen?.footprint == null
      ? []
      : [
          `${style.good('Choice')}: ${style.bold(chosen.modelKey)}. It takes ${describeFootprint(chosen.footprint)}.`,
        ]),
  ];
}
