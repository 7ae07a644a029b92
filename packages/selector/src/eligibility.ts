import type { Candidate, LoadOption, Requirement, Resources } from './input.js';
import type { Rejection } from './selection.js';

/** Why a candidate is out of play, resident or not; null when it is in play. */
export function rejectCandidate(candidate: Candidate, requirement: Requirement): Rejection | null {
  const missing = requirement.capabilities.filter(
    (capability) => !candidate.capabilities.includes(capability),
  );
  if (missing.length > 0) return { code: 'MISSING_CAPABILITY', missing };
  if (requirement.tiers !== null && !requirement.tiers.includes(candidate.tier)) {
    return { code: 'OUTSIDE_TIER', tier: candidate.tier, allowed: requirement.tiers };
  }
  return candidate.loadOptions.length === 0 ? { code: 'FOOTPRINT_UNKNOWN' } : null;
}

/** Why a candidate cannot be loaded now, whatever memory there is; one that is resident may stay. */
export function rejectLoad(candidate: Candidate, { timestampMs }: Resources): Rejection | null {
  if (!candidate.downloaded) return { code: 'NOT_DOWNLOADED' };
  const untilMs = candidate.coolingDownUntilMs;
  if (untilMs === null || untilMs <= timestampMs) return null;
  return { code: 'COOLING_DOWN_AFTER_FAILURE', untilMs, remainingMs: untilMs - timestampMs };
}

/** Why a context length does not meet the requirement; null when it does or is unknown to fall short. */
export function rejectContext(
  offeredTokens: number | null,
  { minContextLengthTokens }: Requirement,
): Rejection | null {
  if (minContextLengthTokens === null || (offeredTokens ?? 0) >= minContextLengthTokens)
    return null;
  return {
    code: 'CONTEXT_TOO_SMALL',
    requiredTokens: minContextLengthTokens,
    offeredTokens: offeredTokens ?? 0,
  };
}

/** Why a load option is out of play whatever memory there is; null when it may be loaded. */
export function rejectOption(
  candidate: Candidate,
  { loadConfig, footprint, guardrails }: LoadOption,
  requirement: Requirement,
): Rejection | null {
  const { maxContextLengthTokens } = candidate;
  const offered = Math.min(
    loadConfig.contextLengthTokens ?? Infinity,
    maxContextLengthTokens ?? Infinity,
  );
  const context = rejectContext(Number.isFinite(offered) ? offered : null, requirement);
  if (context !== null) return context;
  if (guardrails === 'refuse') return { code: 'GUARDRAILS' };
  if (footprint === null) return { code: 'FOOTPRINT_UNKNOWN' };
  return null;
}
