import { medianDeviation, type Weighted } from './robust.js';

const MIB = 1024 * 1024;

/** A median deviation times this spans nine of ten values of a bell curve (1.645 / 0.6745). */
const DEVIATIONS = 2.44;
/** Repeated loads differ by this at least: allocators, thread stacks, other pages of the engine. */
const REPEAT_SHARE = 0.012;
const REPEAT_BYTES = 32 * MIB;
/** Free memory is everybody's. */
const FREE_MEMORY_SHARE = 0.1;
const FREE_MEMORY_BYTES = 256 * MIB;

/** How far nine of ten values lie from their centre, going by the values alone. */
export function scatterAround(values: readonly Weighted[], centre: number): number {
  return DEVIATIONS * medianDeviation(values, centre);
}

/** The least that readings of this size scatter by, however well the ones seen agree. */
export function repeatFloor(bytes: number, processSeen: boolean): number {
  return processSeen
    ? REPEAT_SHARE * bytes + REPEAT_BYTES
    : FREE_MEMORY_SHARE * bytes + FREE_MEMORY_BYTES;
}
