import { isSameLoadConfig } from '@mai/memory-ledger';
import type { PlanStep } from '@mai/selector';
import type { AssembledInput } from '../assemble/join-footprints.js';
import type { LoadFailure } from '../failures/load-failure.js';

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
  const refused = failures.filter(({ code }) => code === 'LOAD_REFUSED');
  if (refused.length === 0) return input;
  return {
    ...input,
    candidates: input.candidates.map((candidate) => ({
      ...candidate,
      loadOptions: candidate.loadOptions.map((option) =>
        refused.some(
          ({ modelKey, loadConfig }) =>
            modelKey === candidate.modelKey && isSameLoadConfig(loadConfig, option.loadConfig),
        )
          ? { ...option, guardrails: 'refuse' }
          : option,
      ),
    })),
  };
}

/** Removes the candidates and load options that come before the target in the order of preference. */
export function notBetterThan(input: AssembledInput, target: PlanStep | null): AssembledInput {
  if (target?.action !== 'load') return input;
  const { loadConfig } = target.loadOption;
  const from = input.candidates.findIndex((one) => one.modelKey === target.modelKey);
  const candidate = input.candidates[from];
  if (candidate === undefined) return input;
  const option = candidate.loadOptions.findIndex((one) =>
    isSameLoadConfig(one.loadConfig, loadConfig),
  );
  return {
    ...input,
    candidates: [
      { ...candidate, loadOptions: candidate.loadOptions.slice(Math.max(0, option)) },
      ...input.candidates.slice(from + 1),
    ],
  };
}
