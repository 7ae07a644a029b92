import type { LeaseTarget, OutcomeRecord } from '@mai/autopilot';
import { totalBytesOf, type Resources } from '@mai/memory-ledger';
import type { PoolOutcome, Selection, SelectionNote } from '@mai/selector';
import { type Episode, startsRun } from '../../decisions/read-history.js';
import { asServed } from '../../selection/as-served.js';
import { tradeOffsOf } from '../../selection/trade-offs-of.js';
import { describeTradeOffs } from './describe-trade-offs.js';
import { explainRejection, explainTooSlow } from './explain-rejection.js';
import { explainChoice, explainComparison, explainWeighedWait } from './explain-selection.js';
import { bytesInUse, poolLabel } from '../pool-words.js';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatShare,
  plural,
} from '../../words.js';

/** A decision as text: a headline, and labelled sentences with the figures. */
export interface Explanation {
  readonly headline: string;
  readonly sentences: readonly (readonly [label: string, text: string])[];
}

/** Explains one decision of the log. */
export function explainEpisode(episode: Episode): Explanation {
  const { record, outcome } = episode;
  const { selection, input } = record;
  const { resources } = input;
  return {
    headline: headlineOf(episode),
    sentences: [
      ...selection.pools.map((pool) => ['Memory', describePool(pool, resources)] as const),
      ...(startsRun(record)
        ? [['Start', 'the first decision after the autopilot started.'] as const]
        : []),
      ['Timing', describeTiming(episode)],
      ...choiceOf(episode),
      ...rejectionsOf(episode).map((text) => ['Rejected', text] as const),
      ...selection.notes
        .flatMap((note) => noteOf(note, resources))
        .map((text) => ['Note', text] as const),
      ...(outcome === null ? [] : outcomeOf(outcome)),
      ...(record.version === 1 ? [['Record', VERSION_1] as const] : []),
    ],
  };
}

const VERSION_1 =
  'an older version of mai wrote this record, without data about trade-offs. `mai replay` skips it.';

/** Whether no model of the chain is on this machine. */
function isAbsent({ rejected }: Selection): boolean {
  return (
    rejected.length > 0 && rejected.every(({ rejection }) => rejection.code === 'NOT_DOWNLOADED')
  );
}

/** Whether a request had the decision carried out, which does not wait until the autopilot would act by itself. */
function isRequested(outcome: Episode['outcome']): boolean {
  return outcome?.reason === 'REQUESTED';
}

function headlineOf({ record: { selection, hysteresis, target }, outcome }: Episode): string {
  const { decision, direction, chosen, afterDrain } = selection;
  const key = (decision === 'wait' ? afterDrain?.modelKey : chosen?.modelKey) ?? 'nothing';
  const { act } = hysteresis.verdict;
  switch (decision) {
    case 'keep':
      return `kept ${key}`;
    case 'none':
      if (target === undefined)
        return isAbsent(selection) ? 'no model of the chain is downloaded' : 'nothing fitted';
      return `nothing fitted a request for ${asked(target)}`;
    case 'release':
      return act ? 'unloaded the model without a replacement' : 'nothing fitted any longer';
    case 'load':
    case 'switch':
    case 'wait': {
      const step = direction === null ? `load ${key}` : `step ${direction} to ${key}`;
      if (!act && !isRequested(outcome)) return `${step} was due, and not done yet`;
      if (outcome?.outcome === 'switched') {
        const instead = outcome.failures.some(({ modelKey }) => modelKey === key)
          ? outcome.loaded.filter((one) => one !== key)
          : [];
        // The load of the choice failed, and another model took its place.
        if (instead.length > 0)
          return `loaded ${instead.join(', ')}, because ${key} failed to load`;
        return direction === null ? `loaded ${key}` : `stepped ${direction} to ${key}`;
      }
      return `${step}: ${outcome === null ? 'its outcome is not in the log' : OUTCOMES[outcome.outcome]}`;
    }
  }
}

/** The model, the instance or the chain that a request asked for. Other models may serve other requests meanwhile. */
function asked({ chain, modelKey, instanceIdentifier }: LeaseTarget): string {
  return modelKey ?? instanceIdentifier ?? (chain === null ? 'any model' : `the chain ${chain}`);
}

