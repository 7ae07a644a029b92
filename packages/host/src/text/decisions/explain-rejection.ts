import type { Rejection, TooSlow } from '@mai/selector';
import { formatBytes, formatCount, formatDuration, formatSpeed } from '../../words.js';

/** A longer cool-down means that the model is not tried again in this run. */
const LONGEST_COOL_DOWN_MS = 365 * 86_400_000;

/** Why a candidate was not chosen, with the figures. The phrase follows the model key. */
export function explainRejection(rejection: Rejection): string {
  switch (rejection.code) {
    case 'NOT_DOWNLOADED':
      return 'not downloaded';
    case 'ENGINE_REFUSES':
      return `not offered: ${rejection.refusal.reason}`;
    case 'MISSING_CAPABILITY':
      return `cannot do ${rejection.missing.join(', ')}`;
    case 'OUTSIDE_TIER':
      return `is ${rejection.tier}, not ${rejection.allowed.join(' or ')}`;
    case 'COOLING_DOWN_AFTER_FAILURE':
      return rejection.remainingMs > LONGEST_COOL_DOWN_MS
        ? 'failed to load'
        : `failed to load; tried again in ${formatDuration(rejection.remainingMs)}`;
    case 'CONTEXT_TOO_SMALL':
      return `offers ${formatCount(rejection.offeredTokens)} tokens of context, ${formatCount(rejection.requiredTokens)} are required`;
    case 'GUARDRAILS':
      return "LM Studio's guardrails refuse it";
    case 'FOOTPRINT_UNKNOWN':
      return 'the memory that it takes is not known';
    case 'INSUFFICIENT_RAM':
    case 'INSUFFICIENT_VRAM': {
      const pool = rejection.code === 'INSUFFICIENT_RAM' ? 'RAM' : 'VRAM';
      return `needs ${formatBytes(rejection.shortfallBytes)} more ${pool} (takes ${formatBytes(rejection.neededBytes)}, allowed ${formatBytes(Math.max(0, rejection.allowedBytes))})`;
    }
    case 'TOO_SLOW':
      return explainTooSlow(rejection);
    case 'WAITS_FOR_BUSY':
      return `waits for ${rejection.instanceIdentifiers.join(', ')} to finish`;
    case 'PREFERRED_CANDIDATE_FITS':
      return `${rejection.preferredModelKey} fits and comes first`;
  }
}

/** Why a model is too slow, with the figures. The phrase follows the model key. */
export function explainTooSlow({ tokensPerSecond, minTokensPerSecond, measured }: TooSlow): string {
  const { expected, high } = tokensPerSecond;
  const speed = measured
    ? `generates ${formatSpeed(expected)} tokens a second here`
    : `would generate about ${formatSpeed(expected)} tokens a second (at most ${formatSpeed(high)})`;
  return `${speed}, less than the minimum of ${formatSpeed(minTokensPerSecond)}`;
}
