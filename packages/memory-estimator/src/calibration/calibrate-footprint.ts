import { isSameLoadConfig, totalBytesOf, type Footprint } from '@mai/memory-ledger';
import { fromMeasurements } from './from-measurements.js';
import { fromNeighbours } from './from-neighbours.js';
import { sameEngine, type CalibrationTarget, type Observation } from './observation.js';

/**
 * Corrects a footprint by measured loads of this machine. Returns the same object where no observation
 * applies to it.
 *
 * If this load was measured (same model, load configuration and engine version), the weighted median of the
 * measurements replaces everything but the mapped weights. `source` is then `measured`, and the confidence is
 * `high`, or `medium` where only free memory was measured.
 *
 * Otherwise each pool (RAM, each GPU) is shifted by `m * n / (n + 1)`. n is the number of neighbours: loads of the
 * same model with other settings, of other models, and on other versions of the engine. m is the weighted median of
 * their measured minus predicted bytes. The shift adds at most the larger of half the pool and 1.5 GiB, and removes
 * at most a quarter of the pool. Source and confidence stay.
 *
 * The interval covers 90 % of the loads. Its half-width is `s * sqrt(1 + 1 / n) + h + d`. s is 2.44 median
 * deviations (1.645 / 0.6745, for a normal distribution), and at least the difference between repeated loads. h is
 * the part of m that `n / (n + 1)` leaves out, and d is the drift between versions. An error below
 * minus the size of the pool counts as minus that size. The interval is `null` only if
 * the footprint has no interval and this load was not measured.
 *
 * Buffers that an engine printed leave out the memory of the engine's process. They are used only if no load was
 * measured whole. The upper end then keeps its distance from the estimate.
 *
 * @param footprint The footprint before any correction. A second correction would count the measurements twice.
 * @param observations Observations of this machine. Observations of an engine with another name are ignored.
 */
export function calibrateFootprint(
  footprint: Footprint,
  target: CalibrationTarget,
  observations: readonly Observation[],
): Footprint {
  const onEngine = observations.filter(({ engine }) => engine.name === target.engine.name);
  const same = onEngine.filter(
    ({ engine, modelKey, loadConfig }) =>
      sameEngine(engine, target.engine) &&
      modelKey === target.modelKey &&
      isSameLoadConfig(loadConfig, target.loadConfig),
  );
  return (
    correctBy(footprint, same, fromMeasurements) ??
    correctBy(footprint, onEngine, (one, neighbours) => fromNeighbours(one, target, neighbours)) ??
    footprint
  );
}

/**
 * Corrects a footprint by the loads that were measured whole, or by printed buffers if no load was measured whole.
 */
function correctBy(
  footprint: Footprint,
  observations: readonly Observation[],
  correct: (footprint: Footprint, observations: readonly Observation[]) => Footprint | null,
): Footprint | null {
  const whole = observations.filter(({ measured }) => measured.method !== 'buffers');
  const corrected = correct(footprint, whole.length > 0 ? whole : observations);
  if (corrected === null || whole.length > 0) return corrected;
  const { interval } = footprint;
  if (interval === null || corrected.interval === null) return corrected;
  const distance = Math.max(0, interval.highBytes - totalBytesOf(footprint));
  const highBytes = Math.max(corrected.interval.highBytes, totalBytesOf(corrected) + distance);
  return { ...corrected, interval: { ...corrected.interval, highBytes } };
}