const OUTCOMES: Readonly<Record<OutcomeRecord['outcome'], string>> = {
  kept: 'nothing was left to do',
  switched: 'done',
  'would-switch': 'not carried out, in a dry run',
  released: 'unloaded without a replacement, because nothing fitted any longer',
  'put-off': 'postponed, because the model to unload was busy',
  'nothing-fits': 'given up, because nothing fitted any longer',
  'rolled-back': 'failed, and the previous model was loaded again',
  failed: 'failed',
  cancelled: 'cancelled, because nobody waited for the model any more',
  interrupted: 'cancelled',
};

/**
 * `RAM 83 % in use (26.6 of 32.0 GiB), over its limit of 80 %: other programs 18.2 GiB, models 8.4 GiB.` Memory that yields keep
 * free is named apart from that of other programs.
 */
function describePool(pool: PoolOutcome, resources: Resources): string {
  const { useBeforeBytes, totalBytes, othersBytes, yieldedBytes = 0 } = pool;
  const { limitRatio, hardLimitRatio } = pool;
  const { limitBytes, hardLimitBytes } = pool;
  const used = bytesInUse(pool);
  const limit = `limit of ${formatPercent(limitRatio)}`;
  const hard = `hard limit of ${formatPercent(hardLimitRatio)}`;
  const where =
    useBeforeBytes > hardLimitBytes
      ? `over its ${hard}`
      : useBeforeBytes > limitBytes
        ? `over its ${limit}`
        : `${formatBytes(limitBytes - useBeforeBytes)} below its ${limit}`;
  const parts = [
    `other programs ${formatBytes(othersBytes - yieldedBytes)}`,
    ...(yieldedBytes > 0 ? [`kept free by yields ${formatBytes(yieldedBytes)}`] : []),
    `models ${formatBytes(Math.min(useBeforeBytes - othersBytes, totalBytes - othersBytes + yieldedBytes))}`,
  ];
  const inUse = yieldedBytes > 0 ? 'in use or kept free' : 'in use';
  return (
    `${poolLabel(pool.pool, resources)} ${formatPercent(used / totalBytes)} ${inUse} (${formatShare(used, totalBytes)}), ${where}: ` +
    `${parts.join(', ')}.`
  );
}

function describeTiming({ record: { hysteresis, selection }, outcome }: Episode): string {
  const { verdict, before, atMs, policy, timeToHardLimitMs, reactionMs } = hysteresis;
  const inTime = verdict.waitMs === null ? '' : ` for another ${formatDuration(verdict.waitMs)}`;
  const dueMs = before.pending === null ? null : atMs - before.pending.sinceMs;
  if (!verdict.act && isRequested(outcome)) return 'at once: a request needed it.';
  if (outcome?.reason === 'YIELD') return 'at once: a yield keeps memory free.';
  switch (verdict.reason) {
    case 'STEADY':
      return selection.decision === 'keep'
        ? 'it was loaded and was the best model that fitted.'
        : 'there was nothing to do.';
    case 'NOTHING_RESIDENT':
      return 'at once: no model of the chain was loaded.';
    case 'EMERGENCY':
      return selection.pools.some(({ yieldedBytes = 0 }) => yieldedBytes > 0)
        ? 'at once: with what yields keep free, memory was over its hard limit.'
        : 'at once: memory was over its hard limit.';
    case 'FORECAST':
      return (
        `at once: the hard limit was ${timeToHardLimitMs === null ? 'near' : `${formatDuration(timeToHardLimitMs)} away`} ` +
        `because memory was filling up, and a switch takes ${formatDuration(reactionMs)}.`
      );
    case 'DWELL_OVER':
      return `it had been due for ${formatDuration(dueMs ?? policy.dwellMs)}; the dwell time is ${formatDuration(policy.dwellMs)}.`;
    case 'DWELLING':
      return `waited${inTime}: it had been due for ${formatDuration(dueMs ?? 0)} of the dwell time of ${formatDuration(policy.dwellMs)}.`;
    case 'COOLING_DOWN': {
      const last = before.lastSwitch;
      const ago = last === null ? '' : `, ${formatDuration(atMs - last.atMs)} before,`;
      return `waited${inTime}: the last switch${ago} was within the cool-down of ${formatDuration(policy.coolDownMs)}.`;
    }
    case 'CPU_PRESSURE':
      return 'waited: other programs kept the CPU busy.';
    case 'DRAINING':
      return `waited for ${(selection.afterDrain?.waitsFor ?? []).join(', ') || 'a busy model'} to finish.`;
  }
}

