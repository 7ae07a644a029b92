import type { RunEvent, RunReport } from '@mai/autopilot';
import { formatDuration } from '../../terminal/format.js';
import type { Output } from '../../terminal/output.js';
import type { Progress } from '../../terminal/progress.js';
import { describeMismatch } from './describe-mismatch.js';
import { renderSelection } from './selection-view.js';
import { nothingFitsAdvice } from './nothing-fits.js';

/** Shows the steps of a run on stderr while it runs. */
export interface RunNarrator {
  readonly show: (event: RunEvent) => void;
  /** Removes an unfinished progress bar. */
  readonly clear: () => void;
}

/** Makes a narrator; `models` supplies the sizes for its progress bars. */
export function createRunNarrator(
  output: Output,
  models: readonly { readonly modelKey: string; readonly sizeBytes: number }[],
  indent = '',
): RunNarrator {
  const { noteStyle: style } = output;
  let progress: Progress | null = null;
  let drained = new Set<string>();
  const clear = () => {
    progress?.clear();
    progress = null;
  };
  const say = (text: string) => {
    clear();
    output.note(`${indent}${text}`);
  };
  const show = (event: RunEvent) => {
    switch (event.type) {
      case 'draining': {
        const { instanceIdentifier, deadlineMs } = event;
        if (drained.has(instanceIdentifier)) return;
        drained = new Set([...drained, instanceIdentifier]);
        say(
          `Waiting for ${instanceIdentifier} to finish its requests, ${formatDuration(deadlineMs)} at most`,
        );
        return;
      }
      case 'unloaded':
        say(
          `${style.good('Unloaded')} ${event.instanceIdentifier} in ${formatDuration(event.tookMs)}`,
        );
        return;
      case 'loading': {
        const { modelKey, progressRatio } = event;
        const size = models.find((model) => model.modelKey === modelKey)?.sizeBytes ?? 0;
        progress ??= output.progress(`${indent}Loading ${modelKey}`, size > 0 ? size : null);
        progress.update(progressRatio);
        return;
      }
      case 'loaded':
        say(
          `${style.good('Loaded')} ${event.instance.modelKey} in ${formatDuration(event.tookMs)}`,
        );
        for (const mismatch of event.mismatches) output.warn(describeMismatch(mismatch));
        return;
      case 'load-failed':
        clear();
        output.warn(event.failure.message);
        return;
      case 'rolling-back':
        say(`Loading ${event.modelKey} again`);
        return;
      case 'observing':
      case 'decided':
      case 'unloading':
      case 'settling':
        return;
    }
  };
  return { show, clear };
}

/** The selection of a finished run, and its outcome in a sentence. */
export function renderOutcome(report: RunReport, output: Output): string {
  const { selection, input } = report.last;
  return `${renderSelection(selection, input, output)}\n${outcomeSentence(report, output)}\n`;
}

function outcomeSentence(report: RunReport, { style }: Output): string {
  const { outcome, last, instanceIdentifier, busy, unloaded } = report;
  const key = last.selection.chosen?.modelKey ?? 'nothing';
  switch (outcome) {
    case 'kept':
      return `${style.good('Kept')} ${instanceIdentifier ?? key}: it is loaded, and the best that fits.`;
    case 'switched':
      return `${style.good('Ready')}: ${key} answers as ${instanceIdentifier ?? key}.`;
    case 'would-switch':
      return 'Nothing was changed: this is a dry run.';
    case 'released':
      return `${style.caution('Released')} ${unloaded.map((one) => one.instanceIdentifier).join(', ')}: memory was about to run out, and nothing smaller fits.`;
    case 'put-off':
      return `${style.caution('Put off')}: ${busy.join(', ')} is still busy. Try again when idle.`;
    case 'nothing-fits':
      return `${style.bad('Nothing fits')}. ${nothingFitsAdvice(last.input)}`;
    case 'rolled-back':
      return `${style.bad('Nothing could be loaded')}; the model from before is loaded again.`;
    case 'failed':
      return `${style.bad('Nothing could be loaded')}. The warnings above say why.`;
  }
}
