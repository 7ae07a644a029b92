import type { AutopilotState, SwitchReason } from '@mai/autopilot';
import type { Resources } from '@mai/memory-ledger';
import type { Chosen, PoolOutcome, RejectedCandidate, Selection } from '@mai/selector';
import { explainRejection } from './explain-rejection.js';
import { bytesInUse, poolLabel } from '../pool-words.js';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatSpeed,
} from '../../words.js';

type Decided = NonNullable<AutopilotState['decision']>;

/** The decision in force and its reason. */
export function describeNow(state: AutopilotState, nowMs: number): string {
  const { decision, breakerOpenUntilMs, putOffUntilMs } = state;
  if (decision === null) return 'none yet';
  const { selection } = decision;
  const what = describePlan(selection);
  if (breakerOpenUntilMs !== null) {
    return `${what}. No load is tried for ${left(breakerOpenUntilMs, nowMs)}: too many loads failed.`;
  }
  if (putOffUntilMs !== null && selection.decision !== 'keep') {
    return `${what}. Postponed for ${left(putOffUntilMs, nowMs)}: the model to unload is busy.`;
  }
  if (state.idle) return `${what}. Its idle time is over, so the next request loads it again.`;
  return `${what}${timing(decision)}.`;
}

/** The events that would change the decision, most likely first. */
export function describeNext(state: AutopilotState, nowMs: number): string[] {
  const { decision } = state;
  if (decision === null) return [];
  const { timeToHardLimitMs } = decision;
  const away = Math.max(0, nowMs - decision.atMs);
  return [
    ...(timeToHardLimitMs === null
      ? []
      : [
          `at this rate memory reaches its hard limit in ${formatDuration(Math.max(0, timeToHardLimitMs - away))}`,
        ]),
    ...stepDown(decision),
    ...stepUp(decision),
  ];
}

function timing({ selection, verdict }: Decided): string {
  if (selection.decision === 'keep' || selection.decision === 'none') return '';
  const inTime = verdict.waitMs === null ? '' : ` in ${formatDuration(verdict.waitMs)}`;
  switch (verdict.reason) {
    case 'DWELLING':
      return `,${inTime || ' soon'} if it is still due`;
    case 'COOLING_DOWN':
      return `,${inTime || ' later'}, because the last switch is too recent`;
    case 'CPU_PRESSURE':
      return ', when other programs use less CPU';
    case 'DRAINING':
      return ', when it is idle';
    default:
      return verdict.act ? `, now, because ${describeReason(verdict.reason)}` : '';
  }
}

/** How far the tightest pool is from its limits. */
function stepDown({ selection, input }: Decided): string[] {
  if (selection.decision !== 'keep') return [];
  const tightest = [...selection.pools].sort((one, other) => roomOf(one) - roomOf(other))[0];
  if (tightest === undefined) return [];
  const { limitRatio, hardLimitRatio } = tightest;
  const label = poolLabel(tightest.pool, input.resources);
  const use = bytesInUse(tightest) / tightest.totalBytes;
  const held = formatDuration(input.policy.dwellMs);
  const when =
    roomOf(tightest) < 0
      ? `${label} is at ${formatPercent(use)}, over its limit of ${formatPercent(limitRatio)}, but no smaller model would help`
      : `a step down when ${label} stays above ${formatPercent(limitRatio)} for ${held} (now ${formatBytes(roomOf(tightest))} below)`;
  return [`${when}; at once above ${formatPercent(hardLimitRatio)}`];
}

function roomOf({ limitBytes, useBeforeBytes }: PoolOutcome): number {
  return limitBytes - useBeforeBytes;
}

/** Why the best candidate before the chosen one is not loaded. */
function stepUp({ selection, verdict, input }: Decided): string[] {
  if (selection.direction === 'up') return [];
  const wanted = firstWanted(selection);
  if (wanted === null) return [];
  const below = formatPercent(verdict.upgradeBelowRatio);
  return [
    `a step up to ${wanted.modelKey}, which ${explainRejection(wanted.rejection)}${marginOf(wanted, input.resources, below)}`,
  ];
}

/**
 * The first candidate before the chosen one that may be loaded later. Its rejection is temporary:
 * it does not fit now, or it has to wait.
 */
function firstWanted({ chosen, rejected }: Selection): RejectedCandidate | null {
  const before = chosen?.candidateIndex ?? Infinity;
  const temporary = new Set([
    'INSUFFICIENT_RAM',
    'INSUFFICIENT_VRAM',
    'COOLING_DOWN_AFTER_FAILURE',
    'WAITS_FOR_BUSY',
  ]);
  return (
    rejected.find(
      ({ candidateIndex, rejection }) => candidateIndex < before && temporary.has(rejection.code),
    ) ?? null
  );
}

