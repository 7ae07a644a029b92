import type { Tier } from '@mai/memory-ledger';
import type { Requirement } from '@mai/selector';

/**
 * Merges requirements into one that includes all of them. If they have no tier in common, the tiers of the
 * first are used.
 */
export function mergeRequirements(
  requirements: readonly [Requirement, ...Requirement[]],
): Requirement {
  return requirements.reduce((merged, next) => {
    const contexts = [merged.minContextLengthTokens, next.minContextLengthTokens].filter(
      (tokens) => tokens !== null,
    );
    return {
      capabilities: [...new Set([...merged.capabilities, ...next.capabilities])],
      minContextLengthTokens: contexts.length === 0 ? null : Math.max(...contexts),
      tiers: mergeTiers(merged.tiers, next.tiers),
    };
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
