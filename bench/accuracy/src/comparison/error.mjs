const BYTES_PER_MIB = 1_048_576;
/** llama.cpp's log has two decimals of MiB. */
export const LOG_ROUNDING_BYTES = 0.0101 * BYTES_PER_MIB;

/** The error of an estimate, in bytes and relative to the truth. */
export function error(estimated, truth) {
  return {
    bytes: estimated - truth,
    ratio: truth === 0 ? (estimated === 0 ? 0 : Infinity) : (estimated - truth) / truth,
  };
}

/** The error relative to a figure of the log; 0 if the difference is within the log's rounding. */
export function logError(estimated, mib) {
  const truth = mib * BYTES_PER_MIB;
  return Math.abs(estimated - truth) <= LOG_ROUNDING_BYTES
    ? { bytes: 0, ratio: 0 }
    : error(estimated, truth);
}
