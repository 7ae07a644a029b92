/** A place in the fallback chain: the candidate, and which of its load options. */
export interface ChainPosition {
  readonly candidateIndex: number;
  /** The number of load options where a resident is of this model and of none of them. */
  readonly optionIndex: number;
}

/** Negative where `a` is preferred to `b`. */
export function comparePositions(a: ChainPosition, b: ChainPosition): number {
  return a.candidateIndex - b.candidateIndex || a.optionIndex - b.optionIndex;
}
