/** A symmetric or lower triangular matrix of `size` rows, row by row. */
export interface Matrix {
  readonly size: number;
  readonly values: Float64Array;
}

/** The lower triangle `L` with `L x L^T = matrix`. The matrix must be positive definite. */
export function cholesky({ size, values }: Matrix): Matrix {
  const lower = new Float64Array(size * size);
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let sum = at(values, i * size + j);
      for (let k = 0; k < j; k += 1) sum -= at(lower, i * size + k) * at(lower, j * size + k);
      lower[i * size + j] =
        i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / at(lower, j * size + j);
    }
  }
  return { size, values: lower };
}

/** Solves `L x = values`. */
export function solveLower(
  { size, values: lower }: Matrix,
  values: ArrayLike<number>,
): Float64Array {
  const solved = new Float64Array(size);
  for (let i = 0; i < size; i += 1) {
    const row = i * size;
    let sum = at(values, i);
    for (let k = 0; k < i; k += 1) sum -= at(lower, row + k) * at(solved, k);
    solved[i] = sum / at(lower, row + i);
  }
  return solved;
}

/** Solves `L^T x = values`. */
export function solveUpper(
  { size, values: lower }: Matrix,
  values: ArrayLike<number>,
): Float64Array {
  const solved = new Float64Array(size);
  for (let i = size - 1; i >= 0; i -= 1) {
    let sum = at(values, i);
    for (let k = i + 1; k < size; k += 1) sum -= at(lower, k * size + i) * at(solved, k);
    solved[i] = sum / at(lower, i * size + i);
  }
  return solved;
}

/** The diagonal of the inverse of `L x L^T`. */
export function inverseDiagonal(lower: Matrix): Float64Array {
  const diagonal = new Float64Array(lower.size);
  for (let i = 0; i < lower.size; i += 1) {
    const unit = new Float64Array(lower.size);
    unit[i] = 1;
    diagonal[i] = solveLower(lower, unit).reduce((sum, value) => sum + value * value, 0);
  }
  return diagonal;
}

/** Callers pass only indices inside of the array. */
function at(values: ArrayLike<number>, index: number): number {
  return values[index] ?? 0;
}
