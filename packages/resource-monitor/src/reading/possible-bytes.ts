/** No machine has this much memory. Figures near 2^64 are negative figures that were printed without their sign. */
const IMPOSSIBLE_BYTES = 2 ** 60;

/** Whether a machine or a GPU can have this much memory, and a machine this much swap. */
export function isPossibleTotal(totalBytes: number): boolean {
  return totalBytes > 0 && totalBytes < IMPOSSIBLE_BYTES;
}
