import type { ModelReport } from '../model-list/list-models.js';

/** What the choice needs to know about a listed model. */
export type ListedModel = Pick<ModelReport, 'rejection' | 'cheaper' | 'sizeBytes'> & {
  readonly profile: Pick<ModelReport['profile'], 'modelKey' | 'capabilities'>;
};

/**
 * The models that a benchmark measures where the user names none and none is loaded: the best one, the smallest one, and one between them.
 * Models of three sizes show most about the speed of this machine.
 *
 * @param best - the model that would be loaded now; null where nothing fits
 * @returns model keys, the best model first
 */
export function chooseModels(
  best: string | null,
  listed: readonly ListedModel[],
): readonly (string | null)[] {
  const sizeOf = (one: ListedModel): number => one.sizeBytes ?? 0;
  const others = listed
    .filter(
      (one) =>
        one.profile.modelKey !== best &&
        !one.profile.capabilities.includes('embedding') &&
        (one.rejection === null || one.cheaper !== null) &&
        sizeOf(one) > 0,
    )
    .sort((a, b) => sizeOf(a) - sizeOf(b))
    .map(({ profile }) => profile.modelKey);
  const middle = others[Math.floor(others.length / 2)];
  return [best, ...new Set([middle, others[0]])].filter((key) => key !== undefined);
}
