import { timeFixedWork, warmUpFixedWork } from './fixed-work.mjs';
import { median, quantile } from './statistics.mjs';

/**
 * Measures cases in turns with the yardstick, so that a slow moment of the machine slows both.
 *
 * In each round every case runs once, between two runs of the yardstick. The ratio of a case is its time
 * divided by the mean time of these two runs. `warmUp` rounds are not counted.
 *
 * @param cases objects with `run` and, if needed, `prepare`, which runs before `run` and is not timed. The
 *   result also has the other fields of the case
 * @param options `rounds`; `warmUp`, default 1; `yardstick`, which returns its own time in milliseconds,
 *   default the fixed work
 * @returns for each case `medianMs`, `p95Ms`, and `ratio`, the median of the ratios. High quantiles of the
 *   ratios are left out, because they depend on the machine more than on the case
 */
export async function takeTurns(cases, { rounds, warmUp = 1, yardstick = timeFixedWork }) {
  warmUpFixedWork();
  const measured = cases.map((one) => ({ ...one, timesMs: [], ratios: [] }));
  for (let round = -warmUp; round < rounds; round += 1) {
    let beforeMs = yardstick();
    for (const one of measured) {
      await one.prepare?.();
      const timeMs = await timed(one.run);
      const afterMs = yardstick();
      if (round >= 0) {
        one.timesMs.push(timeMs);
        one.ratios.push((2 * timeMs) / (beforeMs + afterMs));
      }
      beforeMs = afterMs;
    }
  }
  return measured.map(({ timesMs, ratios, ...one }) => ({
    ...one,
    medianMs: median(timesMs),
    p95Ms: quantile(timesMs, 0.95),
    ratio: median(ratios),
  }));
}

/** The wall-clock time of the work in milliseconds. */
export async function timed(work) {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/**
 * The time of the work in milliseconds, and its ratio to the fixed work, which is measured before and after
 * it.
 */
export async function timedWithYardstick(work) {
  const beforeMs = timeFixedWork();
  const ms = await timed(work);
  return { ms, ratio: (2 * ms) / (beforeMs + timeFixedWork()) };
}
