/** The error of the physics for a model with a share of its file in RAM. */
export interface SplitError {
  /** Share of the layers and experts in RAM, from 0 to 1. */
  readonly ramShare: number;
  /** Measured minus predicted seconds of one token. */
  readonly seconds: number;
}

/**
 * The error of the physics at a share in RAM, on the line between the nearest measured splits on both sides. Each further layer
 * in RAM adds the same time, except at a few points where the slope changes, and the physics models these points. So between them
 * the error is a line. Of measurements with the same share, the mean counts.
 *
 * @returns null where one side has no measurement, and where the share itself was measured
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
