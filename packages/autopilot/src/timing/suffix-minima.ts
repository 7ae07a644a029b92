/** For each index, the smallest value from that index to the end. */
export function suffixMinima(values: readonly number[]): number[] {
  const minima: number[] = [];
  let lowest = Number.POSITIVE_INFINITY;
  for (const value of values.toReversed()) {
    lowest = Math.min(lowest, value);
    minima.push(lowest);
  }
  return minima.reverse();
}
