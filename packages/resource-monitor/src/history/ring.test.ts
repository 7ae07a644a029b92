import fc from 'fast-check';
import { createRing } from './ring.js';

describe('the ring', () => {
  it('keeps min, mean and max of each interval', () => {
    const ring = createRing(1000, 10);
    for (const [atMs, value] of [
      [100, 4],
      [500, 2],
      [999, 9],
      [1000, 7],
    ] as const)
      ring.push(atMs, value);
    expect(ring.since(0)).toEqual([
      { startMs: 0, durationMs: 1000, atMs: 533, min: 2, mean: 5, max: 9, count: 3 },
      { startMs: 1000, durationMs: 1000, atMs: 1000, min: 7, mean: 7, max: 7, count: 1 },
    ]);
  });

  it('drops intervals older than its length, also after a gap', () => {
    const ring = createRing(1000, 3);
    for (let second = 0; second < 5; second += 1) ring.push(second * 1000, second);
    expect(ring.since(0).map(({ startMs }) => startMs)).toEqual([2000, 3000, 4000]);
    ring.push(60_000, 60);
    expect(ring.since(0).map(({ startMs }) => startMs)).toEqual([60_000]);
    ring.push(2000, 1);
    expect(ring.since(0)).toHaveLength(1);
  });

  it('holds at most its capacity, in order, with the newest sample', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(100_000), fc.integer()), { minLength: 1, maxLength: 200 }),
        (samples) => {
          const ring = createRing(1000, 7);
          const inOrder = [...samples].sort(([one], [other]) => one - other);
          for (const [atMs, value] of inOrder) ring.push(atMs, value);
          const buckets = ring.since(0);
          expect(buckets.length).toBeLessThanOrEqual(7);
          expect(buckets.map(({ startMs }) => startMs)).toEqual(
            buckets.map(({ startMs }) => startMs).sort((one, other) => one - other),
          );
          const [lastAtMs] = inOrder.at(-1) ?? [0];
          expect(buckets.at(-1)?.startMs).toBe(Math.floor(lastAtMs / 1000) * 1000);
          for (const { min, mean, max } of buckets) {
            expect(min).toBeLessThanOrEqual(mean);
            expect(mean).toBeLessThanOrEqual(max);
          }
        },
      ),
    );
  });
});