function marginOf({ rejection }: RejectedCandidate, { unified }: Resources, below: string): string {
  if (rejection.code === 'INSUFFICIENT_RAM') {
    return `, to stay below ${below} of ${unified ? 'memory' : 'RAM'}`;
  }
  return rejection.code === 'INSUFFICIENT_VRAM' ? `, to stay below ${below} of VRAM` : '';
}

function left(untilMs: number, nowMs: number): string {
  return formatDuration(Math.max(0, untilMs - nowMs));
}

/** The plan of a selection, without its timing. */
export function describePlan({
  decision,
  direction,
  chosen,
  plan,
  afterDrain,
  notes,
}: Pick<Selection, 'decision' | 'direction' | 'chosen' | 'plan' | 'afterDrain' | 'notes'>): string {
  const key = chosen?.modelKey ?? 'nothing';
  const best = `the best model that fits${figuresOf(chosen)}`;
  switch (decision) {
    case 'keep': {
      const replaced = plan.steps.flatMap((step) =>
        step.action === 'unload' ? step.instanceIdentifier : [],
      );
      return replaced.length === 0
        ? `keep ${key}: it is loaded and is ${best}`
        : `unload ${replaced.join(', ')}, which ${chosen?.instanceIdentifier ?? key} replaces`;
    }
    case 'load':
      return `load ${key}, ${best}`;
    case 'switch': {
      if (direction === null) return `load ${key} again with other settings`;
      const isReloaded = plan.steps.some(
        ({ action, modelKey }) => action === 'unload' && modelKey === key,
      );
      const isLonger = notes.some(({ code }) => code === 'ROOM_TO_GROW');
      return chosen !== null && (isReloaded || isLonger)
        ? `step ${direction}: load ${key} again${settingsOf(chosen)}, ${best}`
        : `step ${direction} to ${key}, ${best}`;
    }
    case 'wait':
      return `${direction === null ? 'load' : `step ${direction} to`} ${afterDrain?.modelKey ?? key} once ${(afterDrain?.waitsFor ?? []).join(', ')} is idle`;
    case 'release':
      return 'unload the model without a replacement';
    case 'none':
      return 'nothing fits';
  }
}

/**
 * The settings of a load that decide how much memory it takes: its context, and where they are set, its KV cache type and what stays
 * on the CPU.
 */
export function settingsOf({ loadOption }: Pick<Chosen, 'loadOption'>): string {
  const { contextLengthTokens, kvCacheTypeK, cpuExpertRatio, offloadRatio } = loadOption.loadConfig;
  const settings = [
    ...(contextLengthTokens === null
      ? []
      : [`${formatCount(contextLengthTokens)} tokens of context`]),
    ...(kvCacheTypeK === null ? [] : [`the KV cache in ${kvCacheTypeK}`]),
    ...((cpuExpertRatio ?? 0) === 0
      ? []
      : [`${formatPercent(cpuExpertRatio ?? 0)} of the expert layers on the CPU`]),
    ...((offloadRatio ?? 1) === 1
      ? []
      : [`${formatPercent(offloadRatio ?? 1)} of the layers on the GPU`]),
  ];
  const [last = '', ...others] = settings.reverse();
  return last === ''
    ? ''
    : ` with ${others.length === 0 ? last : `${others.reverse().join(', ')} and ${last}`}`;
}

/** The quality and the speed of the chosen model, in parentheses; empty where neither is known. */
function figuresOf(chosen: Chosen | null): string {
  const { quality = null, speed = null } = chosen?.loadOption ?? {};
  const figures = [
    ...(quality === null ? [] : [`quality ${quality.toFixed(2)}`]),
    ...(speed === null
      ? []
      : [`about ${formatSpeed(speed.decodeTokensPerSecond.expected)} tokens a second`]),
  ];
  return figures.length === 0 ? '' : ` (${figures.join(', ')})`;
}

/** The reason for a switch. */
export function describeReason(reason: SwitchReason): string {
  switch (reason) {
    case 'NOTHING_RESIDENT':
      return 'no model of the chain is loaded';
    case 'EMERGENCY':
      return 'memory is over its hard limit';
    case 'FORECAST':
      return 'memory is about to run out';
    case 'DWELL_OVER':
      return 'it has been due for the whole dwell time';
    case 'REQUESTED':
      return 'somebody asked for it';
    case 'YIELD':
      return '`mai yield` reserves memory';
    // The loaded model stays. Only instances that were busy or pinned when it replaced them are unloaded.
    case 'STEADY':
    case 'DWELLING':
    case 'COOLING_DOWN':
    case 'CPU_PRESSURE':
    case 'DRAINING':
      return 'it is no longer needed';
  }
}
