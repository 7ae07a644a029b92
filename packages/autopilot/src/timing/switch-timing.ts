import type { SelectionPolicy } from '@mai/memory-ledger';
import type { Selection } from '@mai/selector';
import type { Clock } from '../ports/clock.js';
import { asDue } from './as-due.js';
import { ExcursionHistory } from './excursion-history.js';
import { addUse, forecastUse, limitsAfter, type Forecast, type UseSamples } from './forecast.js';
import type { HysteresisObservation, HysteresisState, Verdict } from './hysteresis-state.js';
import { reactionMs } from './reaction-time.js';
import { afterSwitch, initialHysteresis, reduceHysteresis } from './reduce-hysteresis.js';
import { SwingHistory } from './swing-history.js';

/** The smallest margin: a step up always needs this much more room than staying. */
const MIN_MARGIN_RATIO = 0.02;
/** Shares of the forecast horizon, tried in turn until a model fits under the lowered limits. */
const LOOK_AHEAD = [1, 0.5, 0.25];
/** Reloading the same model with a longer context pays off only if the longer context fits for a while. */
const SAME_MODEL_DWELL_MS = 600_000;

/** The inputs of a decision that the timing depends on. */
export interface DecidedWith {
  readonly policy: SelectionPolicy;
  readonly upgradeMarginRatio: number;
}

/** A verdict with the data that it was made from. */
export interface Judgement {
  readonly before: HysteresisState;
  readonly observation: HysteresisObservation;
  /** The limits of the decision, and the times in force: the dwell time may be longer than configured. */
  readonly policy: SelectionPolicy;
  readonly verdict: Verdict;
}

/**
 * Decides when a decision is carried out, and which margin the next decision uses. Remembers the others' use of
 * memory, the excursions over the limit and the last switch.
 */
export class SwitchTiming {
  readonly #clock: Clock;
  readonly #observeIntervalMs: () => number;
  #hysteresis = initialHysteresis();
  #use: UseSamples = [];
  #forecast: Forecast | null = null;
  readonly #swings = new SwingHistory();
  readonly #excursions = new ExcursionHistory();
  #upgradeMarginRatio = MIN_MARGIN_RATIO;

  constructor(clock: Clock, observeIntervalMs: () => number) {
    this.#clock = clock;
    this.#observeIntervalMs = observeIntervalMs;
  }

  /** The margin in force: how far below its limit a step up must stay, 0 to 1. */
  get upgradeMarginRatio(): number {
    return this.#upgradeMarginRatio;
  }

  /** The direction of the last switch; null before the first. */
  get lastDirection(): 'up' | 'down' | null {
    return this.#hysteresis.lastSwitch?.direction ?? null;
  }

  /** Judges one decision, and updates the margin for the next decision. */
  judge(decided: Selection, { policy: configured, upgradeMarginRatio }: DecidedWith): Judgement {
    const atMs = this.#clock.monotonicMs();
    const selection = asDue(decided);
    const { pools } = selection;
    this.#use = addUse(this.#use, atMs, pools);
    this.#swings.observe(atMs, pools);
    this.#excursions.observe(atMs, selection, configured);
    this.#forecast = forecastUse(this.#use, pools);
    this.#upgradeMarginRatio = this.#nextMarginRatio(selection, configured);
    return this.#reduce(
      this.#hysteresis,
      {
        atMs,
        selection,
        upgradeMarginRatio,
        timeToHardLimitMs: this.#forecast?.timeToHardLimitMs ?? null,
        reactionMs: reactionMs(selection, this.#observeIntervalMs()),
      },
      { ...configured, dwellMs: this.#dwellMs(selection, configured) },
    );
  }

  /** Judges another decision about the same observation. Replaces the last judgement. */
  judgeInstead(
    { before, observation, policy: { dwellMs } }: Judgement,
    selection: Selection,
    { policy, upgradeMarginRatio }: DecidedWith,
  ): Judgement {
    return this.#reduce(
      before,
      { ...observation, selection: asDue(selection), upgradeMarginRatio },
      { ...policy, dwellMs },
    );
  }

  /** Judges a decision that is not the autopilot's own, and remembers nothing of it. */
  judgeAside(decided: Selection, { policy, upgradeMarginRatio }: DecidedWith): Judgement {
    const selection = asDue(decided);
    const before = this.#hysteresis;
    const observation = {
      atMs: this.#clock.monotonicMs(),
      selection,
      upgradeMarginRatio,
      timeToHardLimitMs: this.#forecast?.timeToHardLimitMs ?? null,
      reactionMs: reactionMs(selection, this.#observeIntervalMs()),
    };
    const { verdict } = reduceHysteresis(before, observation, policy);
    return { before, observation, policy, verdict };
  }

  /**
   * The lowered limits for a switch that begins now, lowest first; empty when no pool is on a ramp. A model
   * that fits under the lowest limits still fits a dwell time after the end of its load.
   */
  limitsOnRamp({ observation, policy }: Judgement, configured: SelectionPolicy): SelectionPolicy[] {
    const forecast = this.#forecast;
    if (forecast === null || forecast.slopes.size === 0) return [];
    const { selection, reactionMs: untilLoadedMs } = observation;
    return LOOK_AHEAD.map((share) =>
      limitsAfter(configured, forecast, selection.pools, share * (untilLoadedMs + policy.dwellMs)),
    );
  }

  /** Call after a switch; `direction` is null if the same model serves as before. */
  switched(direction: 'up' | 'down' | null): void {
    // A switch disturbs the measurement of the others' use, so the samples start again.
    this.#use = [];
    if (direction === null) return;
    const atMs = this.#clock.monotonicMs();
    this.#hysteresis = afterSwitch(this.#hysteresis, { direction, atMs });
  }

  #reduce(
    before: HysteresisState,
    observation: HysteresisObservation,
    policy: SelectionPolicy,
  ): Judgement {
    const { state, verdict } = reduceHysteresis(before, observation, policy);
    this.#hysteresis = state;
    return { before, observation, policy, verdict };
  }

  #dwellMs({ direction, plan, chosen, afterDrain }: Selection, policy: SelectionPolicy): number {
    if (direction === 'down') return this.#excursions.dwellMs(policy);
    const unloads = plan.steps.filter((step) => step.action === 'unload');
    const sameModel =
      afterDrain === null
        ? unloads.some((step) => step.modelKey === chosen?.modelKey)
        : afterDrain.candidateIndex === chosen?.candidateIndex;
    return direction === 'up' && sameModel
      ? Math.max(policy.dwellMs, SAME_MODEL_DWELL_MS)
      : policy.dwellMs;
  }

  /**
   * The margin leaves room for the largest swing of the others. If the dwell outlasts excursions, a swing may
   * go over the limit, but must stay below the hard limit.
   */
  #nextMarginRatio({ pools }: Selection, policy: SelectionPolicy): number {
    const outlasted = this.#excursions.areOutlasted(policy);
    return pools.reduce((most, { pool, totalBytes, limitBytes, hardLimitBytes }) => {
      const beyond = outlasted ? Math.max(0, hardLimitBytes - limitBytes) / totalBytes : 0;
      return Math.max(most, this.#swings.swingRatio(pool) - beyond);
    }, MIN_MARGIN_RATIO);
  }
}
