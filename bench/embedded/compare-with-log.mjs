const MIB = 1024 ** 2;
/** The log has two decimals of MiB for each buffer. */
const ROUNDING_MIB = 0.005 + 1e-9;

const PARTS = {
  weightsBytes: /_Mapped model buffer size = +([\d.]+) MiB/,
  repackBytes: /_REPACK model buffer size = +([\d.]+) MiB/,
  kvCacheBytes: / KV buffer size = +([\d.]+) MiB/,
  recurrentStateBytes: / RS buffer size = +([\d.]+) MiB/,
  computeBytes: / compute buffer size = +([\d.]+) MiB/,
  outputBytes: / output buffer size = +([\d.]+) MiB/,
};

/**
 * Returns the parts that differ from llama.cpp's log by more than the log's rounding.
 *
 * @param bufferLines The lines of the log that name the size of a buffer.
 */
export function compareWithLog(parts, bufferLines) {
  return Object.entries(PARTS).flatMap(([part, pattern]) => {
    const sizes = bufferLines.flatMap((line) => pattern.exec(line)?.[1] ?? []).map(Number);
    const logMib = sizes.reduce((sum, size) => sum + size, 0);
    const difference = Math.abs(parts[part] - logMib * MIB);
    const isEqual = difference <= sizes.length * ROUNDING_MIB * MIB;
    return isEqual ? [] : [{ part, estimatedBytes: parts[part], logMib }];
  });
}
