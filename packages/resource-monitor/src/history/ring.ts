/** The samples of one time interval. */
export interface RingBucket {
  /** Start of the interval, on the clock of the samples. */
  readonly startMs: number;
  readonly durationMs: number;
  /** Mean time of its samples. */
  readonly atMs: number;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  /** Number of samples. */
  readonly count: number;
}

/** Buckets of equal width in memory of fixed size. The newest bucket overwrites the oldest. */
export interface Ring {
  readonly bucketMs: number;
  readonly capacity: number;
  push(atMs: number, value: number): void;
  /** The buckets that began at or after `fromMs`, oldest first, without empty buckets. */
  since(fromMs: number): RingBucket[];
}

export function createRing(bucketMs: number, capacity: number): Ring {
  // For each slot the number of its interval, counted from time 0 of the clock; NaN for an empty slot.
  const indexes = new Float64Array(capacity).fill(Number.NaN);
  const mins = new Float64Array(capacity);
  const maxes = new Float64Array(capacity);
  const sums = new Float64Array(capacity);
  const counts = new Uint32Array(capacity);
  /** Sums of the sample times, relative to the start of the interval. */
  const offsetSums = new Float64Array(capacity);
  let newest = Number.NEGATIVE_INFINITY;

  return {
    bucketMs,
    capacity,
    push(atMs, value) {
      const index = Math.floor(atMs / bucketMs);
      // The sample is older than all buckets, because its slot already holds a later interval.
      if (index <= newest - capacity) return;
      newest = Math.max(newest, index);
      const slot = ((index % capacity) + capacity) % capacity;
      if (indexes[slot] !== index) {
        indexes[slot] = index;
        mins[slot] = maxes[slot] = sums[slot] = value;
        counts[slot] = 1;
        offsetSums[slot] = atMs - index * bucketMs;
        return;
      }
      mins[slot] = Math.min(mins[slot] ?? value, value);
      maxes[slot] = Math.max(maxes[slot] ?? value, value);
      sums[slot] = (sums[slot] ?? 0) + value;
      counts[slot] = (counts[slot] ?? 0) + 1;
      offsetSums[slot] = (offsetSums[slot] ?? 0) + atMs - index * bucketMs;
    },
    since(fromMs) {
      const buckets: RingBucket[] = [];
      const oldest = newest - capacity + 1;
      for (let slot = 0; slot < capacity; slot += 1) {
        const index = indexes[slot] ?? Number.NaN;
        const startMs = index * bucketMs;
        // After a gap, slots can still hold intervals that are too old.
        if (Number.isNaN(index) || index < oldest || startMs < fromMs) continue;
        const count = counts[slot] ?? 0;
        buckets.push({
          startMs,
          durationMs: bucketMs,
          atMs: startMs + (offsetSums[slot] ?? 0) / count,
          min: mins[slot] ?? 0,
          mean: (sums[slot] ?? 0) / count,
          max: maxes[slot] ?? 0,
          count,
        });
      }
      return buckets.sort((one, other) => one.startMs - other.startMs);
    },
  };
}
