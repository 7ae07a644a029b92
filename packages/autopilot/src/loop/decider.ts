import type { SelectionPolicy } from '@mai/memory-ledger';
import type { Selection } from '@mai/selector';
import type { AssembledInput } from '../assemble/join-footprints.js';
import { createSelectionMemo } from '../caching/selection-memo.js';
import type { Clock } from '../ports/clock.js';
import { decideOnRamp } from '../timing/decide-on-ramp.js';
import { SwitchTiming, type Judgement } from '../timing/switch-timing.js';

/** A decision and its verdict. */
export interface Decision {
  readonly input: AssembledInput & { readonly upgradeMarginRatio: number };
  readonly selection: Selection;
  readonly judged: Judgement;
  /**
   * The lowered limits of the decision, then higher limits. Empty unless the others' use rises steadily (a
   * ramp).
   */
  readonly limits: readonly SelectionPolicy[];
}

/** Makes the decision of a round and judges whether it is due. */
export class Decider {
  readonly #timing: SwitchTiming;
  readonly #select = createSelectionMemo();

  constructor(clock: Clock, observeIntervalMs: () => number) {
    this.#timing = new SwitchTiming(clock, observeIntervalMs);
  }

  /** The margin for the next decision. */
  get upgradeMarginRatio(): number {
    return this.#timing.upgradeMarginRatio;
  }

  /**
   * @param earlier - the decision of the same round that the new decision replaces; null for the first decision
   *   of a round.
   */
  decide(input: Decision['input'], earlier: Decision | null = null): Decision {
    const selection = this.#select(input);
    const judged =
      earlier === null
        ? this.#timing.judge(selection, input)
        : this.#timing.judgeInstead(earlier.judged, selection, input);
    const lowered = judged.verdict.act ? this.#timing.limitsOnRamp(judged, input.policy) : [];
    const onRamp = decideOnRamp(input, selection, lowered);
    if (onRamp === null) return { input, selection, judged, limits: [] };
    const again = this.#timing.judgeInstead(judged, onRamp.selection, onRamp.input);
    return { ...onRamp, judged: again };
  }

  /**
   * Decides for callers that wait. The autopilot's own timing does not change: such decisions do not wait for
   * it, and are not part of its history.
   */
  decideForRequest(input: Decision['input']): Decision {
    const selection = this.#select(input);
    const judged = this.#timing.judgeAside(selection, input);
    const lowered = judged.verdict.act ? this.#timing.limitsOnRamp(judged, input.policy) : [];
    const onRamp = decideOnRamp(input, selection, lowered);
    if (onRamp === null) return { input, selection, judged, limits: [] };
    return { ...onRamp, judged: this.#timing.judgeAside(onRamp.selection, onRamp.input) };
  }

  /** The direction of the last switch; null before the first. */
  get lastDirection(): 'up' | 'down' | null {
    return this.#timing.lastDirection;
  }

  /** Call after a switch; `direction` is null if the same model serves as before. */
  switched(direction: 'up' | 'down' | null): void {
    this.#timing.switched(direction);
  }
}
