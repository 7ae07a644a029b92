/** The error of the physics for a model with a share of its file in RAM. */
export interface SplitError {
  /** Share of the layers and experts in RAM, from 0 to 1. */
  readonly ramShare: number;
  /** Measured minus predicted seconds of one token. */
  readonly seconds: number;
}

/**
 * The error of the physics at a share in RAM, on the line between the nearest measured splits on both sides. The physics knows
 * where the time bends. Between the bends, each layer in RAM adds the same time, so the error is a line. Measurements with the
 * same share count as their mean.
 *
 * @returns null where there is no measurement on one of the sides, or one at the share itself
 */
export function errorBetween(ramShare: number, splits: readonly SplitError[]): number | null {
  let below = -Infinity;
  let above = Infinity;
  for (const split of splits) {
    if (split.ramShare === ramShare) return null;
    if (split.ramShare < ramShare) below = Math.max(below, split.ramShare);
    else above = Math.min(above, split.ramShare);
  }
  if (below === -Infinity || above === Infinity) return null;
  const share = (ramShare - below) / (above - below);
  return (1 - share) * meanError(below, splits) + share * meanError(above, splits);
}

function meanError(ramShare: number, splits: readonly SplitError[]): number {
  const errors = splits.filter((split) => split.ramShare === ramShare);
  return errors.reduce((sum, { seconds }) => sum + seconds, 0) / errors.length;
}
