import { fitLogarithms, sumOf } from './fit-decode.mjs';
import { internals } from './internals.mjs';

/** Standard deviation of the errors that remain. */
const ERROR = 0.3;
const WIDTH = 0.6;
const GPUS = ['cuda', 'vulkan', 'rocm', 'metal', 'mlx'];

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
  [['generations', 'rdna4'], 1.8, 0.4],
  [['cpuOperationsPerByte'], 9, WIDTH],
  [['attention'], 0.6, 1],
  [['mixture'], 1.5, WIDTH],
  [['weightEfficiency'], 0.7, WIDTH],
  [['layerMicroseconds'], 150, 1],
  [['evenness'], 0.1, 0.7],
  [['linkEfficiency'], 0.8, 0.3],
];

/** Fits the constants of `promptParts`. */
export function fitPrompt(tests) {
  return fitLogarithms(
    tests,
    PRIORS,
    ({ question }, parameters) =>
      sumOf(
        internals.promptParts(question, question.promptTokens, question.depthTokens, parameters),
      ),
    { path: ['operationsExponent'], width: 0.2 },
    ERROR,
  );
}
