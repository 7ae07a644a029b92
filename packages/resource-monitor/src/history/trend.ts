import type { HistoryBucket, Series } from './history.js';
import { lastStep } from './last-step.js';
import type { Point } from './theil-sen.js';
import { fitLine, median } from './theil-sen.js';

/** Options of `trend`. */
export interface TrendOptions {
  /** Default: `ram`. */
  readonly series?: Series;
  /** Length of the window that ends now, in milliseconds, at least 0. Default: 300_000. */
  readonly windowMs?: number;
  /**
   * The limit of the forecast, as a share of the pool's total, 0 to 1. Default: the limit of the default selection
   * policy (0.8 for `ram` and `cpu`, 0.9 for a GPU), and 1 for `swap`, because the policy does not limit swap.
   */
  readonly limitRatio?: number;
}

/** The trend of a figure. Values are bytes in use or, for `cpu`, a ratio from 0 to 1. */
export interface Trend {
  readonly series: Series;
  /** `unknown`: too few points, too short a time, or no recent point. */
  readonly direction: 'rising' | 'falling' | 'steady' | 'unknown';
  /** Change of use per second; null if unknown. */
  readonly slopePerSecond: number | null;
  /** 90 % confidence interval of the slope. */
  readonly slopeInterval: { readonly low: number; readonly high: number } | null;
  /** Use now, on the fitted line. */
  readonly level: number | null;
  readonly limit: number | null;
  /**
   * Time until use reaches `limit` at this slope; 0 if use is above `limit`; null if use is not rising or the
   * trend is unknown.
   */
  readonly timeToLimitMs: number | null;
  /**
   * The time to the limit at both ends of the slope's interval. `highMs` is null if the limit may never be
   * reached.
   */
  readonly timeToLimitInterval: { readonly lowMs: number; readonly highMs: number | null } | null;
  /** Number of points that the line is fitted to, and the time that they span. */
  readonly points: number;
  readonly spanMs: number;
}

/** With fewer points, or over a shorter time, noise looks like a trend. */
const FEWEST_POINTS = 8;
const SHORTEST_SPAN_MS = 10_000;
/** Bounds the number of pairs, so that a fit takes half a millisecond. */
const MOST_POINTS = 100;
/** The trend is unknown if the newest point is older than this limit and older than three bucket widths. */
const STALE_AFTER_MS = 15_000;
/** The trend is steady if use changes by less than this share of the total over the window. */
const STEADY_BELOW_RATIO = 0.0025;
/** The smallest change that counts as a step, as a share of the total. Useful models take more memory. */
const STEP_FROM_RATIO = 0.01;

/**
 * Fits a robust line to the buckets since the last step and extends it to the limit.
 * @param nowMs - the moment from which the time to the limit is counted, in milliseconds since the epoch.
 */
export function describeTrend(
  series: Series,
  buckets: readonly HistoryBucket[],
  total: number | null,
  limitRatio: number,
  nowMs: number,
): Trend {
  const all = thin(buckets.map(({ atMs, mean }) => ({ x: atMs, y: mean })));
  // A model load is a step. Only the values after the load belong to the current slope.
  const smallest = STEP_FROM_RATIO * (total ?? 0);
  const points = all.slice(
    lastStep(
      all.map(({ y }) => y),
      smallest,
    ),
  );
  const spanMs = (points.at(-1)?.x ?? 0) - (points[0]?.x ?? 0);
  const limit = total === null ? null : total * limitRatio;
  const unknown: Trend = {
    series,
    direction: 'unknown',
    slopePerSecond: null,
    slopeInterval: null,
    level: null,
    limit,
    timeToLimitMs: null,
    timeToLimitInterval: null,
    points: points.length,
    spanMs,
  };
  const newest = buckets.at(-1);
  const staleMs = Math.max(STALE_AFTER_MS, 3 * (newest?.durationMs ?? 0));
  if (newest === undefined || nowMs - newest.atMs > staleMs) return unknown;
  if (points.length < FEWEST_POINTS || spanMs < SHORTEST_SPAN_MS) return unknown;
  // Without a total there is no limit to forecast. A machine without swap has a swap total of 0.
  if (total === null || total <= 0) return unknown;
  const line = fitLine(points);
  if (line === null) return unknown;
  const { slope, slopeLow, slopeHigh } = line;
  const matters = Math.abs(slope) * spanMs >= STEADY_BELOW_RATIO * total;
  const direction =
    matters && slopeLow > 0 ? 'rising' : matters && slopeHigh < 0 ? 'falling' : 'steady';
  const level = line.at(nowMs);
  const missing = Math.max(0, total * limitRatio - level);
  // The level now depends on the slope, so each slope of the interval has its own level.
  const timeAt = (perMs: number): number =>
    Math.max(0, total * limitRatio - line.at(nowMs, perMs)) / perMs;
  const rising = direction === 'rising' || missing === 0;
  return {
    ...unknown,
    direction,
    slopePerSecond: slope * 1000,
    slopeInterval: { low: slopeLow * 1000, high: slopeHigh * 1000 },
    level,
    timeToLimitMs: rising ? (missing === 0 ? 0 : timeAt(slope)) : null,
    timeToLimitInterval: !rising
      ? null
      : missing === 0
        ? { lowMs: 0, highMs: 0 }
        : { lowMs: timeAt(slopeHigh), highMs: slopeLow > 0 ? timeAt(slopeLow) : null },
  };
}

/** Reduces the points to at most `MOST_POINTS`, each the median of a group of neighbours. */
function thin(points: readonly Point[]): readonly Point[] {
  const size = Math.ceil(points.length / MOST_POINTS);
  if (size <= 1) return points;
  const thinned: Point[] = [];
  for (let start = 0; start < points.length; start += size) {
    const group = points.slice(start, start + size);
    thinned.push({ x: median(group.map(({ x }) => x)), y: median(group.map(({ y }) => y)) });
  }
  return thinned;
}
