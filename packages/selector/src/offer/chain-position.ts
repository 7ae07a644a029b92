/** A position in the fallback chain: a candidate and one of its load options. */
export interface ChainPosition {
  readonly candidateIndex: number;
  /**
   * Index of the load option. A resident that serves no option comes last: its index is the number of options.
   */
  readonly optionIndex: number;
}

/** Negative where `a` is preferred to `b`. */
export function comparePositions(a: ChainPosition, b: ChainPosition): number {
  return a.candidateIndex - b.candidateIndex || a.optionIndex - b.optionIndex;
}
