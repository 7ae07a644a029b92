import { cholesky, inverseDiagonal, solveLower, solveUpper, type Matrix } from './cholesky.js';

/** The covariance of the errors of two predictions with these traits. */
export type Covariance<Traits> = (a: Traits, b: Traits) => number;

/** One prediction and what was measured. */
export interface Residual<Traits> {
  readonly traits: Traits;
  /** Natural logarithm of the measured time over the predicted time. */
  readonly error: number;
}

/** The expected error of a prediction, as a logarithm of time. */
export interface Correction {
  readonly mean: number;
  readonly standardDeviation: number;
}

/** Measurements further from all others than this many standard deviations get more noise. */
const OUTLIER = 2.5;

/**
 * Gaussian process regression over the errors of the physics (Rasmussen and Williams, Gaussian Processes for Machine
 * Learning, algorithm 2.1). Outliers get a noise of their own: their leave-one-out residual (equation 5.12) then
 * lies within `OUTLIER` standard deviations.
 *
 * @param noiseDeviation - standard deviation of what the covariance does not explain
 * @returns the correction of a further prediction. Without measurements the mean is 0.
 */
export function learnCorrections<Traits>(
  residuals: readonly Residual<Traits>[],
  covariance: Covariance<Traits>,
  noiseDeviation: number,
): (traits: Traits) => Correction {
  const noiseVariance = noiseDeviation ** 2;
  const noise = new Float64Array(residuals.length).fill(noiseVariance);
  let solved = solve(residuals, covariance, noise);
  const inverse = inverseDiagonal(solved.lower);
  for (const [index, variance] of noise.entries()) {
    const distance = Math.abs(solved.weights[index] ?? 0) / Math.sqrt(inverse[index] ?? 1);
    if (distance > OUTLIER)
      noise[index] = variance + ((distance / OUTLIER) ** 2 - 1) / (inverse[index] ?? 1);
  }
  solved = solve(residuals, covariance, noise);
  const { lower, weights } = solved;
  return (traits) => {
    const shared = residuals.map((one) => covariance(traits, one.traits));
    const mean = shared.reduce((sum, value, index) => sum + value * (weights[index] ?? 0), 0);
    const known = solveLower(lower, shared).reduce((sum, value) => sum + value * value, 0);
    const variance = covariance(traits, traits) + noiseVariance - known;
    return { mean, standardDeviation: Math.sqrt(Math.max(variance, noiseVariance)) };
  };
}

function solve<Traits>(
  residuals: readonly Residual<Traits>[],
  covariance: Covariance<Traits>,
  noise: Float64Array,
): { readonly lower: Matrix; readonly weights: Float64Array } {
  const matrix = residuals.map((a, row) =>
    Float64Array.from(
      residuals,
      (b, column) => covariance(a.traits, b.traits) + (row === column ? (noise[row] ?? 0) : 0),
    ),
  );
  const lower = cholesky(matrix);
  const errors = residuals.map(({ error }) => error);
  return { lower, weights: solveUpper(lower, solveLower(lower, errors)) };
}
