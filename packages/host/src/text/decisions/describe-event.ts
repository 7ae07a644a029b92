import type { AutopilotEvent, RunEvent, RunReport } from '@mai/autopilot';
import { isSameLoadConfig } from '@mai/memory-ledger';
import { formatIssue, isModelConfigError } from '@mai/model-config';
import type { Selection } from '@mai/selector';
import { describePlan, describeReason, settingsOf } from './describe-decision.js';
import { explainRejection } from './explain-rejection.js';
import { describeMismatch } from './describe-mismatch.js';
import { formatBytes, formatCount, formatDuration } from '../../words.js';
import { messageOf } from '../../guards.js';

/** How words of an event are marked: a terminal colours them. */
export interface EventStyle {
  bold(text: string): string;
  good(text: string): string;
  caution(text: string): string;
  bad(text: string): string;
}

/**
 * Describes an event. `null`: the log does not show it. `selection` is the latest decision.
 */
export function describeEvent(
  event: AutopilotEvent,
  selection: Selection | null,
  style: EventStyle,
): string | null {
  switch (event.type) {
    case 'started':
      return 'Started.';
    case 'switch-started':
      return `${style.bold('Switch')}: ${selection === null ? '' : `${describePlan(selection)}, because `}${describeReason(event.reason)}.`;
    case 'switch-step': {
      const text = describeStep(event.step, style);
      const mismatches = event.step.type === 'loaded' ? event.step.mismatches : [];
      return text === null ? null : [text, ...mismatches.map(describeMismatch)].join(' ');
    }
    case 'switch-finished':
      return describeOutcome(event.report, event.tookMs, style);
    case 'load-interrupted':
      return `${style.bad('Cancelled')} loading ${event.modelKey}: memory ran out.`;
    case 'put-off':
      return `${style.caution('Postponed')}: ${event.busy.join(', ')} is busy; next try in ${formatDuration(event.untilMs - event.atMs)}.`;
    case 'emergency':
      return `${style.bad('Emergency')}: memory is over its hard limit.`;
    case 'breaker-opened':
      return `${style.bad('No loads')} for ${formatDuration(event.untilMs - event.atMs)}: too many loads failed.`;
    case 'duplicates':
      return `${style.caution('Loaded more than once')}: ${event.instanceIdentifiers.join(', ')}.`;
    case 'fault':
      return `${style.bad('Fault')}: ${faultText(event.error)} Next try in ${formatDuration(event.retryAtMs - event.atMs)}.`;
    case 'recovered':
      return `${style.good('Working again.')}`;
    case 'catalog-rejected':
      return `${style.caution('Configuration not applied')}, the previous configuration stays in force: ${faultText(event.error)}`;
    case 'journal-changed':
      return describeJournal(event.journal);
    case 'resident-ended':
      return `${style.bad('Ended')}: the engine of ${event.instanceIdentifier} is gone (${event.how}).`;
    case 'idle':
      return 'The idle time is over. The model is unloaded until the next request.';
    case 'left-loaded':
      return `Did not unload ${event.instanceIdentifier}: it is ${event.why}.`;
    case 'stopped':
      return 'Stopped.';
    case 'drain-ended':
    case 'decided':
      return null;
  }
}

/** Describes a step of a switch. `null`: the step says nothing to a person. */
export function describeStep(
  step: Exclude<RunEvent, { type: 'decided' }>,
  style: EventStyle,
): string | null {
  switch (step.type) {
    case 'unloaded':
      return `${style.good('Unloaded')} ${step.instanceIdentifier} in ${formatDuration(step.tookMs)}.`;
    case 'unloading':
      return step.forced
        ? `${style.bad('Unloading')} ${step.instanceIdentifier} although it is busy: memory ran out or is over its hard limit.`
        : null;
    case 'loaded': {
      const { instance, tookMs } = step;
      const context =
        instance.contextLengthTokens === null
          ? ''
          : `, ${formatCount(instance.contextLengthTokens)} tokens of context`;
      return `${style.good('Loaded')} ${instance.modelKey} in ${formatDuration(tookMs)}${context}.`;
    }
    case 'load-failed':
      return `${style.bad('Failed')}: ${step.failure.message}`;
    case 'rolling-back':
      return `Loading ${step.modelKey} again.`;
    case 'observing':
    case 'draining':
    case 'loading':
    case 'settling':
      return null;
  }
}

