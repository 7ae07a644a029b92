// The yardstick of the benchmarks: work that never changes. A slow or busy machine takes longer for this
// work, too. So the ratio of a measured time to the time of this work hardly depends on the machine.

const RECORDS = Array.from({ length: 60 }, (_, index) => ({
  modelKey: `yardstick/model-${index}`,
  sizeBytes: index * 1e8,
  tags: ['chat', 'tools'],
  loadConfig: { contextLengthTokens: 4096 + index, offloadRatio: index / 60, flashAttention: null },
}));
const ARITHMETIC_STEPS = 60_000;
const JSON_ROUNDS = 12;

/** Arithmetic, JSON, objects and a map: 1 to 2 ms on a core of 2020. Returns a number that depends on all of it. */
export function fixedWork() {
  let state = 1;
  for (let step = 0; step < ARITHMETIC_STEPS; step += 1) {
    state = (Math.imul(state ^ (state >>> 15), state | 1) + step) >>> 0;
  }
  let bytes = state % 7;
  for (let round = 0; round < JSON_ROUNDS; round += 1) {
    const byKey = new Map(
      JSON.parse(JSON.stringify(RECORDS)).map((record) => [record.modelKey, record]),
    );
    for (const { sizeBytes, tags } of byKey.values()) bytes += sizeBytes + tags.length;
  }
  return bytes;
}

/**
 * The wall-clock time of one unit of fixed work in milliseconds: the mean of `units` in a row. Use more
 * units beside a long measurement, so that other programs slow down both to the same degree.
 */
export function timeFixedWork(units = 5) {
  const startedMs = performance.now();
  for (let unit = 0; unit < units; unit += 1) fixedWork();
  return (performance.now() - startedMs) / units;
}

/** Runs the fixed work until it is fully compiled. Call it before the first measurement. */
export function warmUpFixedWork() {
  for (let round = 0; round < 60; round += 1) fixedWork();
}
