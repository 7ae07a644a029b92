import { cholesky, inverseDiagonal, solveLower, solveUpper, type Matrix } from './cholesky.js';

/**
 * The covariance of the errors of two predictions with these traits.
 *
 * @param scale - how much larger the errors of models on this machine are than usual, as a factor of their variance
 */
export type Covariance<Traits> = (a: Traits, b: Traits, scale: number) => number;

/** One prediction and its measurement. */
export interface Residual<Traits> {
  readonly traits: Traits;
  /** Natural logarithm of the measured time over the predicted time. */
  readonly error: number;
  /** Standard deviation that the error has in addition to the usual noise. */
  readonly extraNoise: number;
}

/** A measurement that is this many times faster or slower than the physics is impossible, such as tokens in no time. */
const IMPOSSIBLE_FACTOR = 1000;

/** Whether a measurement can have this error, which is NaN or infinite for times of 0 or less. */
export function isPossibleError(error: number): boolean {
  return Math.abs(error) < Math.log(IMPOSSIBLE_FACTOR);
}

/** The expected error of a prediction, as a logarithm of time. */
export interface Correction {
  readonly mean: number;
  readonly standardDeviation: number;
}

/** Whether one measurement repeats the other: the same model, settings and depth. */
export type IsRepeat<Traits> = (a: Traits, b: Traits) => boolean;

/** Measurements further from all others than this many standard deviations get more noise. */
const OUTLIER = 2.5;

/**
 * The size of the errors on this machine is estimated as a weighted mean of the usual size, which has this weight, and of the
 * median of the measured sizes, which has the weight 1.
 */
const USUAL_SCALE_WEIGHT = 1;

/** In the estimate of the noise on this machine, the usual noise counts as this many pairs of repeated measurements. */
const USUAL_NOISE_WEIGHT = 1;
/** A measurement with more extra noise than this does not show how much measurements usually vary. */
const EXTRA_NOISE_MAX = 0.1;
/** From this number of differences on, their mean counts, too. */
const SOME_DIFFERENCES = 4;
/** Median of the absolute value of a normal variable, relative to its standard deviation. */
const NORMAL_MEDIAN = 0.6745;

/**
 * Gaussian process regression over the errors of the physics (Rasmussen and Williams, Gaussian Processes for Machine
 * Learning, algorithm 2.1). Outliers get a noise of their own: their leave-one-out residual (equation 5.12) then
 * lies within `OUTLIER` standard deviations. Where the median measurement is further from the physics than usual, the errors of
 * models on this machine are taken to be larger than usual: a measurement then counts more for the same model. Where repeated
 * measurements vary by more than the usual noise, for example because other programs use the machine, each measurement counts
 * less and the interval is wider. A measurement with extra noise counts less by itself.
 *
 * @param noiseDeviation - usual standard deviation of what the covariance does not explain
 * @returns the correction of a further prediction. Without measurements the mean is 0.
 */
export function learnCorrections<Traits>(
  residuals: readonly Residual<Traits>[],
  covariance: Covariance<Traits>,
  noiseDeviation: number,
  isRepeat: IsRepeat<Traits>,
): (traits: Traits) => Correction {
  const noiseVariance = noiseOf(residuals, isRepeat, noiseDeviation ** 2);
  const scale = scaleOf(residuals, covariance, noiseVariance);
  const noise = Float64Array.from(residuals, ({ extraNoise }) => noiseVariance + extraNoise ** 2);
  let solved = solve(residuals, covariance, scale, noise);
  const inverse = inverseDiagonal(solved.lower);
  for (const [index, variance] of noise.entries()) {
    const distance = Math.abs(solved.weights[index] ?? 0) / Math.sqrt(inverse[index] ?? 1);
    if (distance > OUTLIER)
      noise[index] = variance + ((distance / OUTLIER) ** 2 - 1) / (inverse[index] ?? 1);
  }
  solved = solve(residuals, covariance, scale, noise);
  const { lower, weights } = solved;
  const count = residuals.length;
  const shared = new Float64Array(count);
  return (traits) => {
    let mean = 0;
    for (let i = 0; i < count; i += 1) {
      const residual = residuals[i];
      const value = residual === undefined ? 0 : covariance(traits, residual.traits, scale);
      shared[i] = value;
      mean += value * (weights[i] ?? 0);
    }
    const white = solveLower(lower, shared);
    let known = 0;
    for (let i = 0; i < count; i += 1) known += (white[i] ?? 0) ** 2;
    const variance = covariance(traits, traits, scale) + noiseVariance - known;
    return { mean, standardDeviation: Math.sqrt(Math.max(variance, noiseVariance)) };
  };
}

function solve<Traits>(
  residuals: readonly Residual<Traits>[],
  covariance: Covariance<Traits>,
  scale: number,
  noise: Float64Array,
): { readonly lower: Matrix; readonly weights: Float64Array } {
  const size = residuals.length;
  const values = new Float64Array(size * size);
  for (const [row, a] of residuals.entries()) {
    for (const [column, b] of residuals.entries()) {
      values[row * size + column] =
        covariance(a.traits, b.traits, scale) + (row === column ? (noise[row] ?? 0) : 0);
    }
  }
  const lower = cholesky({ size, values });
  const errors = residuals.map(({ error }) => error);
  return { lower, weights: solveUpper(lower, solveLower(lower, errors)) };
}

/** The upper one of two medians; undefined without values. */
function medianOf(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/**
 * The noise of measurements: the larger of `usual` and the noise that repeated measurements show. Each measurement is compared
 * with the last earlier one that it repeats.
 */
function noiseOf<Traits>(
  residuals: readonly Residual<Traits>[],
  isRepeat: IsRepeat<Traits>,
  usual: number,
): number {
  const usable = residuals.filter(({ extraNoise }) => extraNoise <= EXTRA_NOISE_MAX);
  const differences = usable.flatMap(({ error, traits }, index) => {
    const before = usable.slice(0, index).findLast((one) => isRepeat(one.traits, traits));
    return before === undefined ? [] : [Math.abs(error - before.error)];
  });
  const count = differences.length;
  const median = medianOf(differences);
  if (median === undefined) return usual;
  const byMedian = (median / NORMAL_MEDIAN) ** 2;
  const meanSquare = differences.reduce((sum, one) => sum + one ** 2, 0) / count;
  // A difference has the variance of two measurements. The median ignores outliers. The mean is smaller where all differences are about as
  // large, for example because a machine has two speeds. A few differences do not show that.
  const seen = (count < SOME_DIFFERENCES ? byMedian : Math.min(byMedian, meanSquare)) / 2;
  return Math.max(
    usual,
    (USUAL_NOISE_WEIGHT * usual + count * seen) / (USUAL_NOISE_WEIGHT + count),
  );
}

/** How much larger the errors on this machine are than usual, as a factor of their variance; at least 1. */
function scaleOf<Traits>(
  residuals: readonly Residual<Traits>[],
  covariance: Covariance<Traits>,
  noiseVariance: number,
): number {
  const squares = residuals.map(
    ({ error, traits, extraNoise }) =>
      error ** 2 / (covariance(traits, traits, 1) + noiseVariance + extraNoise ** 2),
  );
  const median = medianOf(squares) ?? 1;
  return Math.max(1, (USUAL_SCALE_WEIGHT + median) / (USUAL_SCALE_WEIGHT + 1));
}
