import { arcStatistics } from '../../test/machines/machine.js';
import { parseEvictableBytes } from './zfs-arc.js';

const evictable = (size: number, minimum: number, clean: number): number | null =>
  parseEvictableBytes(
    arcStatistics({
      mru_evictable_data: clean,
      mru_evictable_metadata: 0,
      mfu_evictable_data: 0,
      mfu_evictable_metadata: 0,
      arc_meta_used: 7,
      size,
      c_min: minimum,
    }),
  );

describe("the evictable part of ZFS's cache", () => {
  it.each([
    // 30 of 100 bytes are dirty or in use. If the minimum is above 30, more than these 30 bytes stay.
    [100, 0, 70, 70],
    [100, 29, 70, 70],
    [100, 30, 70, 70],
    [100, 31, 70, 69],
    [100, 100, 70, 0],
    [100, 101, 70, 0],
    [0, 20, 0, 0],
  ])(
    'of %d bytes with a minimum of %d and %d clean bytes is %d',
    (size, minimum, clean, expected) => {
      expect(evictable(size, minimum, clean)).toBe(expected);
    },
  );

  it('adds up data and metadata of both lists', () => {
    const text = arcStatistics({
      mru_evictable_data: 1,
      mru_evictable_metadata: 20,
      mfu_evictable_data: 300,
      mfu_evictable_metadata: 4000,
      size: 9000,
      c_min: 10,
    });
    expect(parseEvictableBytes(text)).toBe(4321);
  });

  it('is unknown without the counters', () => {
    expect(parseEvictableBytes(null)).toBeNull();
    expect(parseEvictableBytes(arcStatistics({ size: 100, c_min: 10 }))).toBeNull();
    expect(parseEvictableBytes('garbage')).toBeNull();
  });
});
