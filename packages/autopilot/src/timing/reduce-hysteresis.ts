import { fixedPool, limitRatioOf, ramLimits, type SelectionPolicy } from '@mai/memory-ledger';
import type { Selection } from '@mai/selector';
import type { HysteresisObservation, HysteresisState, Verdict } from './hysteresis-state.js';

/** After a longer gap (a sleep, a stall) the dwell starts again, because nothing was observed in the gap. */
const MAX_GAP_MS = 60_000;

/** The state before the first observation. */
export function initialHysteresis(): HysteresisState {
  return { lastObservedAtMs: null, pending: null, lastSwitch: null };
}

/**
 * Decides when a selection's plan may be carried out, so that the machine does not flap.
 *
 * - A change must have been due for `policy.dwellMs`, and a switch is followed by `policy.coolDownMs`.
 * - A step down does not wait when a pool is over its hard limit, or when the forecast reaches that limit
 *   within `reactionMs`.
 * - Loading does not wait when nothing is resident, unless the last switch unloaded for lack of memory.
 *
 * Pure. If the clock runs backwards, the time passed counts as 0. After a gap of more than a minute the dwell
 * starts again.
 *
 * @param policy - the limits and times in force. The limits are those that the selection was made with.
 */
export function reduceHysteresis(
  state: HysteresisState,
  observation: HysteresisObservation,
  policy: SelectionPolicy,
): { readonly state: HysteresisState; readonly verdict: Verdict } {
  const { atMs, selection, upgradeMarginRatio } = observation;
  const steady = onOneClock(state, atMs);
  const due = dueDirection(selection);
  const next: HysteresisState = {
    ...steady,
    lastObservedAtMs: atMs,
    pending:
      due === null
        ? null
        : steady.pending?.direction === due
          ? steady.pending
          : { direction: due, sinceMs: atMs },
  };
  return {
    state: next,
    verdict: {
      ...judge(next, observation, policy),
      upgradeBelowRatio: upgradeBelowRatio(selection, upgradeMarginRatio, policy),
    },
  };
}

/**
 * The state after a switch was carried out. A load into an empty runtime counts as up, a release as down.
 */
export function afterSwitch(
  state: HysteresisState,
  lastSwitch: NonNullable<HysteresisState['lastSwitch']>,
): HysteresisState {
  return { ...state, pending: null, lastSwitch };
}

type Judged = Omit<Verdict, 'upgradeBelowRatio'>;

function judge(
  state: HysteresisState,
  { atMs, selection, timeToHardLimitMs, reactionMs }: HysteresisObservation,
  policy: SelectionPolicy,
): Judged {
  const { pending, lastSwitch } = state;
  if (selection.decision === 'wait') return wait('DRAINING', null);
  if (pending === null) return wait('STEADY', null);

  const dwellLeftMs = Math.max(0, pending.sinceMs + policy.dwellMs - atMs);
  const coolDownLeftMs = coolDownLeft(state, policy, atMs);

  if (pending.direction === 'down') {
    if (selection.pools.some((pool) => pool.useBeforeBytes > pool.hardLimitBytes)) {
      return act('EMERGENCY');
    }
    if (timeToHardLimitMs !== null && timeToHardLimitMs <= reactionMs) return act('FORECAST');
    // Within the cool-down, a step down after a step up would be a flap. A second step down is not a flap,
    // because it frees more memory.
    if (lastSwitch?.direction === 'up' && coolDownLeftMs > 0) {
      return wait('COOLING_DOWN', Math.max(coolDownLeftMs, dwellLeftMs));
    }
    return dwellLeftMs > 0 ? wait('DWELLING', dwellLeftMs) : act('DWELL_OVER');
  }

  // After our own unload, a load would be a flap. After an unload by a person or a restart of the runtime, the
  // load does not wait.
  const mayLoadAtOnce = selection.decision === 'load' && lastSwitch?.direction !== 'down';
  if (coolDownLeftMs > 0 && !mayLoadAtOnce) {
    return wait('COOLING_DOWN', Math.max(coolDownLeftMs, dwellLeftMs));
  }
  if (selection.decision === 'load') return act('NOTHING_RESIDENT');
  if (selection.notes.some(({ code }) => code === 'CPU_PRESSURE'))
    return wait('CPU_PRESSURE', null);
  return dwellLeftMs > 0 ? wait('DWELLING', dwellLeftMs) : act('DWELL_OVER');
}

function act(reason: Verdict['reason']): Judged {
  return { act: true, reason, waitMs: null };
}

function wait(reason: Verdict['reason'], waitMs: number | null): Judged {
  return { act: false, reason, waitMs };
}

/** The direction of the change that is due; null when no change is due. */
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

/**
 * The share of RAM that the selector allowed for a step up. The share is the upgrade limit, or less if the
 * minimum headroom requires less.
 */
function upgradeBelowRatio(
  { pools }: Selection,
  marginRatio: number,
  policy: SelectionPolicy,
): number {
  const configured = { ...fixedPool('ram', 1), ...ramLimits(policy, false) };
  const floorRatio = policy.upgradeBelowRatioMin;
  const upgradeRatio = limitRatioOf(configured, { kind: 'upgrade', marginRatio, floorRatio });
  const ram = pools.find(({ pool }) => pool === 'ram');
  return ram === undefined ? upgradeRatio : Math.min(ram.limitRatio, upgradeRatio);
}

function coolDownLeft(
  { lastSwitch }: HysteresisState,
  { coolDownMs }: SelectionPolicy,
  atMs: number,
): number {
  return lastSwitch === null ? 0 : Math.max(0, lastSwitch.atMs + coolDownMs - atMs);
}

/** The state with its times moved to the clock of `atMs` where that clock has jumped. */
function onOneClock(state: HysteresisState, atMs: number): HysteresisState {
  const elapsedMs = state.lastObservedAtMs === null ? 0 : atMs - state.lastObservedAtMs;
  if (elapsedMs > MAX_GAP_MS) return { ...state, pending: null };
  if (elapsedMs >= 0) return state;
  const { pending, lastSwitch } = state;
  return {
    ...state,
    pending: pending && { ...pending, sinceMs: pending.sinceMs + elapsedMs },
    lastSwitch: lastSwitch && { ...lastSwitch, atMs: lastSwitch.atMs + elapsedMs },
  };
}
