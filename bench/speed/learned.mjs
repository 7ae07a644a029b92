// What one or two measurements of a machine do for its other predictions.
import { byDevice, deviceOf, predictedSpeed } from './results/records.mjs';
import { internals } from './internals.mjs';

const PAIRS_MAX = 25;
/** What is equal in the results of one sweep: they come from one source, machine, engine and setting. */
const ALIKE = [
  'source',
  'cpu',
  'threads',
  'backend',
  'model',
  'engine',
  'build',
  'fa',
  'kvType',
  'test',
  'tokens',
  'ubatch',
];

/** The prediction of a test after others were measured, by the constants of the test's fold. */
export function predictAfter(seen, { question, parameters, likeness, engine }) {
  const model = internals.createSpeedModelWith(
    { decode: parameters, prompt: parameters, decodeLikeness: likeness, promptLikeness: likeness },
    seen.map((one) => ({
      ...one.question,
      // What an engine of today would reach.
      tokensPerSecond: one.record.tokensPerSecond * one.engine,
    })),
  );
  return predictedSpeed(model, question, engine);
}

/** The relative error of a speed. */
export function errorOf(tokensPerSecond, { record }) {
  return Math.abs(tokensPerSecond / record.tokensPerSecond - 1);
}

/**
 * Pairs of results of one device and back end, where one is seen and the other is predicted. At most `PAIRS_MAX` for each that
 * is seen, evenly spread.
 */
export function pairs(tests, isPair) {
  return pairsOfDevice(tests, (a, b) => a.record.backend === b.record.backend && isPair(a, b));
}

/** As `pairs`, with results of two back ends. */
export function pairsOfBackends(tests, isPair) {
  return pairsOfDevice(tests, (a, b) => a.traits.backend !== b.traits.backend && isPair(a, b));
}

function pairsOfDevice(tests, isPair) {
  return byDevice(tests).flatMap((ofDevice) =>
    ofDevice.flatMap((seen) => {
      const others = ofDevice.filter((test) => test !== seen && isPair(seen, test));
      const count = Math.min(PAIRS_MAX, others.length);
      return Array.from({ length: count }, (_, i) => ({
        seen,
        test: others[Math.floor((i * others.length) / count)],
      }));
    }),
  );
}

export function isSameModel(a, b) {
  return a.traits.model === b.traits.model;
}

/** The same model in another quantization, at another depth or split, or of another prompt. */
export function isVariant(a, b) {
  return (
    isSameModel(a, b) &&
    ['quant', 'depth', 'gpuLayers', 'cpuMoeLayers', 'class', 'sizeBytes', 'tokens'].some(
      (field) => a.record[field] !== b.record[field],
    )
  );
}

/** Results inside a sweep of layers or experts in RAM, with the results at its two ends. */
export function insideSweeps(tests) {
  const groups = new Map();
  for (const test of tests) {
    const key = sweepOf(test);
    groups.set(key, [...(groups.get(key) ?? []), test]);
  }
  return [...groups.values()].flatMap((group) => {
    const sorted = [...group].sort((a, b) => inRam(a) - inRam(b));
    const [first, last] = [sorted[0], sorted.at(-1)];
    return sorted
      .filter((test) => inRam(test) > inRam(first) && inRam(test) < inRam(last))
      .map((test) => ({ seen: [first, last], test }));
  });
}

/**
 * The errors that remain under any law with a constant time for each layer: those of the straight line that best fits all results
 * of a sweep, the predicted results included.
 */
export function errorsOfBestLines(tests) {
  const inside = insideSweeps(tests);
  const sweeps = new Map();
  for (const { seen, test } of inside)
    sweeps.set(seen[0], [...(sweeps.get(seen[0]) ?? seen), test]);
  return [...sweeps.values()].flatMap((sweep) => {
    const points = sweep.map((test) => {
      const seconds = 1 / test.record.tokensPerSecond;
      return { x: inRam(test), y: seconds, weight: seconds ** -2 };
    });
    const mean = (valueOf) =>
      points.reduce((sum, point) => sum + point.weight * valueOf(point), 0) /
      points.reduce((sum, { weight }) => sum + weight, 0);
    const [x0, y0] = [mean(({ x }) => x), mean(({ y }) => y)];
    const slope = mean(({ x, y }) => (x - x0) * (y - y0)) / mean(({ x }) => (x - x0) ** 2);
    // The first two are the ends.
    return points.slice(2).map(({ x, y }) => Math.abs(y / (y0 + slope * (x - x0)) - 1));
  });
}

const SETTINGS = [
  'device',
  'cpu',
  'backend',
  'model',
  'quant',
  'class',
  'gpuLayers',
  'cpuMoeLayers',
  'depth',
  'tokens',
  'ubatch',
  'fa',
  'kvType',
  'engine',
  'build',
  'threads',
];

/** Relative differences of results that have the same settings. */
export function differencesOfRepeats(tests) {
  const groups = new Map();
  for (const { record } of tests) {
    const key = SETTINGS.map((field) => record[field]).join('|');
    groups.set(key, [...(groups.get(key) ?? []), record.tokensPerSecond]);
  }
  return [...groups.values()].flatMap((speeds) =>
    speeds.flatMap((one, index) =>
      speeds.slice(index + 1).map((other) => Math.max(one, other) / Math.min(one, other) - 1),
    ),
  );
}

function sweepOf({ record }) {
  return [
    deviceOf(record),
    ...[...ALIKE, 'quant', 'sizeBytes', 'depth'].map((field) => record[field]),
  ].join('|');
}

function inRam({ question }) {
  const { offloadRatio, cpuExpertRatio } = question.placement;
  return 1 - offloadRatio + cpuExpertRatio;
}

/** Whether two results come from one source with the same engine and settings, so that only the ways to load the model differ. */
export function isSameRun([a, b]) {
  return ['source', 'engine', 'build', 'threads', 'ubatch', 'fa'].every(
    (field) => a.record[field] === b.record[field],
  );
}

/** Pairs of ways to run a model on a device whose speeds differ by 15 % or more. */
export function ways(tests) {
  const isWay = (a, b) =>
    isSameModel(a, b) &&
    a.record.depth === b.record.depth &&
    ['quant', 'gpuLayers', 'cpuMoeLayers', 'class', 'backend', 'kvType'].some(
      (field) => a.record[field] !== b.record[field],
    );
  return byDevice(tests).flatMap((ofDevice) =>
    ofDevice.flatMap((one, index) =>
      ofDevice
        .slice(index + 1)
        .filter((other) => {
          const ratio = one.record.tokensPerSecond / other.record.tokensPerSecond;
          return isWay(one, other) && Math.max(ratio, 1 / ratio) >= 1.15;
        })
        .map((other) => [one, other]),
    ),
  );
}
