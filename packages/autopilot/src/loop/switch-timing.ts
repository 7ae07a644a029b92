import type { SelectionPolicy } from '@mai/memory-ledger';
import { type Selection } from '@mai/selector';
import { initialHysteresis, reduceHysteresis } from '../timing/hysteresis/reduce-hysteresis.js';
import type {
  HysteresisEvent,
  HysteresisState,
  Verdict,
} from '../timing/hysteresis/hysteresis-state.js';
import { asDue } from './as-due.js';
import type { AutopilotSettings } from './autopilot-options.js';
import { addUse, forecastUse, limitsAfter, type Forecast, type UseSamples } from './forecast.js';
import { Patience } from './patience.js';
import { reactionMs } from './reaction.js';
import { SwingWatch } from './swing-watch.js';

/** Stepping up always asks for at least this much more room than staying: two points of a hundred. */
const MIN_MARGIN_RATIO = 0.02;
/** Shares of the time that a switch looks ahead on a ramp, as long as there is something to load then. */
const LOOK_AHEAD = [1, 0.5, 0.25];
/** A longer context of the model that is loaded is worth a load only where it stays for a while. */
const SAME_MODEL_DWELL_MS = 600_000;

/** A verdict with everything that it was reached from. */
export interface Judgement {
  readonly before: HysteresisState;
  readonly observation: Extract<HysteresisEvent, { type: 'observed' }>;
  /** The limits and times that were in force: a machine may have taught a longer dwell. */
  readonly policy: SelectionPolicy;
  readonly verdict: Verdict;
}

/** Remembers what it takes to say whether it is time for a switch. */
export class SwitchTiming {
  readonly #settings: AutopilotSettings;
  #hysteresis = initialHysteresis();
  #use: UseSamples = [];
  #forecast: Forecast | null = null;
  readonly #swings = new SwingWatch();
  readonly #patience = new Patience();

  constructor(settings: AutopilotSettings) {
    this.#settings = settings;
  }

  /** For the next decision: how far below its limit a step up must stay. */
  get upgradeMarginRatio(): number {
    return this.#hysteresis.upgradeMarginRatio;
  }

  /** Which way the last switch went; null before the first. */
  get lastDirection(): 'up' | 'down' | null {
    return this.#hysteresis.lastSwitch?.direction ?? null;
  }

  judge(decided: Selection, configured: SelectionPolicy): Judgement {
    const { clock, timings } = this.#settings;
    const atMs = clock.monotonicMs();
    const selection = asDue(decided);
    const { pools } = selection;
    this.#use = addUse(this.#use, atMs, pools);
    this.#swings.observe(atMs, pools);
    this.#patience.observe(atMs, selection, configured);
    this.#forecast = forecastUse(this.#use, pools);
    const policy = { ...configured, dwellMs: this.#dwellMs(selection, configured) };
    const observation = {
      type: 'observed' as const,
      atMs,
      selection,
      timeToHardLimitMs: this.#forecast?.timeToHardLimitMs ?? null,
      reactionMs: reactionMs(selection, timings.observeIntervalMs),
    };
    return this.#reduce(this.#hysteresis, observation, policy);
  }

  /**
   * The limits for a switch that begins now, where others are on a ramp: as they have to be for what is
   * loaded to fit once it is there and for a dwell, and less far ahead; none where others are on none.
   */
  limitsOnRamp({ observation, policy }: Judgement, configured: SelectionPolicy): SelectionPolicy[] {
    const forecast = this.#forecast;
    if (forecast === null) return [];
    const { selection, reactionMs: untilThereMs } = observation;
    return LOOK_AHEAD.map((share) => {
      const horizonMs = share * (untilThereMs + policy.dwellMs);
      return limitsAfter(configured, forecast, selection.pools, horizonMs);
    });
  }

  /** The same moment with another selection. */
  judgeInstead({ before, observation, policy }: Judgement, selection: Selection): Judgement {
    return this.#reduce(before, { ...observation, selection: asDue(selection) }, policy);
  }

  #reduce(
    before: HysteresisState,
    observation: Judgement['observation'],
    policy: SelectionPolicy,
  ): Judgement {
    const { state, verdict } = reduceHysteresis(before, observation, policy);
    const upgradeMarginRatio = this.#marginRatio(observation.selection, policy);
    this.#hysteresis = { ...state, upgradeMarginRatio };
    return { before, observation, policy, verdict };
  }

  /** How long what is due has to be due. */
  #dwellMs({ direction, plan, chosen, afterDrain }: Selection, policy: SelectionPolicy): number {
    if (direction === 'down') return this.#patience.dwellMs(policy);
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
   * Replaces the margin of the reducer, whose history loses the order within a few seconds and takes the
   * end of a game for its beginning. What comes and goes in so short a time that it is waited out may pass
   * the limit, and has to stay below the hard limit only.
   */
  #marginRatio({ pools }: Selection, policy: SelectionPolicy): number {
    const waitsItOut = this.#patience.waitsItOut(policy);
    return pools.reduce((most, { pool, limitRatio, hardLimitRatio }) => {
      const beyond = waitsItOut ? Math.max(0, hardLimitRatio - limitRatio) : 0;
      return Math.max(most, this.#swings.swingRatio(pool) - beyond);
    }, MIN_MARGIN_RATIO);
  }

  /** After a switch; null where the model that serves is the same as before. */
  switched(direction: 'up' | 'down' | null, policy: SelectionPolicy): void {
    // What is counted as ours has changed: what the others use is measured anew.
    this.#use = [];
    if (direction === null) return;
    const atMs = this.#settings.clock.monotonicMs();
    const event = { type: 'switched' as const, atMs, direction };
    this.#hysteresis = reduceHysteresis(this.#hysteresis, event, policy).state;
  }
}
