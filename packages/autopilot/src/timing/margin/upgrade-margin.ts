import type { SelectionPolicy } from '@mai/memory-ledger';
import type { Selection, SelectionInput } from '@mai/selector';
import { IdleWait } from './idle-wait.js';
import { lookBack, valueInHindsight, waysOf } from './hindsight.js';
import { SwingHistory } from './swing-history.js';
import { UseHistory } from './use-history.js';

/** The smallest margin: a smaller change of the others' use is noise. */
const MIN_MARGIN_RATIO = 0.005;
/** The largest margin that is compared, where no recent swing was larger. */
const LARGEST_MARGIN_RATIO = 0.2;
/** The margins that are compared, besides the margin that leaves room for the largest swing. */
const MARGINS = [MIN_MARGIN_RATIO, 0.02, 0.03, 0.045, 0.065, 0.1, 0.15, LARGEST_MARGIN_RATIO];
/** How long a comparison is in force. So little of the past is new in this time that the result stays the same. */
const COMPARED_EVERY_MS = 30_000;

/** The data that a margin depends on, besides the use of memory. */
interface Excursions {
  readonly areOutlasted: boolean;
  /** The dwell time of a step down in force. */
  readonly dwellMs: number;
}

/**
 * Chooses the margin of a step up. The largest margin leaves room for the largest recent swing of the others. A
 * smaller margin is in force where its steps up would have gained more over the last two hours than their
 * switches would have cost.
 *
 * Where requests keep a model busy for a long time, a step up can't be undone soon: the others may rise further than their
 * recent swings before the model is idle. So larger margins are compared there, too.
 */
export class UpgradeMargin {
  readonly #swings = new SwingHistory();
  readonly #history = new UseHistory();
  readonly #idleWait = new IdleWait();
  #compared: { readonly atMs: number; readonly ratio: number } | null = null;
  #ratio = MIN_MARGIN_RATIO;

  /** The margin in force: how far below its limit a step up must stay, 0 to 1. */
  get ratio(): number {
    return this.#ratio;
  }

  observe(atMs: number, selection: Selection, input: SelectionInput, excursions: Excursions): void {
    const { pools } = selection;
    this.#swings.observe(atMs, pools);
    this.#history.observe(atMs, pools);
    this.#idleWait.observe(
      atMs,
      input.residents.some((one) => one.busy && !one.foreign),
    );
    const swing = this.#swingRatio(selection, excursions);
    const staysBusy = this.#idleWait.expectedMs > input.policy.coolDownMs;
    const largest = staysBusy ? Math.max(swing, LARGEST_MARGIN_RATIO) : swing;
    if (largest <= MIN_MARGIN_RATIO) this.#ratio = MIN_MARGIN_RATIO;
    else this.#ratio = this.#compare(atMs, largest, selection, input, excursions);
  }

  /**
   * Room for the largest swing. If the dwell outlasts excursions, a swing may go over the limit, but must stay
   * below the hard limit.
   */
  #swingRatio({ pools }: Selection, { areOutlasted }: Excursions): number {
    return pools.reduce((most, { pool, totalBytes, limitBytes, hardLimitBytes }) => {
      const beyond = areOutlasted ? Math.max(0, hardLimitBytes - limitBytes) / totalBytes : 0;
      return Math.max(most, this.#swings.swingRatio(pool) - beyond);
    }, MIN_MARGIN_RATIO);
  }

  #compare(
    atMs: number,
    largest: number,
    selection: Selection,
    input: SelectionInput,
    excursions: Excursions,
  ): number {
    const compared = this.#compared;
    if (compared !== null && atMs >= compared.atMs && atMs - compared.atMs < COMPARED_EVERY_MS) {
      return Math.min(largest, compared.ratio);
    }
    const past = lookBack(this.#history.periods, waysOf(input, selection), selection.pools);
    const rules = rulesOf(input.policy, excursions, this.#idleWait.expectedMs);
    let best = { ratio: largest, value: -Infinity };
    for (const ratio of [...MARGINS.filter((one) => one < largest), largest]) {
      const value = valueInHindsight(past, { ...rules, marginRatio: ratio });
      if (value > best.value) best = { ratio, value };
    }
    this.#compared = { atMs, ratio: best.ratio };
    return best.ratio;
  }
}

/** A switch takes longer where the resident that it unloads is busy. */
function rulesOf(policy: SelectionPolicy, { dwellMs }: Excursions, idleWaitMs: number) {
  return {
    dwellUpMs: policy.dwellMs + idleWaitMs,
    dwellDownMs: dwellMs + idleWaitMs,
    toleratedMs: policy.dwellMs,
    coolDownMs: policy.coolDownMs,
    upgradeBelowRatioMin: policy.upgradeBelowRatioMin,
  };
}
