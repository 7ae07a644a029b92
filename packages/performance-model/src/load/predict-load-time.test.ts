import { predictLoadTime, type LoadQuestion } from './predict-load-time.js';

const GB = 1e9;
const FROM_DISK: LoadQuestion = {
  fileBytes: 12 * GB,
  gpuBytes: 12 * GB,
  diskBytesPerSecond: 2 * GB,
  isCached: false,
};
const CACHED: LoadQuestion = { ...FROM_DISK, isCached: true };

test.each([0, Number.NaN, Number.POSITIVE_INFINITY, 1e12])(
  'a load of %p ms is impossible and is left out',
  (loadMs) => {
    const possible = { ...FROM_DISK, loadMs: 12_000 };
    const withImpossible = [possible, { ...FROM_DISK, loadMs }];
    expect(predictLoadTime(FROM_DISK, withImpossible)).toEqual(
      predictLoadTime(FROM_DISK, [possible]),
    );
  },
);

describe('the time of a load', () => {
  test('12 GB from a disk of 2 GB/s to the GPU at 6 GB/s: 1 s to start, 6 s to read, 2 s to copy', () => {
    const { expected, parts, correction } = predictLoadTime(FROM_DISK);
    expect(parts).toEqual({ start: 1000, disk: 6000, pageCache: 0, copy: 2000 });
    expect(expected).toBeCloseTo(9000, 6);
    expect(correction).toBe(1);
  });

  test('the same from the page cache at 6 GB/s: 2 s to read', () => {
    const { expected, parts } = predictLoadTime(CACHED);
    expect(parts).toEqual({ start: 1000, disk: 0, pageCache: 2000, copy: 2000 });
    expect(expected).toBeCloseTo(5000, 6);
  });

  test('nothing is copied on unified memory', () => {
    expect(predictLoadTime({ ...CACHED, gpuBytes: 0 }).expected).toBeCloseTo(3000, 6);
  });

  test('the interval: errors of .7/9 by the start, .25 x 6/9 by the disk, .6 x 2/9 by the copy, and .15', () => {
    const { expected, low, high } = predictLoadTime(FROM_DISK);
    // The root of .0778^2 + .1667^2 + .1333^2 + .15^2 is .2723; 1.7 of it is .4629.
    expect(high / expected).toBeCloseTo(Math.exp(0.4629), 3);
    expect(expected / low).toBeCloseTo(Math.exp(0.4629), 3);
  });

  test('a disk whose speed is not known is taken for a common SSD, with a wider interval', () => {
    const known = predictLoadTime(FROM_DISK);
    const unknown = predictLoadTime({ ...FROM_DISK, diskBytesPerSecond: null });
    expect(unknown.expected).toBeCloseTo(9000, 6);
    expect(unknown.high / unknown.low).toBeGreaterThan(1.5 * (known.high / known.low));
  });

  test('where the page cache is not known, the interval reaches from the cache to the disk', () => {
    const { expected, low, high } = predictLoadTime({ ...FROM_DISK, isCached: null });
    const fromDisk = predictLoadTime(FROM_DISK);
    expect([expected, high]).toEqual([fromDisk.expected, fromDisk.high]);
    expect(low).toBe(predictLoadTime(CACHED).low);
  });
});

describe('after a load', () => {
  test('of the same kind that took 1.5 times the prediction, the next is predicted to take 1.5^0.787 times as long', () => {
    const seen = [{ ...FROM_DISK, loadMs: 13_500 }];
    // The usual variance .0516 grows by (1 + ln(1.5)^2 / .0741) / 2 = 1.609 to .0830.
    // .0830 / (.0830 + .0225) is .787, and 1.5^.787 is 1.3758.
    expect(predictLoadTime(FROM_DISK, seen).correction).toBeCloseTo(1.3758, 3);
    expect(predictLoadTime(FROM_DISK, seen).expected).toBeCloseTo(9000 * 1.3758, -1);
  });

  test('from a slow disk, loads from the page cache hardly change', () => {
    const unknown = { ...FROM_DISK, diskBytesPerSecond: null };
    const seen = [{ ...unknown, fileBytes: 60 * GB, loadMs: 300_000 }];
    expect(predictLoadTime(unknown, seen).correction).toBeGreaterThan(3);
    expect(predictLoadTime({ ...CACHED, diskBytesPerSecond: null }, seen).correction).toBeLessThan(
      1.2,
    );
  });

  test('a slow start of a small model does not make a large model slow to read', () => {
    const small = { ...CACHED, fileBytes: 0.3 * GB, gpuBytes: 0.3 * GB };
    const seen = [1, 2, 3].map(() => ({ ...small, loadMs: 3300 }));
    expect(predictLoadTime(small, seen).correction).toBeGreaterThan(2.5);
    expect(predictLoadTime({ ...FROM_DISK, fileBytes: 60 * GB }, seen).correction).toBeLessThan(
      1.2,
    );
  });

  test('the interval narrows with each load', () => {
    const widths = [0, 1, 5].map((count) => {
      const seen = Array.from({ length: count }, () => ({ ...CACHED, loadMs: 5000 }));
      const { low, high } = predictLoadTime(CACHED, seen);
      return high / low;
    });
    expect(widths).toEqual([...widths].sort((a, b) => b - a));
    expect(new Set(widths).size).toBe(3);
  });

  test('with an unknown page cache, its time shows whether the files were cached', () => {
    const unknown = { ...FROM_DISK, isCached: null };
    const fast = [{ ...unknown, loadMs: 4000 }];
    expect(predictLoadTime(CACHED, fast)).toEqual(
      predictLoadTime(CACHED, [{ ...CACHED, loadMs: 4000 }]),
    );
    const slow = [{ ...unknown, loadMs: 12_000 }];
    expect(predictLoadTime(FROM_DISK, slow)).toEqual(
      predictLoadTime(FROM_DISK, [{ ...FROM_DISK, loadMs: 12_000 }]),
    );
  });
});
