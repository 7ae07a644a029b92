// Random traces of the others' use: walks, levels and programs that come and go. The same seed gives the same trace.
// The autopilot was tuned on `TUNED` with odd seeds. `HELD_BACK` was not looked at before its figures were reported.
import { createRandom } from '../../yardstick/random.mjs';
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
export const HEAVY = { ratePerMinute: 12, meanSeconds: 25 };
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

/** The share of a normal distribution below `z` standard deviations (Abramowitz and Stegun 26.2.17, error below 1e-7). */
export function normalBelow(z) {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const tail =
    (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return z > 0 ? 1 - tail : tail;
}

/** Rows of transitions between bins where the next level is normal around `meanOf(level)`; all mass stays within the bins. */
const normalSteps = (meanOf, sigma, bounds) => (levelOf, bins, binOf) =>
  Array.from({ length: bins }, (_, from) => {
    const mean = meanOf(levelOf(from));
    const half = (levelOf(1) - levelOf(0)) / 2;
    const shares = new Float64Array(bins);
    for (let to = -bins; to < 2 * bins; to += 1) {
      const level = levelOf(0) + to * 2 * half;
      const share =
        normalBelow((level + half - mean) / sigma) - normalBelow((level - half - mean) / sigma);
      if (share < 1e-9) continue;
      shares[binOf(bounds === null ? level : reflect(level, bounds.low, bounds.high))] += share;
    }
    return { start: 0, shares };
  });

const ofWalk = ({ sigma, low = 4, high = 16 }, machine = 'desktop') => ({
  machine,
  lowGib: low,
  highGib: high,
  everyS: STEP_S,
  transitions: normalSteps((level) => level, sigma, { low, high }),
});

const ofReturning = ({ mean = 9, deviation, tauS }, machine = 'desktop') => {
  const keep = Math.exp(-STEP_S / tauS);
  return {
    machine,
    lowGib: 2,
    highGib: mean + 4 * deviation,
    everyS: STEP_S,
    transitions: normalSteps(
      (level) => mean + keep * (level - mean),
      deviation * Math.sqrt(1 - keep * keep),
      null,
    ),
  };
};

/** Levels that are held for an exponential time. `nextOf` gives the bounds of the uniform next level. */
const ofLevels = ({ lowGib, highGib, meanS, nextOf }) => ({
  machine: 'desktop',
  lowGib,
  highGib,
  everyS: 1,
  transitions: (levelOf, bins) =>
    Array.from({ length: bins }, (_, from) => {
      const [low, high] = nextOf(levelOf(from));
      const change = 1 - Math.exp(-1 / meanS);
      const inside = Array.from(
        { length: bins },
        (_, to) => levelOf(to) >= low && levelOf(to) < high,
      );
      const count = inside.filter(Boolean).length;
      const shares = Float64Array.from(
        inside,
        (is, to) => (is ? change / count : 0) + (to === from ? 1 - change : 0),
      );
      return { start: 0, shares };
    }),
});

/** The exact statistics of the traces in which the next level depends on the present one only. */
export const STATISTICS = {
  walk: ofWalk({ sigma: 0.4 }),
  'walk-slow': ofWalk({ sigma: 0.15 }),
  'walk-wide': ofWalk({ sigma: 0.6, low: 3, high: 20 }),
  returning: ofReturning({ deviation: 2.5, tauS: 300 }),
  'returning-slow': ofReturning({ deviation: 2.5, tauS: 1800 }),
  'two-levels': ofLevels({
    lowGib: 6,
    highGib: 14,
    meanS: 480,
    nextOf: (level) => (level < 9 ? [11, 14] : [6, 8]),
  }),
  'walk-gpu': ofWalk({ sigma: 0.4, low: 1, high: 14 }, 'gpu'),
  levels: ofLevels({ lowGib: 4, highGib: 16, meanS: 300, nextOf: () => [4, 16] }),
  'returning-gpu': ofReturning({ mean: 7, deviation: 3, tauS: 900 }, 'gpu'),
};
