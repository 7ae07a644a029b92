import type { Footprint } from '../estimate/footprint.js';
import type { CalibrationTarget } from './calibration-target.js';
import { fromMeasurements } from './from-measurements.js';
import { fromNeighbours } from './from-neighbours.js';
import { sameEngine, sameLoadConfig, type Observation } from './observation.js';

/**
 * A footprint corrected by what loads really took on this machine; the very same object where nothing that
 * was seen says anything about it.
 *
 * The same model, load configuration and engine version: the weighted median of what was measured takes the
 * place of everything but the mapped weights (`source` is `measured`; confidence `high`, or `medium` where
 * the engine's process was never seen).
 *
 * Otherwise, each pool of memory (RAM, each GPU) is shifted by `m * n / (n + 1)`, where m is the weighted
 * median of measured minus predicted bytes over n neighbours: other settings of the same model, other models
 * on the same engine, other versions of it. At most the larger of half the pool and 1.5 GiB is added, at
 * most a quarter taken off; source and confidence stay.
 *
 * The interval covers nine of ten truths: 2.44 median deviations (1.645 / 0.6745, a bell curve's) and never
 * less than what repeated loads differ by, times the square root of `1 + 1 / n`, with room for what
 * `n / (n + 1)` held back and for the drift of versions. It is null only where the footprint's was and no
 * measurement stands.
 *
 * @param footprint Before any correction; corrected twice, it would learn from itself.
 * @param observations Of this host. Those of engines with another name are passed over.
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
      sameLoadConfig(loadConfig, target.loadConfig),
  );
  return fromMeasurements(footprint, same) ?? fromNeighbours(footprint, target, onEngine);
}
