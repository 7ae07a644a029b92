// Fits how alike the errors of two predictions of one machine are: the likelihood of the errors of devices that the physics
// had not seen, under the covariance of @mai/performance-model.
import { byDevice } from './records.mjs';
import { internals } from './internals.mjs';

const NAMES = [
  'machine',
  'backend',
  'placement',
  'model',
  'modelAndBackend',
  'part',
  'partOfModel',
  'quantization',
  'engine',
  'noise',
];
const START = 0.12;
const PRIOR = 0.135;
const STEPS = 60;
const DEVICE_MAX = 60;

/** @param tests - with `error` (logarithm of measured over predicted time) and `traits` */
export function fitLikeness(tests) {
  const devices = byDevice(tests).map(sample).map(matrices);
  let values = NAMES.map(() => Math.log(START));
  const speed = NAMES.map(() => 0);
  const scale = NAMES.map(() => 0);
  for (let step = 1; step <= STEPS; step += 1) {
    const base = cost(devices, values);
    const slope = values.map((value, i) => {
      const moved = [...values];
      moved[i] = value + 1e-3;
      return (cost(devices, moved) - base) / 1e-3;
    });
    // Adam, https://arxiv.org/abs/1412.6980.
    values = values.map((value, i) => {
      speed[i] = 0.9 * speed[i] + 0.1 * slope[i];
      scale[i] = 0.99 * scale[i] + 0.01 * slope[i] ** 2;
      const rate = 0.15 * (1 - step / (STEPS + 20));
      return (
        value -
        (rate * speed[i]) / (1 - 0.9 ** step) / (Math.sqrt(scale[i] / (1 - 0.99 ** step)) + 1e-8)
      );
    });
  }
  return Object.fromEntries(NAMES.map((name, i) => [name, Math.exp(values[i])]));
}

/** At most `DEVICE_MAX` results of a device, evenly spread. */
function sample(tests) {
  const count = Math.min(DEVICE_MAX, tests.length);
  return Array.from({ length: count }, (_, i) => tests[Math.floor((i * tests.length) / count)]);
}

/** For each kind of likeness, which pairs of results have it. */
function matrices(tests) {
  const none = Object.fromEntries(NAMES.map((name) => [name, 0]));
  return {
    errors: tests.map(({ error }) => error),
    shares: NAMES.map((name) =>
      tests.map((a, i) =>
        tests.map((b, j) =>
          name === 'noise'
            ? Number(i === j)
            : internals.covariance(a.traits, b.traits, { ...none, [name]: 1 }),
        ),
      ),
    ),
  };
}

function cost(devices, values) {
  const squares = values.map((value) => Math.exp(2 * value));
  const prior = values.reduce((sum, value) => sum + 0.02 * (value - Math.log(PRIOR)) ** 2, 0);
  return devices.reduce((sum, { errors, shares }) => {
    const matrix = errors.map((_, i) =>
      Float64Array.from(errors, (_, j) =>
        shares.reduce((all, share, k) => all + squares[k] * share[i][j], i === j ? 1e-9 : 0),
      ),
    );
    const lower = internals.cholesky(matrix);
    const white = internals.solveLower(lower, errors);
    const fit = white.reduce((all, value, i) => all + value ** 2 / 2 + Math.log(lower[i][i]), 0);
    return sum + fit / Math.sqrt(errors.length);
  }, prior);
}
