/**
 * Physical addresses of x86-64 and ARM64 have at most 52 bits. Larger figures are negative ones that were printed without their
 * sign, or that overflowed in a conversion.
 */
const MOST_BYTES = 2 ** 52;

/** Whether a machine or a GPU can have this much memory, and a machine this much swap. */
export function isPossibleTotal(totalBytes: number): boolean {
  return totalBytes > 0 && totalBytes <= MOST_BYTES;
}
