const BYTES_PER_MIB = 1_048_576;
/** llama.cpp's log has two decimals of MiB. */
export const LOG_ROUNDING_BYTES = 0.0101 * BYTES_PER_MIB;

/** How far an estimate is off, in bytes and as a share of the truth. */
export function error(estimated, truth) {
  return {
    bytes: estimated - truth,
    ratio: truth === 0 ? (estimated === 0 ? 0 : Infinity) : (estimated - truth) / truth,
  };
}

/** Against a figure of the log, rounded as it is. */
export function logError(estimated, mib) {
  const truth = mib * BYTES_PER_MIB;
  return Math.abs(estimated - truth) <= LOG_ROUNDING_BYTES
    ? { bytes: 0, ratio: 0 }
    : error(estimated, truth);
}
