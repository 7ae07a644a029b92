import { totalBytesOf, type Footprint } from '@mai/memory-ledger';
import { ENGINE, footprintOf, GIB, MIB, observed, seeded } from '../../test/footprints.js';
import { ONE_SEQUENCE } from '../../test/load-config.js';
import { calibrateFootprint } from './calibrate-footprint.js';
import type { Observation } from './observation.js';

const TARGET = { modelKey: 'target', loadConfig: ONE_SEQUENCE, engine: ENGINE };
const MACHINES = 2000;

/**
 * A simulated machine. Its engine takes 40 to 400 MiB, models differ from their estimates by 1.5 %, and readings
 * scatter by 1 % and 20 MiB. Errors are normally distributed, with these standard deviations.
 */
function machineOf(seed: number) {
  const random = seeded(seed);
  const bell = () => Array.from({ length: 12 }, random).reduce((sum, one) => sum + one, -6);
  const ownMiB = 40 + 360 * random();
  const truth = (predictedMiB: number) => predictedMiB * (1 + 0.015 * bell()) + ownMiB;
  const read = (truthMiB: number) => truthMiB * (1 + 0.01 * bell()) + 20 * bell();
  const predictedMiB = () => 200 + 4000 * random();
  return { random, bell, truth, read, predictedMiB };
}

type Machine = ReturnType<typeof machineOf>;

function others(count: number, of: (index: number) => Observation): readonly Observation[] {
  return Array.from({ length: count }, (_, index) => of(index));
}

/** The share of simulated machines whose true figure lies within the interval. */
function share(
  learn: (here: Machine, truthMiB: number, predictedMiB: number) => readonly Observation[],
): number {
  return shareOf((here) => {
    const predictedMiB = here.predictedMiB();
    const truthMiB = here.truth(predictedMiB);
    const estimate = footprintOf(4000, predictedMiB);
    return {
      estimate: calibrateFootprint(estimate, TARGET, learn(here, truthMiB, predictedMiB)),
      truthBytes: (4000 + truthMiB) * MIB,
    };
  });
}

function shareOf(
  play: (here: Machine) => { readonly estimate: Footprint; readonly truthBytes: number },
): number {
  let inside = 0;
  for (let seed = 1; seed <= MACHINES; seed += 1) {
    const { estimate, truthBytes } = play(machineOf(seed));
    const { interval } = estimate;
    if (interval === null) throw new Error('An estimate without an interval.');
    if (truthBytes >= interval.lowBytes && truthBytes <= interval.highBytes) inside += 1;
  }
  return inside / MACHINES;
}

function neighbour(here: Machine, index: number, facts: Partial<Observation> = {}): Observation {
  const predictedMiB = here.predictedMiB();
  return observed(`other ${index}`, predictedMiB, here.read(here.truth(predictedMiB)), facts);
}

describe('the interval contains about 90 % of the true figures', () => {
  test.each([1, 2, 3, 4, 8, 20])('with %i neighbours', (count) => {
    const covered = share((here) => others(count, (index) => neighbour(here, index)));
    expect(covered).toBeGreaterThan(0.88);
    expect(covered).toBeLessThan(0.97);
  });

  test.each([4, 20])('with %i neighbours, a fifth of them outliers', (count) => {
    const covered = share((here) =>
      others(count, (index) =>
        index % 5 === 0
          ? observed(`wrong ${index}`, 1000, 1000 + 4000 * here.random())
          : neighbour(here, index),
      ),
    );
    expect(covered).toBeGreaterThan(0.88);
  });

  test.each([2, 8])(
    'with %i neighbours on another version, which takes up to 2 %% more or less',
    (count) => {
      const engine = { ...ENGINE, version: '1.49.0' };
      const covered = share((here) => {
        const drift = 1 + 0.02 * (2 * here.random() - 1);
        return others(count, (index) => {
          const predictedMiB = here.predictedMiB();
          const seenMiB = here.read(here.truth(predictedMiB * drift));
          return observed(`other ${index}`, predictedMiB, seenMiB, { engine });
        });
      });
      expect(covered).toBeGreaterThan(0.88);
      expect(covered).toBeLessThan(0.985);
    },
  );

  test.each([1, 3, 5])('with %i measurements of the same load', (count) => {
    const covered = share((here, truthMiB, predictedMiB) =>
      others(count, () => observed('target', predictedMiB, here.read(truthMiB))),
    );
    expect(covered).toBeGreaterThan(0.9);
  });

  test.each([1, 3])(
    'with %i readings of free memory, which other programs change by 100 MiB',
    (count) => {
      const covered = share((here, truthMiB, predictedMiB) =>
        others(count, () => {
          const seenMiB = Math.max(0, here.read(truthMiB) + 100 * here.bell());
          return observed('target', predictedMiB, seenMiB, {
            measured: { anonymousBytes: seenMiB * MIB, gpus: [], method: 'free-memory' },
          });
        }),
      );
      expect(covered).toBeGreaterThan(0.9);
    },
  );

  test.each([1, 4])('on a GPU where the back end takes memory too, with %i neighbours', (count) => {
    const deviceKey = 'GPU-1';
    const covered = shareOf((here) => {
      const contextMiB = 200 + 300 * here.random();
      const ramMiB = () => 100 + 400 * here.random();
      const gpuMiB = () => 1000 + 7000 * here.random();
      const onGpu = (predicted: number) => predicted * (1 + 0.015 * here.bell()) + contextMiB;
      const load = (ram: number, gpu: number) => ({
        anonymousBytes: ram * MIB,
        gpus: [{ deviceKey, bytes: gpu * MIB }],
      });
      const seen = others(count, (index) => {
        const [ram, gpu] = [ramMiB(), gpuMiB()];
        return observed(`other ${index}`, 0, 0, {
          predicted: load(ram, gpu),
          measured: {
            ...load(here.read(here.truth(ram)), here.read(onGpu(gpu))),
            method: 'process',
          },
        });
      });
      const [ram, gpu] = [ramMiB(), gpuMiB()];
      const estimate: Footprint = {
        ram: { mappedBytes: GIB, anonymousBytes: ram * MIB },
        gpus: [{ deviceKey, bytes: gpu * MIB }],
        interval: { coverage: 0.9, lowBytes: 0, highBytes: 2 * (GIB + (ram + gpu) * MIB) },
        source: 'gguf-header',
        growth: null,
        confidence: 'medium',
      };
      return {
        estimate: calibrateFootprint(estimate, TARGET, seen),
        truthBytes: GIB + (here.truth(ram) + onGpu(gpu)) * MIB,
      };
    });
    expect(covered).toBeGreaterThan(0.88);
  });

  test('without observations, with the interval of the header', () => {
    const estimate = footprintOf(100, 100);
    expect(calibrateFootprint(estimate, TARGET, [])).toBe(estimate);
    expect(share(() => [])).toBeGreaterThan(0.88);
  });

  test('is narrower with 20 neighbours than from the header alone', () => {
    const widthAfter = (count: number) => {
      const here = machineOf(1);
      const { interval } = calibrateFootprint(
        footprintOf(4000, 2000),
        TARGET,
        others(count, (index) => neighbour(here, index)),
      );
      return (interval?.highBytes ?? Infinity) - (interval?.lowBytes ?? 0);
    };
    expect(widthAfter(20)).toBeLessThan(widthAfter(0) / 2);
    expect(totalBytesOf(footprintOf(4000, 2000))).toBe(6000 * MIB);
  });
});
