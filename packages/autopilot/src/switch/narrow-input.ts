import { isSameLoadConfig } from '@mai/memory-ledger';
import type { PlanStep } from '@mai/selector';
import type { AssembledInput } from '../assemble/join-footprints.js';
import type { LoadFailure } from '../failures/load-failure.js';

/** Cool-downs that exclude failed models for the rest of this run. */
export function notTriedAgain(failures: readonly LoadFailure[]): Record<string, number> {
  // A refusal concerns one load option, and so does the failure of a load with a longer context than was needed. Every other
  // failure concerns the model.
  const failed = failures.filter(
    ({ code, hadRoom = false }) => code !== 'LOAD_REFUSED' && !hadRoom,
  );
  return Object.fromEntries(failed.map(({ modelKey }) => [modelKey, Number.MAX_SAFE_INTEGER]));
}

/**
 * Marks the load options that the runtime has refused. A model that failed with a longer context than was needed gets no such
 * context.
 */
export function markRefused(
  input: AssembledInput,
  failures: readonly LoadFailure[],
): AssembledInput {
  const withRoom = failures.filter(({ hadRoom = false }) => hadRoom);
  const narrowed = withoutRoom(
    input,
    withRoom.map(({ modelKey }) => modelKey),
  );
  const refused = failures.filter(({ code }) => code === 'LOAD_REFUSED');
  if (refused.length === 0) return narrowed;
  return {
    ...narrowed,
    candidates: narrowed.candidates.map((candidate) => ({
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

/** Removes the longer context that callers prefer from the load options of these models. */
export function withoutRoom<Input extends Pick<AssembledInput, 'candidates'>>(
  input: Input,
  modelKeys: readonly string[],
): Input {
  if (modelKeys.length === 0) return input;
  return {
    ...input,
    candidates: input.candidates.map((candidate) =>
      modelKeys.includes(candidate.modelKey)
        ? {
            ...candidate,
            loadOptions: candidate.loadOptions.map((option) => ({ ...option, roomier: null })),
          }
        : candidate,
    ),
  };
}

/** Whether a step loads a model with a longer context than is needed. */
export function hasRoom(
  { modelKey, loadOption }: Extract<PlanStep, { action: 'load' }>,
  { candidates }: Pick<AssembledInput, 'candidates'>,
): boolean {
  return candidates.some(
    (one) =>
      one.modelKey === modelKey &&
      one.loadOptions.some(
        ({ roomier }) =>
          roomier != null && isSameLoadConfig(roomier.loadConfig, loadOption.loadConfig),
      ),
  );
}

/** Removes the candidates and load options that come before the target in the order of preference. */
export function notBetterThan(input: AssembledInput, target: PlanStep | null): AssembledInput {
  if (target?.action !== 'load') return input;
  const { loadConfig } = target.loadOption;
  const from = input.candidates.findIndex((one) => one.modelKey === target.modelKey);
  const candidate = input.candidates[from];
  if (candidate === undefined) return input;
  const option = candidate.loadOptions.findIndex((one) =>
    [one, one.roomier].some((way) => way != null && isSameLoadConfig(way.loadConfig, loadConfig)),
  );
  return {
    ...input,
    candidates: [
      { ...candidate, loadOptions: candidate.loadOptions.slice(Math.max(0, option)) },
      ...input.candidates.slice(from + 1),
    ],
  };
}
