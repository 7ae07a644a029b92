import type { HistoryBucket, Series } from './history.js';
import { lastStep } from './last-step.js';
import type { Point } from './theil-sen.js';
import { fitLine, median } from './theil-sen.js';

export interface TrendOptions {
  /** `ram` unless given. */
  readonly series?: Series;
  /** How far back to look, in milliseconds; 300_000 unless given. */
  readonly windowMs?: number;
  /** The limit to forecast, as a share of the pool's total; 0.9 unless given. */
  readonly limitRatio?: number;
}

/** Where a figure is heading. Values are bytes in use or, for `cpu`, a ratio. */
export interface Trend {
  readonly series: Series;
  /** `unknown`: too few points, or too short a time, to tell. */
  readonly direction: 'rising' | 'falling' | 'steady' | 'unknown';
  /** Change of use in a second; null when unknown. */
  readonly slopePerSecond: number | null;
  /** 90 % of the time the slope is between these. */
  readonly slopeInterval: { readonly low: number; readonly high: number } | null;
  /** Use now, without the noise. */
  readonly level: number | null;
  readonly limit: number | null;
  /** Until use reaches `limit` at this slope; 0 above it; null when not rising or unknown. */
  readonly timeToLimitMs: number | null;
  /** The same at both ends of the slope's interval; `highMs` null: perhaps never. */
  readonly timeToLimitInterval: { readonly lowMs: number; readonly highMs: number | null } | null;
  /** What it is judged by. */
  readonly points: number;
  readonly spanMs: number;
}

/** Fewer points, or a shorter time, show noise rather than a trend. */
const FEWEST_POINTS = 8;
const SHORTEST_SPAN_MS = 10_000;
/** All pairs of so many points are looked at: half a millisecond. */
const MOST_POINTS = 100;
/** What was last seen so long ago, or three buckets, says nothing of now. */
const STALE_AFTER_MS = 15_000;
/** A change over the window of less than this share of the total is nothing to act on. */
const STEADY_BELOW_RATIO = 0.0025;
/** No model that is worth loading is smaller than this share of the total. */
const STEP_FROM_RATIO = 0.01;

/**
 * Fits a robust line to the buckets since the last step and follows it to the limit.
 * @param nowMs From when the time to the limit counts, in milliseconds since the epoch.
 */
export function describeTrend(
  series: Series,
  buckets: readonly HistoryBucket[],
  total: number | null,
  limitRatio: number,
  nowMs: number,
): Trend {
  const all = thin(buckets.map(({ atMs, mean }) => ({ x: atMs, y: mean })));
  // A model that was loaded in between is a step, not the beginning of a slope.
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
  // No pool has no use, and no limit that it could reach.
  if (total === null || total <= 0) return unknown;
  const line = fitLine(points);
  if (line === null) return unknown;
  const { slope, slopeLow, slopeHigh } = line;
  const matters = Math.abs(slope) * spanMs >= STEADY_BELOW_RATIO * total;
  const direction =
    matters && slopeLow > 0 ? 'rising' : matters && slopeHigh < 0 ? 'falling' : 'steady';
  const level = line.at(nowMs);
  const missing = Math.max(0, total * limitRatio - level);
  // A steeper line through the same points is also higher by now.
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

/** At most `MOST_POINTS`, each the median of its neighbours. */
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
