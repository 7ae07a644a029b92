import { engineFactor } from '../engine-progress.mjs';
import { leastSquares } from './least-squares.mjs';
import { deviceOf, meanDepth } from '../results/records.mjs';
import { internals } from '../internals.mjs';

/** Standard deviation of the errors that remain. */
const ERROR = 0.15;
/** Widths of the priors, in logarithms, where they differ from `USUAL_WIDTH`. */
const USUAL_WIDTH = 0.35;
const GPUS = ['cuda', 'vulkan', 'rocm', 'metal', 'mlx'];
/** Notes such as `power limited to 250 W`. */
const LESS_POWER = /power limit|^\d+ W$/;

/**
 * The constants that are fitted: name, where it stands, its prior and the width of the prior. The prior of `unquantizedVulkanExperts` was
 * chosen with all devices in sight: only one device has results with experts of 16 bits on Vulkan.
 */
const PRIORS = [
  ...[1, 0.95, 0.9, 1.1, 1].map((value, i) => [['backends', GPUS[i], 'efficiency'], value]),
  ...[0.58, 0.59, 0.54, 0.39, 0.33].map((value, i) => [
    ['backends', GPUS[i], 'kvEfficiency'],
    value,
  ]),
  // ROCm runs the code of CUDA, so a layer starts about as slowly.
  ...[40, 30, 40, 119, 20].map((value, i) => [
    ['backends', GPUS[i], 'layerMicroseconds'],
    value,
    0.7,
  ]),
  ...[1.2, 1.2, 2, 1.2, 1.2].map((value, i) => [
    ['backends', GPUS[i], 'expertPenalty'],
    value,
    0.5,
  ]),
  // Between 0.8, which a P40 reaches with Q4_0 (github.com/ggml-org/llama.cpp, pull request 4766), and 0.5, which a fit to results of another
  // Pascal GPU found.
  [['generations', 'pascal'], 0.6, 0.1],
  // No results here. An RX 470 (github.com/geerlingguy/ai-benchmarks, issue 3) and an RX 580 (aicrier.com, March 2026) reach a fourth of what
  // other GPUs reach on Vulkan, because they multiply neither whole numbers nor half precision fast.
  [['generations', 'polaris'], 0.27, 0.2],
  [['generations', 'datacenter'], 0.67],
  [['generations', 'm1'], 0.85],
  [['generations', 'ultra'], 0.85],
  [['generations', 'arc'], 0.6],
  [['generations', 'rdna4'], 1, 0.2],
  [['ramEfficiency'], 0.65, 0.5],
  [['ramKvEfficiency'], 0.4],
  [['ramLayerMicroseconds'], 36, 0.7],
  [['crossingMicroseconds'], 100, 0.7],
  [['splitMicroseconds'], 500, 0.7],
  [['fixedMicroseconds'], 100, 1.5],
  [['mixture'], 1],
  [['unquantizedVulkanExperts'], 5, 0.2],
  ...GPUS.map((gpu) => [['backends', gpu, 'surchargeBits'], 1, 0.7]),
  [['ramSurchargeBits'], 1, 0.7],
  [['progress', 'launchMicroseconds'], 18, 0.3],
  [['progress', 'mixtureMicroseconds'], 30, 0.5],
];

/** Fits the constants of `decodeParts`, and `progress` for `engineFactor`. A result of a device with many results weighs less. */
export function fitDecode(tests) {
  return fitLogarithms(
    tests,
    PRIORS,
    ({ question, record }, parameters) => {
      const today = sumOf(internals.decodeParts(question, meanDepth(question), parameters));
      return today * engineFactor(record, question, parameters.progress, today);
    },
    // The exponent can be negative, so it has no logarithm.
    { path: ['bandwidthExponent'], width: 0.1 },
    ERROR,
  );
}

export function sumOf(parts) {
  return Object.values(parts).reduce((sum, part) => sum + part, 0);
}

/**
 * Minimizes the errors of the logarithm of time, with a prior for the logarithm of each constant. Results of cards with less power than usual
 * are left out, because they are slower by an amount that no field names.
 */
export function fitLogarithms(allTests, priors, secondsOf, exponent, error) {
  const tests = allTests.filter(({ record }) => !LESS_POWER.test(record.note ?? ''));
  const counts = new Map();
  for (const { record } of tests)
    counts.set(deviceOf(record), (counts.get(deviceOf(record)) ?? 0) + 1);
  const weights = tests.map(({ record }) => counts.get(deviceOf(record)) ** -0.3);
  const parametersOf = (values) => {
    const parameters = {};
    for (const [index, [path, prior]] of priors.entries())
      put(parameters, path, prior * Math.exp(values[index]));
    put(parameters, exponent.path, values[priors.length]);
    return parameters;
  };
  const residuals = (values) => {
    const parameters = parametersOf(values);
    return Float64Array.from([
      ...tests.map(
        (test, i) =>
          (weights[i] * Math.log(secondsOf(test, parameters) * test.record.tokensPerSecond)) /
          error,
      ),
      ...priors.map(([, , width = USUAL_WIDTH], i) => values[i] / width),
      values[priors.length] / exponent.width,
    ]);
  };
  const start = new Float64Array(priors.length + 1);
  return parametersOf(leastSquares(residuals, start, { robust: (i) => i < tests.length }));
}

function put(target, [first, ...rest], value) {
  if (rest.length === 0) target[first] = value;
  else put((target[first] ??= {}), rest, value);
}