function choiceOf({
  record: { selection, input },
}: Episode): readonly (readonly [string, string])[] {
  const { decision, chosen, pools } = asServed(selection, input);
  const { resources } = input;
  if (chosen === null) return [];
  const { contextLengthTokens } = chosen.loadOption.loadConfig;
  const context =
    contextLengthTokens === null ? '' : `, ${formatCount(contextLengthTokens)} tokens of context`;
  const takes =
    chosen.footprint === null ? '' : ` takes ${formatBytes(totalBytesOf(chosen.footprint))}`;
  const tradeOffs = describeTradeOffs(tradeOffsOf(selection, input));
  const after = pools.map(
    (pool) =>
      `${poolLabel(pool.pool, resources)} then at ${formatPercent(pool.useAfterBytes / pool.totalBytes)}, ${formatBytes(pool.headroomBytes)} free`,
  );
  const text = `${chosen.modelKey} (${chosen.tier}${context})${takes}`;
  const why = explainChoice(selection, input);
  return [
    ['Choice', `${[text, ...(decision === 'keep' ? [] : after)].join('; ')}.`],
    ...(why === null ? [] : ([['Figures', why]] as const)),
    ...(tradeOffs === '' ? [] : ([['Trade-off', `${tradeOffs}.`]] as const)),
  ];
}

/** More models that are not downloaded are only counted, because the built-in chains have many. */
const ABSENT_NAMED = 3;

function rejectionsOf({ record: { selection } }: Episode): readonly string[] {
  const rows = selection.rejected.filter(
    ({ rejection }) => rejection.code !== 'PREFERRED_CANDIDATE_FITS',
  );
  const absent = rows.filter(({ rejection }) => rejection.code === 'NOT_DOWNLOADED');
  const present = rows.filter((one) => !absent.includes(one));
  return [
    ...present.map(({ modelKey, rejection }) => `${modelKey}: ${explainRejection(rejection)}.`),
    ...(absent.length === 0
      ? []
      : absent.length > ABSENT_NAMED
        ? [`${plural(absent.length, 'model')} of the chain: not downloaded.`]
        : [`${absent.map(({ modelKey }) => modelKey).join(', ')}: not downloaded.`]),
  ];
}

function noteOf(note: SelectionNote, resources: Resources): string | readonly [] {
  switch (note.code) {
    case 'ABOVE_LIMIT':
      return `${poolLabel(note.pool, resources)} stayed at ${formatPercent(Math.min(1, note.useRatio))}, above its limit: no smaller model would have helped.`;
    case 'TOO_SLOW':
      return `the chosen model ${explainTooSlow(note)}: no model that fitted was fast enough.${explainComparison(note)}`;
    case 'WEIGHED_WAIT':
      return explainWeighedWait(note);
    case 'CPU_PRESSURE':
      return `other programs kept the CPU at ${formatPercent(note.ratio)} (limit ${formatPercent(note.limitRatio)}).`;
    case 'RESIDENT_UNMEASURED':
      return `the memory that ${note.instanceIdentifier} took was not known.`;
    case 'RESOURCES_NOT_OBSERVABLE':
      return 'LM Studio ran on another machine, and the free memory of that machine was not known.';
    case 'RAM_UNMEASURED':
      return 'the free memory of this machine was not known, so all of it counted as free.';
    case 'ROOM_TO_GROW':
      return `the context had ${formatCount(note.offeredTokens)} tokens, although the request needed ${formatCount(note.neededTokens)}: the conversation grew, and a longer context later would have needed another load.`;
    // The sentences about the choice and the pools already say this.
    case 'SHORTER_CONTEXT':
    case 'GPU_UNMEASURED':
    case 'GPU_UNKNOWN':
      return [];
  }
}

function outcomeOf(outcome: OutcomeRecord): readonly (readonly [string, string])[] {
  const { loaded, unloaded, failures, tookMs, availableBytes } = outcome;
  const { before, after } = availableBytes;
  const parts = [
    ...(unloaded.length === 0 ? [] : [`unloaded ${unloaded.join(', ')}`]),
    ...(loaded.length === 0 ? [] : [`loaded ${loaded.join(', ')}`]),
  ];
  const done = parts.length === 0 ? 'nothing was changed,' : parts.join(', ');
  const available = `${formatBytes(before)} available before, ${formatBytes(after)} after.`;
  return [
    ['Done', `${done} in ${formatDuration(tookMs)}.`],
    ...failures.map(({ modelKey, message, hadRoom = false }) => {
      const load = hadRoom ? `${modelKey} with a longer context than needed` : modelKey;
      return ['Failed', `${load}: ${message}`] as const;
    }),
    ...(before === null || after === null ? [] : ([['RAM', available]] as const)),
  ];
}
