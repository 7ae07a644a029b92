// Random courses of the others' use: walks, levels and programs that come and go. The same seed gives the same trace.
// The autopilot was tuned on `TUNED` with odd seeds. `HELD_BACK` was not looked at before its figures were reported.
import { createRandom } from '../yardstick/random.mjs';
const GIB = 1024 ** 3;
const END_S = 8 * 3600;
const STEP_S = 10;

const normal = (random) =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const exponential = (random, mean) => -mean * Math.log(1 - random());
/** A lognormal number with this median. */
const lognormal = (random, median, spread) => median * Math.exp(spread * normal(random));
const between = (random, low, high) => low + (high - low) * random();

/** Keeps a value within bounds by reflection. */
function reflect(value, low, high) {
  if (value < low) return Math.min(high, 2 * low - value);
  return value > high ? Math.max(low, 2 * high - value) : value;
}

/** A random walk with a step of `sigma` GiB every ten seconds. */
const walk =
  ({ sigma, low = 4, high = 16 }) =>
  (random) => {
    let level = between(random, low, high);
    return eachStep(() => (level = reflect(level + sigma * normal(random), low, high)));
  };

/** A walk that returns to `mean` (Ornstein-Uhlenbeck). */
const returning =
  ({ mean = 9, deviation, tauS }) =>
  (random) => {
    const keep = Math.exp(-STEP_S / tauS);
    let off = deviation * normal(random);
    return eachStep(() => {
      off = keep * off + deviation * Math.sqrt(1 - keep * keep) * normal(random);
      return Math.max(2, mean + off);
    });
  };

/** Levels that are held for random times. */
const levels = (next) => (random) => {
  const points = [];
  for (let atS = 0, index = 0; atS < END_S; index += 1) {
    const { gib, forS } = next(random, index);
    points.push({ atS, gib });
    atS += Math.max(1, Math.round(forS));
  }
  return points;
};

const twoLevels = (length) =>
  levels((random, index) => ({
    gib: index % 2 === 0 ? between(random, 6, 8) : between(random, 11, 14),
    forS: length(random),
  }));

/** Programs that start at random and end after a random time. Each has a size of its own. */
const programs =
  ({ everyS, medianGib, medianS }) =>
  (random) => {
    const changes = [];
    for (let atS = 0; atS < END_S; atS += exponential(random, everyS)) {
      const gib = Math.min(8, lognormal(random, medianGib, 0.8));
      const endS = atS + lognormal(random, medianS, 1);
      changes.push({ atS, gib }, { atS: endS, gib: -gib });
    }
    changes.sort((one, other) => one.atS - other.atS);
    let level = 5;
    return changes.map(({ atS, gib }) => ({ atS, gib: (level += gib) }));
  };

function eachStep(next) {
  return Array.from({ length: END_S / STEP_S }, (_, index) => ({
    atS: index * STEP_S,
    gib: next(),
  }));
}

const CALM = { ratePerMinute: 2, meanSeconds: 6 };
const HEAVY = { ratePerMinute: 12, meanSeconds: 25 };
const MACHINES = {
  desktop: { ramGib: 32, gpus: () => [], ramOf: (gib) => gib },
  gpu: {
    ramGib: 64,
    gpus: (gib) => [{ totalBytes: 24 * GIB, othersBytes: Math.round(gib * GIB), unified: false }],
    ramOf: () => 10,
  },
  unified: {
    ramGib: 36,
    gpus: () => [{ totalBytes: 27 * GIB, othersBytes: 0, unified: true }],
    ramOf: (gib) => gib,
  },
};

function course(name, points, { machine = 'desktop', requests = CALM } = {}) {
  const { ramGib, gpus, ramOf } = MACHINES[machine];
  return {
    name,
    trace: (seed) => {
      const bySecond = new Map(
        points(createRandom(seed * 7919 + 17)).map(({ atS, gib }) => [Math.round(atS), gib]),
      );
      const rows = [...bySecond]
        .filter(([atS]) => atS < END_S)
        .map(([atS, gib]) => ({
          tMs: atS * 1000,
          ram: { totalBytes: ramGib * GIB, othersBytes: Math.round(ramOf(gib) * GIB) },
          gpus: gpus(gib),
          cpuOthersRatio: 0.1,
          onBattery: false,
          requests,
          events: [],
        }));
      return [...rows, { ...rows.at(-1), tMs: END_S * 1000 }];
    },
  };
}

export const TUNED = [
  course('walk', walk({ sigma: 0.4 })),
  course('walk-slow', walk({ sigma: 0.15 })),
  course('walk-wide', walk({ sigma: 0.6, low: 3, high: 20 })),
  course('returning', returning({ deviation: 2.5, tauS: 300 })),
  course('returning-slow', returning({ deviation: 2.5, tauS: 1800 })),
  course(
    'two-levels',
    twoLevels((random) => exponential(random, 480)),
  ),
  course('walk-gpu', walk({ sigma: 0.4, low: 1, high: 14 }), { machine: 'gpu' }),
  course('walk-unified', walk({ sigma: 0.4, low: 6, high: 18 }), { machine: 'unified' }),
  course('walk-heavy', walk({ sigma: 0.3 }), { requests: HEAVY }),
];

export const HELD_BACK = [
  course('programs', programs({ everyS: 400, medianGib: 1.2, medianS: 900 })),
  course('programs-short', programs({ everyS: 120, medianGib: 1, medianS: 240 })),
  course(
    'two-levels-uneven',
    twoLevels((random) => lognormal(random, 240, 1.5)),
  ),
  course(
    'levels',
    levels((random) => ({ gib: between(random, 4, 16), forS: exponential(random, 300) })),
  ),
  course('returning-gpu', returning({ mean: 7, deviation: 3, tauS: 900 }), { machine: 'gpu' }),
  course(
    'levels-heavy',
    levels((random) => ({ gib: between(random, 5, 14), forS: lognormal(random, 400, 1) })),
    {
      requests: HEAVY,
    },
  ),
];
