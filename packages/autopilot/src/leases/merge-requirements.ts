import type { Tier } from '@mai/memory-ledger';
import { NO_REQUIREMENT, type Requirement } from '@mai/selector';
import type { CandidateProfile } from '../ports/catalog-port.js';
import { meetsRequirement } from './target-catalog.js';

/**
 * Merges requirements into one that includes all of them. If they have no tier in common, the tiers of the
 * first are used.
 */
export function mergeRequirements(requirements: readonly Requirement[]): Requirement {
  const preferred = longest(requirements.map((one) => one.preferredContextLengthTokens ?? null));
  const merged = requirements.reduce(
    (before, next): Requirement => ({
      capabilities: [...new Set([...before.capabilities, ...next.capabilities])],
      minContextLengthTokens: longest([before.minContextLengthTokens, next.minContextLengthTokens]),
      tiers: mergeTiers(before.tiers, next.tiers),
    }),
    NO_REQUIREMENT,
  );
  // Left out where nobody prefers a length: the requirement is in each line of the decision log.
  return preferred === null ? merged : { ...merged, preferredContextLengthTokens: preferred };
}

function longest(contexts: readonly (number | null)[]): number | null {
  const known = contexts.filter((tokens) => tokens !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/**
 * The requirements that one decision can meet: the first, and each other as long as one candidate meets them
 * all. A candidate of unknown maximum context meets every minimum.
 */
export function metTogether<One extends Requirement>(
  requirements: readonly One[],
  candidates: readonly CandidateProfile[],
): readonly One[] {
  let able = candidates;
  return requirements.filter((requirement, index) => {
    const still = able.filter((one) =>
      meetsRequirement(one, one.maxContextLengthTokens ?? Infinity, requirement),
    );
    if (index > 0 && still.length === 0) return false;
    able = still;
    return true;
  });
}

function mergeTiers(
  first: readonly Tier[] | null,
  second: readonly Tier[] | null,
): readonly Tier[] | null {
  if (first === null || second === null) return first ?? second;
  const both = first.filter((tier) => second.includes(tier));
  return both.length === 0 ? first : both;
}
