import type { LoadConfig } from '@mai/memory-ledger';
import { indexModel, type ModelIndex } from '../architecture/model-index.js';
import type { EstimateEnvironment } from '../load/environment.js';
import type { FootprintEstimate } from '../estimate/footprint-estimate.js';
import { planLoad } from '../load/plan-load.js';
import type { GgufHeader } from '../gguf/gguf-header.js';
import { MAX_TOKENS } from '../settings/estimate-settings.js';
import type { MemoryBudget } from './budget.js';
import { tryPlan, type Trial } from './try-plan.js';

/** llama.cpp rounds contexts up to a multiple of this, so other lengths need no less memory. */
const STEP_TOKENS = 256;
/** The maximum if the model does not state one and the caller does not set one. */
const LONGEST_TOKENS = 1024 * 1024;

/** A context length that fits. */
export interface ContextFit {
  readonly contextLengthTokens: number;
  readonly footprint: FootprintEstimate;
}

/**
 * The longest context with which a model fits a budget: a multiple of 256 tokens, or the maximum itself.
 * `null` where not even the shortest context fits.
 *
 * The answer is exact, although llama.cpp's compute buffers may shrink when the context grows. A budget
 * with more memory never gives a shorter context.
 *
 * @param options.maxContextLengthTokens Default: the context that the model was trained for, or 2^20 where
 *   the header does not state it. More than 2^30 counts as 2^30.
 * @throws RangeError for a maximum below 1.
 */
export function longestContext(
  header: GgufHeader,
  loadConfig: LoadConfig,
  environment: EstimateEnvironment,
  budget: MemoryBudget,
  options: { readonly maxContextLengthTokens?: number } = {},
): ContextFit | null {
  const index = indexModel(header);
  const asked = options.maxContextLengthTokens ?? index.model?.trainedContext ?? LONGEST_TOKENS;
  if (!(asked >= 1)) {
    throw new RangeError(`maxContextLengthTokens must be at least 1, not ${asked}.`);
  }
  const max = Math.min(Math.floor(asked), MAX_TOKENS);
  const trial = (contextLengthTokens: number) =>
    tryPlan(index, planLoad(index, { ...loadConfig, contextLengthTokens }, environment), budget);
  return search(distinctLengths(index, lengths(max), loadConfig, environment), trial);
}

/**
 * The lengths that need different amounts of memory. Without a growing cache, all lengths from a micro-batch on
 * need the same memory, so only the longest of them is kept.
 */
function distinctLengths(
  index: ModelIndex,
  candidates: Lengths,
  loadConfig: LoadConfig,
  environment: EstimateEnvironment,
): Lengths {
  if (hasGrowingCache(index)) return candidates;
  const { ubatchTokens } = planLoad(index, loadConfig, environment).settings;
  let below = 0;
  while (below < candidates.count && candidates.at(below) < ubatchTokens) below += 1;
  if (below === candidates.count) return candidates;
  return {
    count: below + 1,
    at: (i) => candidates.at(i < below ? i : candidates.count - 1),
  };
}

function hasGrowingCache(index: ModelIndex): boolean {
  return index.model?.attention.includes(true) === true;
}

/** Lengths from short to long. They are computed on demand, because a header may claim too many for a list. */
interface Lengths {
  readonly count: number;
  at(i: number): number;
}

/** Every multiple of the step up to the maximum, and the maximum. */
function lengths(max: number): Lengths {
  return {
    count: Math.ceil(max / STEP_TOKENS),
    at: (i) => Math.min((i + 1) * STEP_TOKENS, max),
  };
}

/**
 * Finds the longest length that fits. The search goes down from the maximum. After each failure, a binary search
 * excludes the lengths whose lower bound does not fit (`mayFitLonger`).
 */
function search(
  candidates: Lengths,
  trial: (contextLengthTokens: number) => Trial,
): ContextFit | null {
  // Cached by length, because several binary searches with different ceilings may try the same length.
  const trials = new Map<number, Trial>();
  const at = (i: number): Trial => {
    const known = trials.get(i) ?? trial(candidates.at(i));
    trials.set(i, known);
    return known;
  };
  let high = candidates.count - 1;
  const longest = at(high);
  let ceiling = longest.estimate;
  const fit = (i: number, footprint: FootprintEstimate): ContextFit => ({
    contextLengthTokens: candidates.at(i),
    footprint,
  });
  if (longest.fits) return fit(high, ceiling);
  // The length at `high` and all longer lengths do not fit.
  const exclude = (i: number, { estimate }: Trial) => {
    high = i;
    ceiling = estimate;
  };
  while (high > 0) {
    const below = at(high - 1);
    if (below.fits) return fit(high - 1, below.estimate);
    const excludesMore = !below.mayFitLonger(ceiling);
    exclude(high - 1, below);
    if (!excludesMore) continue;
    for (let low = -1; high - low > 1;) {
      const middle = Math.floor((low + high) / 2);
      const found = at(middle);
      if (found.fits || found.mayFitLonger(ceiling)) low = middle;
      else exclude(middle, found);
    }
  }
  return null;
}
