import {
  initialHysteresis,
  reduceHysteresis,
  type HysteresisEvent,
  type HysteresisState,
  type Selection,
  type SelectionPolicy,
  type Verdict,
} from '@mai/selector';
import { asDue } from './as-due.js';
import type { AutopilotSettings } from './autopilot-options.js';
import { addUse, timeToHardLimitMs, type UseSamples } from './forecast.js';
import { reactionMs } from './reaction.js';

/** A verdict with everything that it was reached from. */
export interface Judgement {
  readonly before: HysteresisState;
  readonly observation: Extract<HysteresisEvent, { type: 'observed' }>;
  readonly verdict: Verdict;
}

/** Remembers what it takes to say whether it is time for a switch. */
export class SwitchTiming {
  readonly #settings: AutopilotSettings;
  #hysteresis = initialHysteresis();
  #use: UseSamples = [];

  constructor(settings: AutopilotSettings) {
    this.#settings = settings;
  }

  /** For the next decision: how far below its limit a step up must stay. */
  get upgradeMarginRatio(): number {
    return this.#hysteresis.upgradeMarginRatio;
  }

  judge(selection: Selection, policy: SelectionPolicy): Judgement {
    const { clock, timings } = this.#settings;
    const atMs = clock.monotonicMs();
    this.#use = addUse(this.#use, atMs, selection.pools);
    const observation = {
      type: 'observed' as const,
      atMs,
      selection: asDue(selection),
      timeToHardLimitMs: timeToHardLimitMs(this.#use, selection.pools),
      reactionMs: reactionMs(selection, timings.observeIntervalMs),
    };
    const before = this.#hysteresis;
    const { state, verdict } = reduceHysteresis(before, observation, policy);
    this.#hysteresis = state;
    return { before, observation, verdict };
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
