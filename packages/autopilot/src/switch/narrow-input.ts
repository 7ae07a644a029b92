import type { LoadConfig } from '@mai/memory-ledger';
import type { PlanStep } from '@mai/selector';
import type { AssembledInput } from '../assemble/join-footprints.js';
import type { LoadFailure } from './load-failure.js';

/** Cool-downs that exclude failed models for the rest of this run. */
export function notTriedAgain(failures: readonly LoadFailure[]): Record<string, number> {
  // A refusal concerns one load option; every other failure concerns the model.
  const failed = failures.filter(({ code }) => code !== 'LOAD_REFUSED');
  return Object.fromEntries(failed.map(({ modelKey }) => [modelKey, Number.MAX_SAFE_INTEGER]));
}

/** Marks the load options that the runtime has refused. */
export function markRefused(
  input: AssembledInput,
  failures: readonly LoadFailure[],
): AssembledInput {
  const refused = new Set(
    failures
      .filter((failure) => failure.code === 'LOAD_REFUSED')
      .map((failure) => nameOption(failure.modelKey, failure.loadConfig)),
  );
  if (refused.size === 0) return input;
  return {
    ...input,
    candidates: input.candidates.map((candidate) => ({
      ...candidate,
      loadOptions: candidate.loadOptions.map((option) =>
        refused.has(nameOption(candidate.modelKey, option.loadConfig))
          ? { ...option, guardrails: 'refuse' }
          : option,
      ),
    })),
  };
}

/** Removes the candidates and load options that come before the target in the order of preference. */
export function notBetterThan(input: AssembledInput, target: PlanStep | null): AssembledInput {
  if (target?.action !== 'load') return input;
  const name = nameOption(target.modelKey, target.loadOption.loadConfig);
  const from = input.candidates.findIndex((one) => one.modelKey === target.modelKey);
  const candidate = input.candidates[from];
  if (candidate === undefined) return input;
  const option = candidate.loadOptions.findIndex(
    (one) => nameOption(candidate.modelKey, one.loadConfig) === name,
  );
  return {
    ...input,
    candidates: [
      { ...candidate, loadOptions: candidate.loadOptions.slice(Math.max(0, option)) },
      ...input.candidates.slice(from + 1),
    ],
  };
}

/** A key of a load option: equal for the same model with the same load configuration. */
function nameOption(modelKey: string, config: LoadConfig): string {
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
