/** A line through points that a few wild ones do not bend. */
export interface RobustLine {
  readonly slope: number;
  /** Bounds of the slope that hold with 90 % probability for independent errors. */
  readonly slopeLow: number;
  readonly slopeHigh: number;
  /** Value at `x` of the line, or of one through the same points with another slope. */
  at(x: number, slope?: number): number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Two-sided 90 %. */
const Z = 1.6448536;

/**
 * The median of the slopes between all pairs of points (Theil 1950, Sen 1968): up to 29 % of the
 * points may be arbitrarily wrong. The interval is Sen's, from the distribution of Kendall's S.
 * Points must differ in x; null for fewer than two.
 */
export function fitLine(points: readonly Point[]): RobustLine | null {
  const count = points.length;
  if (count < 2) return null;
  const slopes = new Float64Array((count * (count - 1)) / 2);
  let next = 0;
  for (let i = 0; i < count; i += 1) {
    for (let j = i + 1; j < count; j += 1) {
      const [one, other] = [points[i], points[j]];
      if (one === undefined || other === undefined) continue;
      slopes[next] = (other.y - one.y) / (other.x - one.x);
      next += 1;
    }
  }
  slopes.sort();
  const deviation = Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18);
  const spread = Z * deviation;
  const bound = (rank: number): number =>
    slopes[Math.min(slopes.length - 1, Math.max(0, Math.round(rank)))] ?? 0;
  const slope = medianOfSorted(slopes);
  const interceptOf = (of: number): number => median(points.map(({ x, y }) => y - of * x));
  const intercept = interceptOf(slope);
  return {
    slope,
    slopeLow: bound((slopes.length - spread) / 2 - 1),
    slopeHigh: bound((slopes.length + spread) / 2),
    at: (x, other = slope) => (other === slope ? intercept : interceptOf(other)) + other * x,
  };
}

/** The middle value; the mean of the two in the middle for an even number. */
export function median(values: readonly number[]): number {
  return medianOfSorted(Float64Array.from(values).sort());
}

function medianOfSorted(sorted: Float64Array): number {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
