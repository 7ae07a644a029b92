/** A symmetric matrix as rows. */
export type Matrix = readonly Float64Array[];

/** The lower triangle `L` with `L x L^T = matrix`. The matrix must be positive definite. */
export function cholesky(matrix: Matrix): Matrix {
  const lower = matrix.map((row) => new Float64Array(row.length));
  for (const [i, row] of lower.entries()) {
    for (let j = 0; j <= i; j += 1) {
      const other = lower[j] ?? row;
      let sum = at(matrix, i, j);
      for (let k = 0; k < j; k += 1) sum -= (row[k] ?? 0) * (other[k] ?? 0);
      row[j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / (other[j] ?? 1);
    }
  }
  return lower;
}

/** Solves `L x = values`. */
export function solveLower(lower: Matrix, values: ArrayLike<number>): Float64Array {
  const solved = new Float64Array(lower.length);
  for (const [i, row] of lower.entries()) {
    let sum = values[i] ?? 0;
    for (let k = 0; k < i; k += 1) sum -= (row[k] ?? 0) * (solved[k] ?? 0);
    solved[i] = sum / (row[i] ?? 1);
  }
  return solved;
}

/** Solves `L^T x = values`. */
export function solveUpper(lower: Matrix, values: ArrayLike<number>): Float64Array {
  const size = lower.length;
  const solved = new Float64Array(size);
  for (let i = size - 1; i >= 0; i -= 1) {
    let sum = values[i] ?? 0;
    for (let k = i + 1; k < size; k += 1) sum -= at(lower, k, i) * (solved[k] ?? 0);
    solved[i] = sum / at(lower, i, i);
  }
  return solved;
}

/** The diagonal of the inverse of `L x L^T`. */
export function inverseDiagonal(lower: Matrix): Float64Array {
  const diagonal = new Float64Array(lower.length);
  for (let i = 0; i < lower.length; i += 1) {
    const unit = new Float64Array(lower.length);
    unit[i] = 1;
    diagonal[i] = solveLower(lower, unit).reduce((sum, value) => sum + value * value, 0);
  }
  return diagonal;
}

function at(matrix: Matrix, row: number, column: number): number {
  return matrix[row]?.[column] ?? 0;
}
