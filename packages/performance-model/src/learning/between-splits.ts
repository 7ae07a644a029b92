/** The time of a token with a share of a model's file in RAM. */
export interface MeasuredSplit {
  /** Share of the layers and experts in RAM, from 0 to 1. */
  readonly ramShare: number;
  readonly seconds: number;
}

/**
 * The time of a token at a share in RAM, on the line between the nearest measured splits on both sides: each layer in RAM adds
 * the same time. Of measurements with the same share, the last one counts.
 *
 * @returns null where there is no measurement on one of the sides, or one at the share itself
 */
export function secondsBetween(ramShare: number, splits: readonly MeasuredSplit[]): number | null {
  let below: MeasuredSplit | null = null;
  let above: MeasuredSplit | null = null;
  for (const split of splits) {
    if (split.ramShare === ramShare) return null;
    if (split.ramShare < ramShare) {
      if (below === null || split.ramShare >= below.ramShare) below = split;
    } else if (above === null || split.ramShare <= above.ramShare) above = split;
  }
  if (below === null || above === null) return null;
  const share = (ramShare - below.ramShare) / (above.ramShare - below.ramShare);
  return below.seconds + share * (above.seconds - below.seconds);
}
