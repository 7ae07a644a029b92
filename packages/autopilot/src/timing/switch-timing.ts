import type { SelectionPolicy } from '@mai/memory-ledger';
import type { Selection, SelectionInput } from '@mai/selector';
import type { Clock } from '../ports/clock.js';
import { asDue } from './as-due.js';
import { ExcursionHistory } from './excursion-history.js';
import { addUse, forecastUse, limitsAfter, type Forecast, type UseSamples } from './forecast.js';
import type { HysteresisObservation, HysteresisState, Verdict } from './hysteresis-state.js';
import { reactionMs } from './reaction-time.js';
import { afterSwitch, initialHysteresis, reduceHysteresis } from './reduce-hysteresis.js';
import { UpgradeMargin } from './margin/upgrade-margin.js';
import { paybackMs } from './payback.js';

/** Shares of the forecast horizon, tried in turn until a model fits under the lowered limits. */
const LOOK_AHEAD = [1, 0.5, 0.25];
/** The shortest dwell time before the same model is loaded again with a better load option. */
const SAME_MODEL_DWELL_MS = 600_000;
/**
 * Room for another model is expected to last for this multiple of the time that it has lasted so far. Smaller multiples
 * saved few switches and lost much quality on random traces of the others' use.
 */
const LASTS_TIMES = 8;
/**
 * Room for a better load option of the same model must have lasted for this multiple of the payback time of the switch. The
 * gain is small, and the next change of the others' use may undo it.
 */
const SAME_MODEL_PAYBACKS = 2;
/** The longest dwell time of a step up. */
const DWELL_MAX_MS = 2 * 3_600_000;

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
  readonly #margin = new UpgradeMargin();
  readonly #excursions = new ExcursionHistory();

  constructor(clock: Clock, observeIntervalMs: () => number) {
    this.#clock = clock;
    this.#observeIntervalMs = observeIntervalMs;
  }

  /** The margin in force: how far below its limit a step up must stay, 0 to 1. */
  get upgradeMarginRatio(): number {
    return this.#margin.ratio;
  }

  /** The direction of the last switch; null before the first. */
  get lastDirection(): 'up' | 'down' | null {
    return this.#hysteresis.lastSwitch?.direction ?? null;
  }

  /** Judges one decision, and updates the margin for the next decision. */
  judge(decided: Selection, input: SelectionInput & DecidedWith): Judgement {
    const { policy: configured, upgradeMarginRatio } = input;
    const atMs = this.#clock.monotonicMs();
    const selection = asDue(decided);
    const { pools } = selection;
    this.#use = addUse(this.#use, atMs, pools);
    this.#excursions.observe(atMs, selection, configured);
    this.#forecast = forecastUse(this.#use, pools);
    this.#margin.observe(atMs, selection, input, {
      areOutlasted: this.#excursions.areOutlasted(configured),
      dwellMs: this.#excursions.dwellMs(configured),
    });
    return this.#reduce(
      this.#hysteresis,
      {
        atMs,
        selection,
        upgradeMarginRatio,
        timeToHardLimitMs: this.#forecast?.timeToHardLimitMs ?? null,
        reactionMs: reactionMs(selection, this.#observeIntervalMs()),
      },
      { ...configured, dwellMs: this.#dwellMs(selection, input) },
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

  /**
   * The dwell time of a step down outlasts usual excursions. That of a step up is longer than configured where its
   * gain takes long to pay for the switch.
   */
  #dwellMs(selection: Selection, input: SelectionInput): number {
    const { direction, plan, chosen, afterDrain } = selection;
    const { policy } = input;
    if (direction === 'down') return this.#excursions.dwellMs(policy);
    if (direction !== 'up') return policy.dwellMs;
    const unloads = plan.steps.filter((step) => step.action === 'unload');
    const sameModel =
      afterDrain === null
        ? unloads.some((step) => step.modelKey === chosen?.modelKey)
        : afterDrain.candidateIndex === chosen?.candidateIndex;
    const payback = paybackMs(selection, input) ?? 0;
    const lasted = payback * (sameModel ? SAME_MODEL_PAYBACKS : 1 / LASTS_TIMES);
    const least = sameModel ? SAME_MODEL_DWELL_MS : 0;
    return Math.max(policy.dwellMs, least, Math.min(DWELL_MAX_MS, lasted));
  }
}
