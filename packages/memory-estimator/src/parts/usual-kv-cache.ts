/** KV cache: models of 1 to 30 GB keep 30 to 150 KiB for each token. */
const BYTES_PER_TOKEN = 96 * 1024;
const LARGEST_CONTEXT_COUNTED = 131_072;

/** Upper end of the interval, because models with wide caches take several times the usual KV cache. */
export const UPPER_FACTOR = 3;

/** The usual KV cache of one sequence of a model of unknown shape, in bytes. */
export function usualKvCacheBytes(contextLengthTokens: number): number {
  return BYTES_PER_TOKEN * Math.min(contextLengthTokens, LARGEST_CONTEXT_COUNTED);
}

/** The most that the KV cache of one sequence of a model of unknown shape may take, in bytes. */
export function mostUsualKvCacheBytes(contextLengthTokens: number): number {
  return (1 + UPPER_FACTOR) * usualKvCacheBytes(contextLengthTokens);
}
