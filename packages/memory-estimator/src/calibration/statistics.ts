const MIB = 1024 * 1024;

/** 90 % of a normal distribution lie within this number of median deviations: 1.645 / 0.6745. */
const DEVIATIONS = 2.44;
/**
 * Repeated loads differ by at least this share, because of allocators, thread stacks and other pages of the engine.
 */
const REPEAT_SHARE = 0.012;
const REPEAT_BYTES = 32 * MIB;
/** The share for readings of free memory is larger, because other programs change free memory too. */
const FREE_MEMORY_SHARE = 0.1;
const FREE_MEMORY_BYTES = 256 * MIB;

/** A value and its weight. */
export interface Weighted {
  readonly value: number;
  readonly weight: number;
}

/**
 * The weighted median: half of the weight is below it. Outliers with less than half of the weight barely move it.
 */
export function weightedMedian(values: readonly Weighted[]): number {
  const sorted = [...values].sort((a, b) => a.value - b.value);
  const half = sorted.reduce((sum, { weight }) => sum + weight, 0) / 2;
  let passed = 0;
  for (const [index, { value, weight }] of sorted.entries()) {
    passed += weight;
    if (passed > half) return value;
    // Exactly half of the weight lies at or below this value, so every number from here to the next value is a
    // median.
    if (passed === half) return (value + (sorted[index + 1]?.value ?? value)) / 2;
  }
  return 0;
}

/**
 * Half the width of the range that holds nine of ten values around a centre, computed from the values alone.
 */
export function scatterAround(values: readonly Weighted[], centre: number): number {
  const distances = values.map(({ value, weight }) => ({
    value: Math.abs(value - centre),
    weight,
  }));
  return DEVIATIONS * weightedMedian(distances);
}

/**
 * The minimum scatter of readings of this size, in bytes. It applies even if the known readings agree better.
 *
 * @param processSeen Whether at least one reading is of the engine's process rather than of free memory.
 */
export function repeatFloor(bytes: number, processSeen: boolean): number {
  return processSeen
    ? REPEAT_SHARE * bytes + REPEAT_BYTES
    : FREE_MEMORY_SHARE * bytes + FREE_MEMORY_BYTES;
}
