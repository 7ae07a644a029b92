import type { SelectionPolicy } from '@mai/memory-ledger';
import type { Selection, SelectionInput } from '@mai/selector';
import { IdleWait } from './idle-wait.js';
import { lookBack, valueInHindsight, type Hindsight, type Rules } from './hindsight.js';
import { SwingHistory } from './swing-history.js';
import { UseHistory } from './use-history.js';
import { marginFor, waysOf, type Way } from './ways.js';

/** The smallest margin: a smaller change of the others' use is noise. */
const MIN_MARGIN_RATIO = 0.005;
/** The largest margin that is compared, where no recent swing was larger. */
const LARGEST_MARGIN_RATIO = 0.2;
/** The margins that are compared, besides the margin that leaves room for the largest swing. */
const MARGINS = [MIN_MARGIN_RATIO, 0.02, 0.03, 0.045, 0.065, 0.1, 0.15, LARGEST_MARGIN_RATIO];
/** How long the result of a comparison is used. The last two hours hardly change in this time, so a new result would be the same. */
const COMPARED_EVERY_MS = 30_000;

/** The result of a comparison. */
interface Compared {
  readonly marginRatio: number;
  /** See `Rules`. */
  readonly cheapestBefore: number;
}

/** The rules that are the same for all that is compared. */
type ComparedRules = Omit<Rules, 'marginRatio' | 'cheapestBefore'>;

/** The data that a margin depends on, besides the use of memory. */
interface Excursions {
  readonly areOutlasted: boolean;
  /** The dwell time of a step down in force. */
  readonly dwellMs: number;
}

/**
 * Chooses the margin of a step up. The largest margin leaves room for the largest recent swing of the others. A smaller margin is
 * in force where its steps up would have gained more over the last two hours than their switches would have cost.
 *
 * Where requests keep a model busy for a long time, a step up cannot be undone soon: the others may rise further than their recent
 * swings before the model is idle. So in this case larger margins are compared, too. Steps up to the cheapest load option of a
 * model are also compared, even where a larger option fits, because the cheapest option leaves the others more room to rise.
 */
export class UpgradeMargin {
  readonly #swings = new SwingHistory();
  readonly #history = new UseHistory();
  readonly #idleWait = new IdleWait();
  #compared: (Compared & { readonly atMs: number }) | null = null;
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
    if (largest <= MIN_MARGIN_RATIO) {
      this.#ratio = MIN_MARGIN_RATIO;
      return;
    }
    const { marginRatio, cheapestBefore } = this.#compare(atMs, largest, staysBusy, () => ({
      past: lookBack(this.#history.periods, waysOf(input, selection), pools, staysBusy),
      rules: rulesOf(input.policy, excursions, this.#idleWait.expectedMs),
    }));
    const margin = Math.min(largest, marginRatio);
    this.#ratio =
      cheapestBefore === 0
        ? margin
        : marginFor(margin, cheapestBefore, waysOf(input, selection), pools);
  }

  /** The last comparison while it is in force, else a new one. */
  #compare(
    atMs: number,
    largest: number,
    staysBusy: boolean,
    read: () => { readonly past: Hindsight; readonly rules: ComparedRules },
  ): Compared {
    const compared = this.#compared;
    if (compared !== null && atMs >= compared.atMs && atMs - compared.atMs < COMPARED_EVERY_MS) {
      return compared;
    }
    const { past, rules } = read();
    const best = compare(past, rules, { largest, staysBusy });
    this.#compared = { ...best, atMs };
    return best;
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
}

/** The rules that would have gained most in the past. */
function compare(
  past: Hindsight,
  rules: ComparedRules,
  { largest, staysBusy }: { readonly largest: number; readonly staysBusy: boolean },
): Compared {
  const margins = [...MARGINS.filter((one) => one < largest), largest];
  let best: Compared = { marginRatio: largest, cheapestBefore: 0 };
  let most = Number.NEGATIVE_INFINITY;
  for (const cheapestBefore of staysBusy ? cheapestPlaces(past.ways) : [0]) {
    for (const marginRatio of margins) {
      const value = valueInHindsight(past, { ...rules, marginRatio, cheapestBefore });
      if (value <= most) continue;
      most = value;
      best = { marginRatio, cheapestBefore };
    }
  }
  return best;
}

/**
 * For how many models, from the most preferred one on, the cheapest way is compared: for none, for those up to the first one that
 * has several ways, and for those up to the last one.
 */
function cheapestPlaces(ways: readonly Pick<Way, 'place' | 'isCheapest'>[]): readonly number[] {
  const places = ways.filter((way) => !way.isCheapest).map(({ place }) => place);
  if (places.length === 0) return [0];
  return [0, ...new Set([Math.min(...places) + 1, Math.max(...places) + 1])];
}

/** A switch takes longer where the resident that it unloads is busy. */
function rulesOf(
  policy: SelectionPolicy,
  { dwellMs }: Excursions,
  idleWaitMs: number,
): ComparedRules {
  return {
    dwellUpMs: policy.dwellMs + idleWaitMs,
    dwellDownMs: dwellMs + idleWaitMs,
    toleratedMs: policy.dwellMs,
    coolDownMs: policy.coolDownMs,
    upgradeBelowRatioMin: policy.upgradeBelowRatioMin,
  };
}
