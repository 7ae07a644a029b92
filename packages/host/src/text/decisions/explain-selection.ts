import type { Resources } from '@mai/memory-ledger';
import type { Selection, SelectionNote, SlowChoice, WeighedWait } from '@mai/selector';
import type { SelectionObstacle } from '../../selection/obstacle.js';
import { explainTooSlow } from './explain-rejection.js';
import { poolLabel } from '../pool-words.js';
import { describeSpeed, describeValue, type JudgedLoad } from '../speed-words.js';
import { formatCount, formatDuration, formatPercent } from '../../words.js';

/**
 * Why the chosen model was chosen, in sentences with its figures and those of the next model; null where no model was chosen, or
 * nothing is known of its speed and quality.
 */
export function explainChoice(
  { chosen, rejected, notes }: Selection,
  {
    candidates,
  }: { readonly candidates: readonly { readonly loadOptions: readonly JudgedLoad[] }[] },
): string | null {
  if (chosen === null) return null;
  const figures = describeSpeed(chosen.loadOption);
  if (figures === '') return null;
  const slow = notes.find((note) => note.code === 'TOO_SLOW');
  const nextKey = slow?.comparison?.next.modelKey ?? null;
  const next = rejected.find(
    ({ modelKey, rejection }) =>
      rejection.code === 'PREFERRED_CANDIDATE_FITS' && (nextKey === null || modelKey === nextKey),
  );
  const [option] = candidates[next?.candidateIndex ?? -1]?.loadOptions ?? [];
  const value = option === undefined ? '' : describeValue(option);
  const comparison =
    next === undefined || value === '' ? '' : ` It comes before ${next.modelKey}${value}.`;
  return `${figures.charAt(0).toUpperCase()}${figures.slice(1)}.${comparison}`;
}

/** Why nothing was chosen, in a few words. */
export function describeNoChoice(obstacle: SelectionObstacle | null): string {
  switch (obstacle?.kind) {
    case 'not-usable':
      return 'no model can be used';
    case 'nothing-downloaded':
      return 'nothing is downloaded';
    case 'chain-not-downloaded':
      return 'no model of the chain is downloaded';
    case 'not-capable':
    case 'headroom-too-large':
    case 'nothing-fits':
    case undefined:
      return 'nothing fits';
  }
}

/** The steps of a plan in a phrase, such as `unload a (to make room), then load b`; empty without steps. */
export function describeSteps({ plan }: Selection): string {
  return plan.steps
    .map((step) =>
      step.action === 'load'
        ? `load ${step.modelKey}`
        : `unload ${step.instanceIdentifier} (${step.why === 'superseded' ? 'replaced' : 'to make room'})`,
    )
    .join(', then ');
}

/** A note as a sentence; null for a note that the trade-offs of the choice already include. */
export function explainNote(note: SelectionNote, resources: Resources): string | null {
  const gpuOf = (deviceKey: string) =>
    resources.gpus.find((gpu) => gpu.deviceKey === deviceKey) ?? null;
  switch (note.code) {
    case 'RESOURCES_NOT_OBSERVABLE':
      return 'LM Studio runs on another machine. Only the total memory there is known, not the free memory.';
    case 'RAM_UNMEASURED':
      return 'The free memory of this machine cannot be read, so all of its memory counts as free. `mai doctor` says why.';
    case 'GPU_UNMEASURED': {
      const gpu = gpuOf(note.deviceKey);
      const name = gpu?.name ?? note.deviceKey;
      return gpu?.totalBytes == null
        ? `The size of the memory of ${name} is not known, so nothing is planned into it: all of a new load counts in RAM.`
        : `The free memory of ${name} cannot be measured, so its total counts as free.`;
    }
    case 'GPU_UNKNOWN':
      return `A footprint names the GPU ${note.deviceKey}, which this machine does not have. The bytes on that GPU are charged to RAM.`;
    case 'RESIDENT_UNMEASURED':
      return `The memory that ${note.instanceIdentifier} takes is not known.`;
    case 'SHORTER_CONTEXT':
      return null;
    case 'ROOM_TO_GROW':
      return `The context has ${formatCount(note.offeredTokens)} tokens, although the request needs ${formatCount(note.neededTokens)}: the conversation grows, and a longer context later would need another load.`;
    case 'ABOVE_LIMIT':
      return `${poolLabel(note.pool, resources)} stays at ${formatPercent(Math.min(1, note.useRatio))}, above its limit: no smaller model would help.`;
    case 'TOO_SLOW':
      return `The chosen model ${explainTooSlow(note)}. No model that fits is fast enough.${explainComparison(note)}`;
    case 'WEIGHED_WAIT':
      return explainWeighedWait(note);
    case 'CPU_PRESSURE':
      return `Other programs keep the CPU at ${formatPercent(note.ratio)} (limit ${formatPercent(note.limitRatio)}).`;
  }
}

/** The values that decided between models that are all too slow, as a sentence; empty where none did. */
export function explainComparison({ comparison }: SlowChoice): string {
  if (comparison === undefined) return '';
  const { value, next } = comparison;
  return ` Its value (the quality, reduced for the low speed) is ${value.toPrecision(2)}, and the value of ${next.modelKey} is ${next.value.toPrecision(2)}.`;
}

/** Why callers wait for a preferred model, or why another is loaded at once. A sentence with the figures. */
export function explainWeighedWait({
  outcome,
  waitsFor,
  waitMs,
  preferred,
  other,
}: WeighedWait): string {
  const wait = `about ${formatDuration(waitMs)} until ${waitsFor.join(', ')} is idle and ${formatDuration(preferred.loadMs)} to load ${preferred.modelKey} (value ${preferred.value.toFixed(2)})`;
  const load = (verb: string) =>
    `the lower value of ${other.modelKey} (${other.value.toFixed(2)}), which ${verb} loaded at once in ${formatDuration(other.loadMs)}`;
  return outcome === 'wait'
    ? `The request waits: ${wait} cost less than ${load('could be')}.`
    : `The request does not wait: ${wait} cost more than ${load('is')}.`;
}
