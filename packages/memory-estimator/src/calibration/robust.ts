/** A value and how much it counts. */
export interface Weighted {
  readonly value: number;
  readonly weight: number;
}

/** The value with half of the weight below it; half of all values may be wild without moving it far. */
export function weightedMedian(values: readonly Weighted[]): number {
  const sorted = [...values].sort((a, b) => a.value - b.value);
  const half = sorted.reduce((sum, { weight }) => sum + weight, 0) / 2;
  let passed = 0;
  for (const [index, { value, weight }] of sorted.entries()) {
    passed += weight;
    if (passed > half) return value;
    // Half lies below and half above: any value between the two would do.
    if (passed === half) return (value + (sorted[index + 1]?.value ?? value)) / 2;
  }
  return 0;
}

/** The median distance from a centre: a spread that outliers do not stretch. */
export function medianDeviation(values: readonly Weighted[], centre: number): number {
  return weightedMedian(
    values.map(({ value, weight }) => ({ value: Math.abs(value - centre), weight })),
  );
}
