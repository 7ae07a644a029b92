import {
  describeEvent,
  describeFootprint,
  explainRejection,
  type AutopilotEvent,
  type Chosen,
  type Selection,
} from '@mai/host';
import type { CommandContext } from '../../context.js';
import type { DemoPrinter } from '../demo-printer.js';

/** A switch that has not come after this time is reported as missing. */
const SWITCH_DEADLINE_MS = 20_000;

/**
 * Reads the autopilot's events until a wanted model is loaded, and prints each change.
 *
 * @returns the model with the estimate that its load was decided with; null where no wanted model was loaded in time
 */
export async function untilLoaded(
  { output, io, signal }: CommandContext,
  printer: DemoPrinter,
  events: AsyncIterator<AutopilotEvent>,
  isWanted: (modelKey: string) => boolean,
): Promise<Chosen | null> {
  const { style } = output;
  const waiting = new AbortController();
  const deadline = io
    .sleep(SWITCH_DEADLINE_MS, AbortSignal.any([signal, waiting.signal]))
    .then(() => null);
  let selection: Selection | null = null;
  try {
    for (;;) {
      const next = await Promise.race([events.next(), deadline]);
      if (next === null || next.done === true) {
        printer.text(style.caution('Mai has not switched in time.'));
        return null;
      }
      const event = next.value;
      if (event.type === 'decided') selection = event.selection;
      if (event.type === 'switch-started' && selection !== null) {
        for (const line of explain(selection, output.style)) printer.text(line);
      }
      const text = describeEvent(event, selection, style);
      if (text !== null && event.type !== 'started' && event.type !== 'switch-finished') {
        printer.text(text);
      }
      if (event.type !== 'switch-finished') continue;
      const { outcome, last } = event.report;
      const { chosen } = last.selection;
      if (outcome === 'switched' && chosen !== null && isWanted(chosen.modelKey)) return chosen;
    }
  } finally {
    deadline.catch(() => undefined);
    waiting.abort();
  }
}

/** Which models do not fit, and what the chosen one takes. */
function explain(
  { chosen, rejected }: Selection,
  style: CommandContext['output']['style'],
): readonly string[] {
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
