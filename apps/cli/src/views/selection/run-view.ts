import { describeMismatch, describeStep, describeSwitch, formatDuration } from '@mai/host';
import type { RunEvent, SwitchReport } from '@mai/host';
import type { Output } from '../../terminal/output.js';
import type { Progress } from '../../terminal/progress.js';
import { renderSelection } from './selection-view.js';

/** Shows the steps of a run on stderr while it runs. */
export interface RunReporter {
  readonly show: (event: RunEvent, sizeBytes: number | null) => void;
  /** Removes an unfinished progress bar from the screen. */
  readonly clear: () => void;
}

/** Prints each step of a run on stderr. */
export function createRunReporter(output: Output, indent = ''): RunReporter {
  const { noteStyle: style } = output;
  let progress: Progress | null = null;
  const drained = new Set<string>();
  const clear = () => {
    progress?.clear();
    progress = null;
  };
  const say = (text: string) => {
    clear();
    output.note(`${indent}${text}`);
  };
  const show: RunReporter['show'] = (event, sizeBytes) => {
    switch (event.type) {
      case 'draining':
        if (drained.has(event.instanceIdentifier)) return;
        drained.add(event.instanceIdentifier);
        say(
          `Waiting for ${event.instanceIdentifier} to finish its requests, ${formatDuration(event.deadlineMs)} at most`,
        );
        return;
      case 'loading':
        progress ??= output.progress(`${indent}Loading ${event.modelKey}`, sizeBytes);
        progress.update(event.progressRatio);
        return;
      case 'load-failed':
        clear();
        output.warn(event.failure.message);
        return;
      case 'decided':
        return;
      default: {
        const text = describeStep(event, style);
        if (text !== null) say(text);
        // A warning is shown with --quiet, too.
        if (event.type === 'loaded')
          for (const mismatch of event.mismatches) output.warn(describeMismatch(mismatch));
      }
    }
  };
  return { show, clear };
}

/** The decision of a run and its outcome. */
export function renderOutcome(report: SwitchReport, output: Output): string {
  const { last, obstacle } = report;
  return `${renderSelection({ ...last, obstacle }, output)}\n${describeSwitch(report, output.style)}\n`;
}
