import type { SelectionPolicy } from '@mai/memory-ledger';
import type { Selection } from '@mai/selector';
import type { HysteresisEvent, HysteresisState, Verdict } from './hysteresis-state.js';
import { largestRise, recordUse } from './restlessness.js';

/** Stepping up always asks for at least this much more room than staying: two points of a hundred. */
const MIN_MARGIN_RATIO = 0.02;
/** A gap this long is a sleep or a stall: what was due before it was not watched in between. */
const MAX_GAP_MS = 60_000;

/** The state before anything was observed. */
export function initialHysteresis(): HysteresisState {
  return {
    lastObservedAtMs: null,
    pending: null,
    lastSwitch: null,
    useHistory: {},
    upgradeMarginRatio: MIN_MARGIN_RATIO,
  };
}

/** The RAM limit for stepping up, 0 to 1: between `upgradeBelowRatioMin` and two points under the limit. */
export function upgradeBelowRatio(
  { upgradeMarginRatio }: Pick<HysteresisState, 'upgradeMarginRatio'>,
  { memoryLimitRatio, upgradeBelowRatioMin }: SelectionPolicy,
): number {
  return Math.max(
    Math.min(upgradeBelowRatioMin, memoryLimitRatio - MIN_MARGIN_RATIO),
    memoryLimitRatio - upgradeMarginRatio,
  );
}

/**
 * Decides when a selection's plan may be carried out, so that the machine does not flap: a change must
 * have been due for the dwell time, and after a switch there is a cool-down. Pressure relief ends the
 * cool-down only at the hard limit or when the forecast reaches it; nothing resident means no waiting.
 *
 * A pure reducer over time-stamped events. Time that runs backwards counts as no time passed; a gap of
 * more than a minute starts the dwell again.
 */
export function reduceHysteresis(
  state: HysteresisState,
  event: HysteresisEvent,
  policy: SelectionPolicy,
): { readonly state: HysteresisState; readonly verdict: Verdict } {
  if (event.type === 'switched') {
    const next: HysteresisState = {
      ...state,
      pending: null,
      lastSwitch: { direction: event.direction, atMs: event.atMs },
    };
    return {
      state: next,
      verdict: verdict(next, policy, false, 'COOLING_DOWN', policy.coolDownMs),
    };
  }

  const { atMs, selection } = event;
  const steady = onOneClock(state, atMs);
  const useHistory = recordUse(steady.useHistory, atMs, selection.pools);
  const due = dueDirection(selection);
  const pending =
    due === null
      ? null
      : steady.pending?.direction === due
        ? steady.pending
        : { direction: due, sinceMs: atMs };
  const next: HysteresisState = {
    ...steady,
    lastObservedAtMs: atMs,
    pending,
    useHistory,
    upgradeMarginRatio: Math.max(MIN_MARGIN_RATIO, largestRise(useHistory)),
  };
  return { state: next, verdict: judge(next, event, policy) };
}

function judge(
  state: HysteresisState,
  event: Extract<HysteresisEvent, { type: 'observed' }>,
  policy: SelectionPolicy,
): Verdict {
  const { atMs, selection, timeToHardLimitMs, reactionMs } = event;
  const { pending } = state;
  const say = (act: boolean, reason: Verdict['reason'], waitMs: number | null): Verdict =>
    verdict(state, policy, act, reason, waitMs);

  if (selection.decision === 'wait') return say(false, 'DRAINING', null);
  if (pending === null) return say(false, 'STEADY', null);

  const dwellLeftMs = Math.max(0, pending.sinceMs + policy.dwellMs - atMs);
  const coolDownLeftMs = coolDownLeft(state, policy, atMs);

  if (pending.direction === 'down') {
    if (selection.pools.some(isOverHardLimit)) return say(true, 'EMERGENCY', null);
    if (timeToHardLimitMs !== null && timeToHardLimitMs <= reactionMs)
      return say(true, 'FORECAST', null);
    // Down after up within the cool-down would be a flap; down after down is relief.
    if (state.lastSwitch?.direction === 'up' && coolDownLeftMs > 0) {
      return say(false, 'COOLING_DOWN', Math.max(coolDownLeftMs, dwellLeftMs));
    }
    return dwellLeftMs > 0 ? say(false, 'DWELLING', dwellLeftMs) : say(true, 'DWELL_OVER', null);
  }

  if (coolDownLeftMs > 0) {
    // Loading again after an unload of our own would be a flap; after anything else nothing is resident
    // because somebody wanted it so or LM Studio restarted, and then there is no reason to wait.
    if (selection.decision !== 'load' || state.lastSwitch?.direction === 'down') {
      return say(false, 'COOLING_DOWN', Math.max(coolDownLeftMs, dwellLeftMs));
    }
  }
  if (selection.decision === 'load') return say(true, 'NOTHING_RESIDENT', null);
  if (selection.notes.some(({ code }) => code === 'CPU_PRESSURE'))
    return say(false, 'CPU_PRESSURE', null);
  return dwellLeftMs > 0 ? say(false, 'DWELLING', dwellLeftMs) : say(true, 'DWELL_OVER', null);
}

function verdict(
  state: HysteresisState,
  policy: SelectionPolicy,
  act: boolean,
  reason: Verdict['reason'],
  waitMs: number | null,
): Verdict {
  return { act, reason, waitMs, upgradeBelowRatio: upgradeBelowRatio(state, policy) };
}

/** Where the selection wants to go; null where its plan changes nothing that has a direction. */
function dueDirection({ decision, direction }: Selection): 'up' | 'down' | null {
  switch (decision) {
    case 'load':
      return 'up';
    case 'switch':
      return direction;
    case 'release':
      return 'down';
    case 'keep':
    case 'wait':
    case 'none':
      return null;
  }
}

function isOverHardLimit({
  useBeforeBytes,
  totalBytes,
  hardLimitRatio,
}: Selection['pools'][number]): boolean {
  return useBeforeBytes > totalBytes * hardLimitRatio;
}

function coolDownLeft(
  { lastSwitch }: HysteresisState,
  { coolDownMs }: SelectionPolicy,
  atMs: number,
): number {
  return lastSwitch === null ? 0 : Math.max(0, lastSwitch.atMs + coolDownMs - atMs);
}

/** The state with its times moved onto the clock of `atMs` where that jumped. */
function onOneClock(state: HysteresisState, atMs: number): HysteresisState {
  const elapsedMs = state.lastObservedAtMs === null ? 0 : atMs - state.lastObservedAtMs;
  if (elapsedMs > MAX_GAP_MS) return { ...state, pending: null, useHistory: {} };
  if (elapsedMs >= 0) return state;
  const { pending, lastSwitch } = state;
  return {
    ...state,
    pending: pending && { ...pending, sinceMs: pending.sinceMs + elapsedMs },
    lastSwitch: lastSwitch && { ...lastSwitch, atMs: lastSwitch.atMs + elapsedMs },
    useHistory: Object.fromEntries(
      Object.entries(state.useHistory).map(([pool, buckets]) => [
        pool,
        buckets.map((bucket) => ({ ...bucket, startMs: bucket.startMs + elapsedMs })),
      ]),
    ),
  };
}
