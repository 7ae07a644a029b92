import { isTooSlow, type Resources, type SelectionPolicy } from '@mai/memory-ledger';
import type { Candidate, LoadOption, Requirement } from '../input.js';
import type { Rejection, TooSlow } from '../selection.js';

/** Why a candidate cannot be chosen, resident or not; `null` when it can be chosen. */
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

/** The refusal of the engine as a rejection; `null` where no refusal is known. */
export function rejectRefused({ refusal }: Candidate): Rejection | null {
  return refusal === null ? null : { code: 'ENGINE_REFUSES', refusal };
}

/**
 * Why a candidate cannot be loaded now, however much memory is free; `null` when it can be loaded. A resident
 * copy may stay.
 */
export function rejectLoad(candidate: Candidate, { timestampMs }: Resources): Rejection | null {
  const refused = rejectRefused(candidate);
  if (refused !== null) return refused;
  if (!candidate.downloaded) return { code: 'NOT_DOWNLOADED' };
  const untilMs = candidate.coolingDownUntilMs;
  if (untilMs === null || untilMs <= timestampMs) return null;
  return { code: 'COOLING_DOWN_AFTER_FAILURE', untilMs, remainingMs: untilMs - timestampMs };
}

/** Rejects a context that is shorter than required; `null` if it is long enough or its length is unknown. */
function rejectContext(
  offeredTokens: number | null,
  { minContextLengthTokens }: Requirement,
): Rejection | null {
  if (minContextLengthTokens === null || offeredTokens === null) return null;
  if (offeredTokens >= minContextLengthTokens) return null;
  return { code: 'CONTEXT_TOO_SMALL', requiredTokens: minContextLengthTokens, offeredTokens };
}

/** Why a load option cannot be loaded, however much memory is free; `null` when it can be loaded. */
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

/**
 * The speed of a load option, where the upper end of its interval is below the minimum; `null` where the option
 * is fast enough or its speed is not known. A prediction alone says nothing against a candidate that a person
 * named: such a candidate is too slow only after a measurement on this machine.
 */
export function findTooSlow(
  { expandedFrom }: Candidate,
  { speed }: LoadOption,
  policy: Pick<SelectionPolicy, 'minTokensPerSecond'>,
): TooSlow | null {
  if (speed === null || (expandedFrom === null && !speed.measured)) return null;
  if (!isTooSlow(speed, policy)) return null;
  const { decodeTokensPerSecond: tokensPerSecond, measured } = speed;
  return {
    code: 'TOO_SLOW',
    tokensPerSecond,
    minTokensPerSecond: policy.minTokensPerSecond,
    measured,
  };
}
