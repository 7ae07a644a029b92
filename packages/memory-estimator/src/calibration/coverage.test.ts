import { ENGINE, footprintOf, MIB, observed, seeded } from '../../test/footprints.js';
import { ONE_SEQUENCE } from '../../test/load-config.js';
import { calibrateFootprint } from './calibrate-footprint.js';
import type { Observation } from './observation.js';

const TARGET = { modelKey: 'target', loadConfig: ONE_SEQUENCE, engine: ENGINE };

/**
 * Machines whose engine takes from 40 to 400 MiB of its own, with versions that drift by 1.5 % of what is
 * computed, and readings that scatter by 1 % and 20 MiB.
 */
function machineOf(seed: number) {
  const random = seeded(seed);
  const bell = () => Array.from({ length: 12 }, random).reduce((sum, one) => sum + one, -6);
  const ownMiB = 40 + 360 * random();
  const truth = (predictedMiB: number) => predictedMiB * (1 + 0.015 * bell()) + ownMiB;
  const read = (truthMiB: number) => truthMiB * (1 + 0.01 * bell()) + 20 * bell();
  return { random, truth, read };
}

function share(
  machines: number,
  learn: (here: ReturnType<typeof machineOf>, truthMiB: number) => readonly Observation[],
): number {
  let inside = 0;
  for (let seed = 1; seed <= machines; seed += 1) {
    const here = machineOf(seed);
    const predictedMiB = 200 + 4000 * here.random();
    const truthMiB = here.truth(predictedMiB);
    const estimate = calibrateFootprint(
      footprintOf(4000, predictedMiB),
      TARGET,
      learn(here, truthMiB),
    );
    const { lowBytes, highBytes } = estimate.interval ?? { lowBytes: 0, highBytes: 0 };
    const truthBytes = (4000 + truthMiB) * MIB;
    if (truthBytes >= lowBytes && truthBytes <= highBytes) inside += 1;
  }
  return inside / machines;
}

describe('about nine of ten truths lie inside the interval', () => {
  test.each([1, 2, 4, 8, 20])('with %i neighbours', (count) => {
    const covered = share(2000, (here) =>
      Array.from({ length: count }, (_, index) => {
        const predictedMiB = 200 + 4000 * here.random();
        return observed(`other ${index}`, predictedMiB, here.read(here.truth(predictedMiB)));
      }),
    );
    expect(covered).toBeGreaterThan(0.87);
    expect(covered).toBeLessThan(0.97);
  });

  test.each([1, 3, 5])('with %i measurements of the very load', (count) => {
    const covered = share(2000, (here, truthMiB) =>
      Array.from({ length: count }, () => observed('target', 1000, here.read(truthMiB))),
    );
    expect(covered).toBeGreaterThan(0.9);
  });

  test('without any the interval of the header stands', () => {
    expect(calibrateFootprint(footprintOf(100, 100), TARGET, [])).toEqual(footprintOf(100, 100));
    expect(share(2000, () => [])).toBeGreaterThan(0.87);
  });
});
