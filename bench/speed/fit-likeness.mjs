// Fits how alike the errors of two predictions of one machine are. For pairs of results of a device, the error of one is predicted
// from the error of the other under the covariance of @mai/performance-model. The fit maximizes the likelihood of what the
// predictions leave, under Student's t distribution with four degrees of freedom, so that outliers don't decide. A device with n
// results has the weight n^0.3. The errors are those of a physics that had not seen the device.
import { byDevice } from './records.mjs';
import { internals } from './internals.mjs';

const NAMES = [
  'machine',
  'placement',
  'model',
  'modelPlacement',
  'part',
  'partOfModel',
  'split',
  'file',
  'engine',
];
/** Runs of the same setting differ by about 3 %; `sd` in the data is smaller, because its runs follow each other. */
const NOISE = 0.03;
const START = 0.08;
const PRIOR = 0.1;
const PRIOR_WEIGHT = 0.002;
const STEPS = 150;
const DEGREES = 4;
const DEVICE_EXPONENT = 0.3;
/** For each result: partners of the same model and back end, and of other models. */
const SAME_MAX = 12;
const OTHERS_MAX = 6;
/** Weight of all predictions without a measurement, relative to all with one. */
const COLD_WEIGHT = 0.5;

/** @param tests - with `error` (logarithm of measured over predicted time) and `traits` */
export function fitLikeness(tests) {
  const devices = byDevice(tests);
  const cases = devices.flatMap((ofDevice) => {
    const pairs = pairsOf(ofDevice);
    const weight = ofDevice.length ** DEVICE_EXPONENT;
    return [
      ...ofDevice.map((test) => coldCase(test, (COLD_WEIGHT * weight) / ofDevice.length)),
      ...pairs.map(([seen, test]) => pairCase(seen, test, weight / pairs.length)),
    ];
  });
  const total = cases.reduce((sum, { weight }) => sum + weight, 0);
  const costOf = (values) => {
    const squares = values.map((value) => Math.exp(2 * value));
    let sum = 0;
    for (const one of cases) sum += one.weight * costOfCase(one, squares);
    const prior = values.reduce((all, value) => all + (value - Math.log(PRIOR)) ** 2, 0);
    return sum / total + PRIOR_WEIGHT * prior;
  };
  const values = minimize(
    costOf,
    NAMES.map(() => Math.log(START)),
  );
  return {
    ...Object.fromEntries(NAMES.map((name, i) => [name, Math.exp(values[i])])),
    noise: NOISE,
  };
}

function pairsOf(tests) {
  return tests.flatMap((test) => {
    const isModel = (other) =>
      other.traits.model === test.traits.model && other.traits.backend === test.traits.backend;
    const others = tests.filter((other) => other !== test);
    return [
      ...spread(others.filter(isModel), SAME_MAX),
      ...spread(
        others.filter((other) => other.traits.model !== test.traits.model),
        OTHERS_MAX,
      ),
    ].map((seen) => [seen, test]);
  });
}

/** At most `max` of the list, evenly spread. */
function spread(list, max) {
  const count = Math.min(max, list.length);
  return Array.from({ length: count }, (_, i) => list[Math.floor((i * list.length) / count)]);
}

const NOTHING = Object.fromEntries([...NAMES, 'noise'].map((name) => [name, 0]));
const COVARIANCES = NAMES.map((name) => internals.covarianceOf({ ...NOTHING, [name]: 1 }));

/** How much of each entry two predictions share. */
function sharedBy(a, b) {
  return COVARIANCES.map((covariance) => covariance(a.traits, b.traits, 1));
}

function coldCase(test, weight) {
  return { weight, error: test.error, seenError: 0, own: sharedBy(test, test) };
}

function pairCase(seen, test, weight) {
  return {
    weight,
    error: test.error,
    seenError: seen.error,
    own: sharedBy(test, test),
    seenOwn: sharedBy(seen, seen),
    both: sharedBy(seen, test),
  };
}

function costOfCase({ error, seenError, own, seenOwn, both }, squares) {
  const sum = (shares) => {
    let all = 0;
    for (let i = 0; i < squares.length; i += 1) all += shares[i] * squares[i];
    return all;
  };
  let variance = sum(own) + NOISE ** 2;
  let rest = error;
  if (both !== undefined) {
    const share = sum(both) / (sum(seenOwn) + NOISE ** 2);
    rest -= share * seenError;
    variance = Math.max(variance - share * sum(both), 1e-5);
  }
  const scale = (variance * (DEGREES - 2)) / DEGREES;
  return Math.log(scale) / 2 + ((DEGREES + 1) / 2) * Math.log1p(rest ** 2 / (DEGREES * scale));
}

/** Adam with numeric slopes, https://arxiv.org/abs/1412.6980. */
function minimize(costOf, start) {
  let values = start;
  const speed = start.map(() => 0);
  const scale = start.map(() => 0);
  for (let step = 1; step <= STEPS; step += 1) {
    const base = costOf(values);
    const slope = values.map((value, i) => (costOf(values.with(i, value + 1e-4)) - base) / 1e-4);
    values = values.map((value, i) => {
      speed[i] = 0.9 * speed[i] + 0.1 * slope[i];
      scale[i] = 0.99 * scale[i] + 0.01 * slope[i] ** 2;
      const rate = 0.1 * (1 - step / (STEPS + 20));
      return (
        value -
        (rate * speed[i]) / (1 - 0.9 ** step) / (Math.sqrt(scale[i] / (1 - 0.99 ** step)) + 1e-8)
      );
    });
  }
  return values;
}
