import type { LoadConfig } from '@mai/selector';
import type { AssembledInput } from '../assemble/assemble-selection-input.js';
import type { LoadFailure } from './load-failure.js';

/**
 * The input with every way to load that the runtime has refused marked so, whatever its estimate said
 * before: the next rung may still pass.
 */
export function markRefused(
  input: AssembledInput,
  failures: readonly LoadFailure[],
): AssembledInput {
  const refused = new Set(
    failures
      .filter((failure) => failure.code === 'LOAD_REFUSED')
      .map((failure) => nameOf(failure.modelKey, failure.loadConfig)),
  );
  if (refused.size === 0) return input;
  return {
    ...input,
    candidates: input.candidates.map((candidate) => ({
      ...candidate,
      loadOptions: candidate.loadOptions.map((option) =>
        refused.has(nameOf(candidate.modelKey, option.loadConfig))
          ? { ...option, guardrails: 'refuse' as const }
          : option,
      ),
    })),
  };
}

function nameOf(modelKey: string, config: LoadConfig): string {
  return JSON.stringify([
    modelKey,
    config.contextLengthTokens,
    config.parallelSequences,
    config.offloadRatio,
    config.kvCacheTypeK,
    config.kvCacheTypeV,
    config.flashAttention,
    config.cpuExpertRatio,
  ]);
}
