import {
  type AutopilotEvent,
  describeEvent,
  formatMoment,
  type Selection,
  wrapBehind,
} from '@mai/host';
import type { CommandContext } from '../../context.js';

/** Prints one line of text for each event that a person wants to see. */
export function createEventLines({ output }: CommandContext): (event: AutopilotEvent) => void {
  let selection: Selection | null = null;
  return (event) => {
    if (event.type === 'decided') ({ selection } = event);
    const text = describeEvent(event, selection, output.style);
    if (text === null) return;
    const label = `${output.style.dim(formatMoment(event.atMs))}  `;
    // Elsewhere than on a terminal, each event is one line.
    const width = output.stdout.columns ?? Infinity;
    output.result(`${wrapBehind(label, text, width).join('\n')}\n`);
  };
}
