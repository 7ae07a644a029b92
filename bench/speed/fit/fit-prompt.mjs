import { engineFactor } from '../engine-progress.mjs';
import { fitLogarithms, sumOf } from './fit-decode.mjs';
import { internals } from '../internals.mjs';

/** Standard deviation of the errors that remain. */
const ERROR = 0.3;
const WIDTH = 0.6;
const GPUS = ['cuda', 'vulkan', 'rocm', 'metal', 'mlx'];

/**
 * As in fit-decode.mjs. The priors of `expertPenalty`, `expertTile` and `unquantizedExperts` were chosen with all devices in sight: the
 * data of a few devices show how the time depends on the micro-batch, and of one device (on two back ends) how experts of 16 bits behave.
 */
const PRIORS = [
  ...[0.9, 0.35, 0.45, 0.65, 0.8].map((value, i) => [
    ['backends', GPUS[i], 'efficiency'],
    value,
    WIDTH,
  ]),
  ...GPUS.map((gpu) => [['backends', gpu, 'unquantized'], gpu === 'cuda' ? 1.2 : 1, 0.4]),
  ...GPUS.map((gpu) => [['backends', gpu, 'attention'], 1, 0.7]),
  [['generations', 'pascal'], 0.8, 0.4],
  [['generations', 'datacenter'], 0.6, 0.4],
  [['generations', 'm1'], 0.9, 0.4],
  [['generations', 'ultra'], 0.9, 0.4],
  [['generations', 'arc'], 0.5, 0.6],
  [['generations', 'polaris'], 0.4, 0.4],
  [['generations', 'rdna4'], 1.8, 0.4],
  [['cpuOperationsPerByte'], 9, WIDTH],
  ...GPUS.map((gpu) => [['backends', gpu, 'expertPenalty'], 1.5, 0.7]),
  [['attention'], 0.6, 1],
  [['unquantizedExperts'], 2, 0.7],
  ...GPUS.map((gpu) => [['backends', gpu, 'expertTile'], 12, 0.5]),
  ...[0.1, 0.3, 0.2, 0.05, 0.05].map((value, i) => [['progress', GPUS[i]], value, 0.7]),
  ...GPUS.map((gpu) => [['backends', gpu, 'linkEfficiency'], 0.8, 0.5]),
  [['weightEfficiency'], 0.7, WIDTH],
  [['layerMicroseconds'], 150, 1],
  [['evenness'], 0.1, 0.7],
];

/** Fits the constants of `promptParts`, and `progress` for `engineFactor`. */
export function fitPrompt(tests) {
  return fitLogarithms(
    tests,
    PRIORS,
    ({ question, record }, parameters) =>
      sumOf(
        internals.promptParts(question, question.promptTokens, question.depthTokens, parameters),
      ) * engineFactor(record, question, parameters.progress),
    { path: ['operationsExponent'], width: 0.2 },
    ERROR,
  );
}
