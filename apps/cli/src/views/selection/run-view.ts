import { describeMismatch, describeObstacle, formatDuration } from '@mai/host';
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
      case 'unloaded':
        say(
          `${style.good('Unloaded')} ${event.instanceIdentifier} in ${formatDuration(event.tookMs)}`,
        );
        return;
      case 'loading':
        progress ??= output.progress(`${indent}Loading ${event.modelKey}`, sizeBytes);
        progress.update(event.progressRatio);
        return;
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

/** The decision of a run and its outcome. */
export function renderOutcome(report: SwitchReport, output: Output): string {
  const { last, obstacle } = report;
  return `${renderSelection({ ...last, obstacle }, output)}\n${outcomeSentence(report, output)}\n`;
}

function outcomeSentence(report: SwitchReport, { style }: Output): string {
  const { outcome, last, instanceIdentifier, busy, unloaded, obstacle } = report;
  const key = last.selection.chosen?.modelKey ?? 'nothing';
  switch (outcome) {
    case 'kept':
      return `${style.good('Kept')} ${instanceIdentifier ?? key}: it is loaded and is the best model that fits.`;
    case 'switched':
      return `${style.good('Ready')}: ${key} answers as ${instanceIdentifier ?? key}.`;
    case 'would-switch':
      return 'Nothing was changed: this is a dry run.';
    case 'released':
      return `${style.caution('Unloaded')} ${unloaded.map((one) => one.instanceIdentifier).join(', ')}: memory was about to run out, and no smaller model fits.`;
    case 'put-off':
      return `${style.caution('Postponed')}: ${busy.join(', ')} is still busy. Try again when it is idle.`;
    case 'nothing-fits':
      return obstacle === null || obstacle.kind === 'nothing-fits'
        ? `${style.bad('Nothing fits')}. ${describeObstacle({ kind: 'nothing-fits' })}`
        : describeObstacle(obstacle);
    case 'rolled-back':
      return `${style.bad('No model could be loaded')}. The previous model is loaded again.`;
    case 'cancelled':
      return 'Cancelled.';
    case 'failed':
      return `${style.bad('No model could be loaded')}. The warnings above say why.`;
  }
}