/** Describes the outcome of a switch. `null`: its steps have already shown the outcome. */
function describeOutcome(report: RunReport, tookMs: number, style: EventStyle): string | null {
  switch (report.outcome) {
    case 'switched': {
      const ready = `${style.good('Ready')} in ${formatDuration(tookMs)}: ${report.instanceIdentifier ?? ''} answers.`;
      const replan = describeReplan(report);
      return replan === null ? ready : `${ready} ${replan}`;
    }
    case 'released':
      return `${style.caution('Unloaded')}: no smaller model fits.`;
    case 'rolled-back':
      return `${style.bad('No model could be loaded')}. The previous model is loaded again.`;
    case 'cancelled':
      return `${style.caution('Cancelled')}: nobody waits for this model any more.`;
    case 'failed':
      return `${style.bad('No model could be loaded')}.`;
    case 'nothing-fits':
      return `${style.bad('Nothing fits')}.`;
    case 'kept':
    case 'put-off':
    case 'would-switch':
      return null;
  }
}

type Chosen = NonNullable<Selection['chosen']>;

/** The parts of a `RunReport` that say what was planned, and what was chosen in the end. */
interface Replan extends Pick<RunReport, 'failures'> {
  readonly first: {
    readonly selection: { readonly chosen: Pick<Chosen, 'modelKey' | 'loadOption'> | null };
  };
  readonly last: Replan['first'] & { readonly selection: Pick<Selection, 'rejected'> };
}

/**
 * Describes why a switch has loaded another model than planned, or the planned one with other settings: it decides again after
 * an unload, when memory has settled. `null`: the plan was carried out, or a load failed, which its own step has shown.
 */
export function describeReplan({ first, last, failures }: Replan): string | null {
  const planned = first.selection.chosen;
  const { chosen, rejected } = last.selection;
  if (planned === null || chosen === null || failures.length > 0) return null;
  const what = `The planned ${planned.modelKey}${settingsOf(planned)}`;
  if (chosen.modelKey === planned.modelKey) {
    return isSameLoadConfig(chosen.loadOption.loadConfig, planned.loadOption.loadConfig)
      ? null
      : `${what} no longer fitted after the unload. It fits${otherSettings(planned, chosen)}.`;
  }
  const rejection = rejected.find(({ modelKey }) => modelKey === planned.modelKey)?.rejection;
  if (rejection?.code !== 'INSUFFICIENT_RAM' && rejection?.code !== 'INSUFFICIENT_VRAM')
    return null;
  return `${what} no longer fitted after the unload: it ${explainRejection(rejection)}.`;
}

function otherSettings(
  planned: Pick<Chosen, 'loadOption'>,
  chosen: Pick<Chosen, 'loadOption'>,
): string {
  const settings = settingsOf(chosen);
  return settings === settingsOf(planned) ? ' with other settings' : settings;
}

function describeJournal({
  pins,
  yields,
}: Extract<AutopilotEvent, { type: 'journal-changed' }>['journal']): string {
  const held = yields.reduce((sum, { bytes }) => sum + bytes, 0);
  const pinned = pins.length === 0 ? 'none' : pins.map(({ target }) => target).join(', ');
  return `Pins: ${pinned}. Yields: ${held === 0 ? 'none' : formatBytes(held)}.`;
}

function faultText(error: unknown): string {
  if (isModelConfigError(error)) {
    const [first, ...rest] = error.issues;
    const more = rest.length === 0 ? '' : ` (and ${rest.length} more)`;
    if (first !== undefined) return `${formatIssue(first).split('\n')[0] ?? ''}${more}`;
  }
  return messageOf(error).split('\n')[0] ?? '';
}
