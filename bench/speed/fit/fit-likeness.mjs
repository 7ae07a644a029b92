// Fits how alike the errors of two predictions of one machine are. For pairs of results of a device, the error of one is predicted
// from the error of the other under the covariance of @mai/performance-model. The fit maximizes the likelihood of what the
// predictions leave, under Student's t distribution with four degrees of freedom, so that outliers don't decide. A device with n
// results has the weight n^0.3. The errors are those of a physics that had not seen the device.
import { byDevice } from '../results/records.mjs';
import { internals } from '../internals.mjs';

/** Entries of a likeness that are one figure, and those with a figure for each part of the time. */
const NAMES = ['machine', 'placement', 'model', 'modelPlacement', 'split', 'file', 'engine'];
const NAMES_OF_PARTS = ['part', 'partOfModel'];
/** Runs of the same setting differ by about 3 %; `sd` in the data is smaller, because its runs follow each other. */
const NOISE = 0.03;
const START = 0.08;
const PRIOR = 0.1;
const PRIOR_WEIGHT = 0.002;
const STEPS = 150;
const DEGREES = 4;
const DEVICE_EXPONENT = 0.3;
/** The most partners of each result: results of the same model and back end, and results of other models. */
const SAME_MAX = 12;
const OTHERS_MAX = 6;
/** Weight of all predictions without a measurement, relative to all with one. */
const COLD_WEIGHT = 0.5;

/** @param tests - with `error` (logarithm of measured over predicted time) and `traits` */
export function fitLikeness(tests) {
  const devices = byDevice(tests);
  const partCount = tests[0].traits.shares.length;
  const covariances = covariancesOf(partCount);
  /** For each entry, the covariance of two predictions if only this entry is 1. */
  const sharedBy = (a, b) => covariances.map((covariance) => covariance(a.traits, b.traits, 1));
  const cases = devices.flatMap((ofDevice) => {
    const pairs = pairsOf(ofDevice);
    const weight = ofDevice.length ** DEVICE_EXPONENT;
    return [
      ...ofDevice.map((test) => coldCase(sharedBy, test, (COLD_WEIGHT * weight) / ofDevice.length)),
      ...pairs.map(([seen, test]) => pairCase(sharedBy, seen, test, weight / pairs.length)),
    ];
  });
  const total = cases.reduce((sum, { weight }) => sum + weight, 0);
  const slopeOf = (values) => {
    const squares = values.map((value) => Math.exp(2 * value));
    const slope = values.map((value) => 2 * PRIOR_WEIGHT * (value - Math.log(PRIOR)));
    for (const one of cases) addSlope(one, squares, (2 * one.weight) / total, slope);
    return slope;
  };
  const values = minimize(
    slopeOf,
    covariances.map(() => Math.log(START)),
  );
  return likenessOf(values.map(Math.exp), partCount);
}

/** Makes a likeness from a list of values: first those of `NAMES`, then those of each part. */
function likenessOf(values, partCount, noise = NOISE) {
  return {
    ...Object.fromEntries(NAMES.map((name, i) => [name, values[i]])),
    ...Object.fromEntries(
      NAMES_OF_PARTS.map((name, i) => {
        const from = NAMES.length + i * partCount;
        return [name, values.slice(from, from + partCount)];
      }),
    ),
    noise,
  };
}

/** For each entry, the covariance under a likeness whose other entries are 0. */
function covariancesOf(partCount) {
  const count = NAMES.length + NAMES_OF_PARTS.length * partCount;
  return Array.from({ length: count }, (_, i) => {
    const values = new Array(count).fill(0).with(i, 1);
    return internals.covarianceOf(likenessOf(values, partCount, 0));
  });
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

function coldCase(sharedBy, test, weight) {
  return { weight, error: test.error, seenError: 0, own: sharedBy(test, test) };
}

function pairCase(sharedBy, seen, test, weight) {
  return {
    weight,
    error: test.error,
    seenError: seen.error,
    own: sharedBy(test, test),
    seenOwn: sharedBy(seen, seen),
    both: sharedBy(seen, test),
  };
}

/**
 * Adds the derivatives of a case's negative logarithm of likelihood, `log(v) / 2 + (d + 1) / 2 x log(1 + r^2 / (d v))`, where v is
 * the scale of the distribution, r the error that a measurement leaves, and d the degrees of freedom.
 */
function addSlope({ error, seenError, own, seenOwn, both }, squares, weight, slope) {
  const sum = (shares) => {
    let all = 0;
    for (let i = 0; i < squares.length; i += 1) all += shares[i] * squares[i];
    return all;
  };
  const isPair = both !== undefined;
  const seenVariance = isPair ? sum(seenOwn) + NOISE ** 2 : 1;
  const share = isPair ? sum(both) / seenVariance : 0;
  const rest = error - share * seenError;
  const variance = sum(own) + NOISE ** 2 - (isPair ? share * sum(both) : 0);
  const scale = (variance * (DEGREES - 2)) / DEGREES;
  const pull = (DEGREES + 1) / (DEGREES * scale + rest ** 2);
  const byVariance = (1 - pull * rest ** 2) / 2 / variance;
  for (let i = 0; i < squares.length; i += 1) {
    const [a, b] = isPair ? [both[i], seenOwn[i]] : [0, 0];
    const ofVariance = own[i] - 2 * share * a + share ** 2 * b;
    const ofRest = (-seenError * (a - share * b)) / seenVariance;
    slope[i] += weight * squares[i] * (byVariance * ofVariance + pull * rest * ofRest);
  }
}

/** Adam, https://arxiv.org/abs/1412.6980. */
function minimize(slopeOf, start) {
  let values = start;
  const speed = start.map(() => 0);
  const scale = start.map(() => 0);
  for (let step = 1; step <= STEPS; step += 1) {
    const slope = slopeOf(values);
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
