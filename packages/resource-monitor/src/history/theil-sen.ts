/** A line through points that is robust against outliers. */
export interface RobustLine {
  readonly slope: number;
  /** 90 % confidence interval of the slope, if errors are independent. */
  readonly slopeLow: number;
  readonly slopeHigh: number;
  /** Value at `x` of this line, or of a line through the same points with another slope. */
  at(x: number, slope?: number): number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Quantile of the normal distribution for a two-sided 90 % interval. */
const Z = 1.6448536;

/**
 * The slope is the median of the slopes between all pairs of points (Theil 1950, Sen 1968). Up to 29 % of
 * outliers do not distort it. The interval is Sen's, computed from the distribution of Kendall's S. The points
 * must differ in x. Null for fewer than two points.
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

/** The middle value, or the mean of the two middle values. */
export function median(values: readonly number[]): number {
  return medianOfSorted(Float64Array.from(values).sort());
}

function medianOfSorted(sorted: Float64Array): number {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
