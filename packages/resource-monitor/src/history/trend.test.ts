import fc from 'fast-check';
import { snapshotWith } from '../../test/snapshot-with.js';
import type { HistoryBucket } from './history.js';
import { createHistory } from './history.js';
import { fitLine, median } from './theil-sen.js';
import { describeTrend } from './trend.js';

const GIB = 1024 ** 3;
const TOTAL = 32 * GIB;
const EPOCH_MS = 1_700_000_000_000;

/** One bucket per second with the given use. */
const seconds = (values: readonly number[]): HistoryBucket[] =>
  values.map((value, index) => ({
    startMs: EPOCH_MS + index * 1000,
    durationMs: 1000,
    atMs: EPOCH_MS + index * 1000,
    min: value,
    mean: value,
    max: value,
    count: 1,
  }));
const ramp = (count: number, from: number, perSecond: number): number[] =>
  Array.from({ length: count }, (_, index) => from + index * perSecond);
const trendOf = (values: readonly number[], limitRatio = 0.9) =>
  describeTrend('ram', seconds(values), TOTAL, limitRatio, EPOCH_MS + (values.length - 1) * 1000);

/** Pseudo-random numbers between -1 and 1, the same in every run. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

describe('the trend', () => {
  it('of a linear ramp has its slope and the computed time to the limit', () => {
    // 10 GiB growing by 16 MiB/s: after 60 s, 18.8 GiB remain to the limit of 28.8 GiB.
    const trend = trendOf(ramp(61, 10 * GIB, 16 * 1024 ** 2));
    expect(trend.direction).toBe('rising');
    expect(trend.slopePerSecond).toBeCloseTo(16 * 1024 ** 2, 0);
    const missing = 0.9 * TOTAL - (10 * GIB + 60 * 16 * 1024 ** 2);
    expect(trend.timeToLimitMs).toBeCloseTo((missing / (16 * 1024 ** 2)) * 1000, -1);
  });

  it('is not affected by a spike', () => {
    const clean = ramp(60, 10 * GIB, 1024 ** 2);
    const spiked = clean.map((value, index) => (index === 40 ? value + 15 * GIB : value));
    expect(trendOf(spiked).slopePerSecond).toBeCloseTo(trendOf(clean).slopePerSecond ?? 0, -3);
  });

  it('treats a model load as a step, not as a slope', () => {
    const loaded = [...ramp(60, 10 * GIB, 0), ...ramp(60, 18 * GIB, 0)];
    const trend = trendOf(loaded);
    expect(trend).toMatchObject({ direction: 'steady', timeToLimitMs: null });
    expect(trend.level).toBeCloseTo(18 * GIB, -3);
  });

  it('is unknown right after a step', () => {
    expect(trendOf([...ramp(60, 10 * GIB, 0), ...ramp(4, 18 * GIB, 0)]).direction).toBe('unknown');
  });

  it.each([0, 1, 2, 7])('is unknown for %i points', (count) => {
    expect(trendOf(ramp(count, GIB, GIB / 10))).toMatchObject({
      direction: 'unknown',
      slopePerSecond: null,
      timeToLimitMs: null,
      timeToLimitInterval: null,
    });
  });

  it('is unknown for many points in a short time', () => {
    const crowded = ramp(50, GIB, 1).map((mean, index) => ({
      startMs: index * 100,
      durationMs: 100,
      atMs: index * 100,
      min: mean,
      mean,
      max: mean,
      count: 1,
    }));
    expect(describeTrend('ram', crowded, TOTAL, 0.9, 4900).direction).toBe('unknown');
  });

  it('of noise is steady, without a time to the limit', () => {
    const random = noise(7);
    const trend = trendOf(ramp(120, 20 * GIB, 0).map((value) => value + random() * GIB));
    expect(trend).toMatchObject({ direction: 'steady', timeToLimitMs: null });
  });

  it('falls while memory is freed', () => {
    expect(trendOf(ramp(60, 20 * GIB, -32 * 1024 ** 2))).toMatchObject({
      direction: 'falling',
      timeToLimitMs: null,
    });
  });

  it('counts the time to the limit from now, not from the last sample', () => {
    const values = ramp(61, 10 * GIB, 16 * 1024 ** 2);
    const at = (secondsLater: number) =>
      describeTrend('ram', seconds(values), TOTAL, 0.9, EPOCH_MS + (60 + secondsLater) * 1000);
    const now = at(0).timeToLimitMs ?? 0;
    expect(at(10).timeToLimitMs).toBeCloseTo(now - 10_000, -1);
    expect(at(16)).toMatchObject({ direction: 'unknown', timeToLimitMs: null });
  });

  it.each([
    [300_000, 1000],
    [2 * 3_600_000, 1000],
    [24 * 3_600_000, 5000],
  ])('forecasts exactly over a window of %i ms', (windowMs, everyMs) => {
    const history = createHistory();
    // At the last sample the limit is 30 s away.
    const perMs = (0.9 * TOTAL) / (windowMs + 30_000);
    let atMs = 0;
    for (; atMs <= windowMs; atMs += everyMs) {
      const snapshot = snapshotWith({
        timestampMs: EPOCH_MS + atMs,
        totalBytes: TOTAL,
        availableBytes: TOTAL - perMs * atMs,
      });
      history.record(snapshot, atMs);
    }
    const lastMs = atMs - everyMs;
    const buckets = history.buckets('ram', windowMs, lastMs);
    const nowMs = history.toEpochMs(lastMs);
    const { timeToLimitMs } = describeTrend('ram', buckets, TOTAL, 0.9, nowMs);
    expect((timeToLimitMs ?? 0) / 1000).toBeCloseTo(30, 0);
  });

  it('is unknown for a total of 0, as on a machine without swap', () => {
    const buckets = seconds(ramp(60, 0, 0));
    expect(describeTrend('swap', buckets, 0, 0.9, EPOCH_MS + 59_000).timeToLimitMs).toBeNull();
  });

  it('has a time to the limit of 0 above the limit', () => {
    expect(trendOf(ramp(60, 30 * GIB, 0))).toMatchObject({
      timeToLimitMs: 0,
      timeToLimitInterval: { lowMs: 0, highMs: 0 },
    });
  });

  it('forecasts noisy ramps within 10 % in the median, with most true times inside the interval', () => {
    const errors: number[] = [];
    let inside = 0;
    const RUNS = 200;
    for (let seed = 1; seed <= RUNS; seed += 1) {
      const random = noise(seed);
      const perSecond = (20 + (seed % 30)) * 1024 ** 2;
      const clean = ramp(120, 6 * GIB, perSecond);
      const trend = trendOf(clean.map((value) => value + random() * 0.25 * GIB));
      const truth = ((0.9 * TOTAL - (clean.at(-1) ?? 0)) / perSecond) * 1000;
      errors.push(Math.abs((trend.timeToLimitMs ?? Number.POSITIVE_INFINITY) - truth) / truth);
      const { lowMs, highMs } = trend.timeToLimitInterval ?? { lowMs: 0, highMs: 0 };
      if (lowMs <= truth && truth <= (highMs ?? Number.POSITIVE_INFINITY)) inside += 1;
    }
    expect(median(errors)).toBeLessThan(0.1);
    expect(inside / RUNS).toBeGreaterThan(0.85);
  });
});

describe('the robust line', () => {
  it('passes through points on a line', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1000, max: 1000 }),
        fc.integer({ min: -1000, max: 1000 }),
        fc.integer({ min: 2, max: 60 }),
        (slope, intercept, count) => {
          const points = Array.from({ length: count }, (_, x) => ({ x, y: intercept + slope * x }));
          const line = fitLine(points);
          expect(line?.slope).toBeCloseTo(slope, 9);
          expect(line?.at(0)).toBeCloseTo(intercept, 6);
        },
      ),
    );
  });

  it('has its slope inside its interval', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 2, maxLength: 60 }),
        (values) => {
          const line = fitLine(values.map((y, x) => ({ x, y })));
          expect(line?.slopeLow).toBeLessThanOrEqual(line?.slope ?? 0);
          expect(line?.slopeHigh).toBeGreaterThanOrEqual(line?.slope ?? 0);
        },
      ),
    );
  });

  it('is null for one point', () => {
    expect(fitLine([{ x: 1, y: 1 }])).toBeNull();
  });
});
