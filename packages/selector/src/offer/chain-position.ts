/** A position in the fallback chain: a candidate and one of its load options. */
export interface ChainPosition {
  readonly candidateIndex: number;
  /** The number of load options for a resident that serves none of them. */
  readonly optionIndex: number;
}

/** Negative where `a` is preferred to `b`. */
export function comparePositions(a: ChainPosition, b: ChainPosition): number {
  return a.candidateIndex - b.candidateIndex || a.optionIndex - b.optionIndex;
}
