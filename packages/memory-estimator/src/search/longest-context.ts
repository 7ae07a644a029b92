import { indexModel, type ModelIndex } from '../architecture/model-index.js';
import type { EstimateEnvironment } from '../estimate/environment.js';
import { planLoad } from '../estimate/estimate-footprint.js';
import type { FootprintEstimate } from '../estimate/footprint.js';
import type { GgufHeader } from '../gguf/gguf-header.js';
import { MAX_TOKENS } from '../settings/estimate-settings.js';
import type { LoadConfig } from '../settings/load-config.js';
import type { MemoryBudget } from './budget.js';
import { tryPlan, type Trial } from './plan-search.js';

/** llama.cpp rounds contexts up to this, so that nothing in between is smaller. */
const STEP_TOKENS = 256;
/** Where neither the model nor the caller sets a bound. */
const LONGEST_TOKENS = 1024 * 1024;

/** A context length that fits, and what it takes. */
export interface ContextFit {
  readonly contextLengthTokens: number;
  readonly footprint: FootprintEstimate;
}

/**
 * The longest context (a multiple of 256 tokens, or the maximum itself) with which a model fits a budget;
 * null where not even the shortest does. The maximum defaults to what the model was trained for. Exact
 * although llama.cpp's buffers are not monotone in the context; more memory never gives a shorter context.
 *
 * @throws RangeError for a maximum below 1. One above 2^30 tokens counts as that.
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
    throw new RangeError(`maxContextLengthTokens is a number of tokens from 1 on, not ${asked}.`);
  }
  const max = Math.min(Math.floor(asked), MAX_TOKENS);
  const trial = (contextLengthTokens: number) =>
    tryPlan(index, planLoad(index, { ...loadConfig, contextLengthTokens }, environment), budget);
  return search(worthAsking(index, lengths(max), loadConfig, environment), trial);
}

/**
 * Without a cache that grows, contexts from a micro-batch on all take the same: of those, the longest
 * stands for all.
 */
function worthAsking(
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

/** Lengths from short to long; a header may claim so many that no list could hold them. */
interface Lengths {
  readonly count: number;
  at(i: number): number;
}

/** The lengths that are worth asking for. */
function lengths(max: number): Lengths {
  return {
    count: Math.ceil(max / STEP_TOKENS),
    at: (i) => Math.min((i + 1) * STEP_TOKENS, max),
  };
}

function search(
  candidates: Lengths,
  trial: (contextLengthTokens: number) => Trial,
): ContextFit | null {
  // A length is asked again once less of what lies above it is in play.
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
  // From `high` on, nothing fits.
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
