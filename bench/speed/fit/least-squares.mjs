// Levenberg-Marquardt with a numeric Jacobian and the loss 2(sqrt(1 + r^2) - 1), which bounds the pull of outliers.

/**
 * @param {(values: Float64Array) => Float64Array} residuals
 * @returns the values with the least loss
 */
export function leastSquares(residuals, start, { iterations = 40, robust = () => true } = {}) {
  let values = Float64Array.from(start);
  let current = residuals(values);
  let damping = 1e-2;
  for (let iteration = 0; iteration < iterations; iteration += 1) {
    const jacobian = derivatives(residuals, values, current);
    const { matrix, vector } = normalEquations(jacobian, current, robust);
    let improved = false;
    for (let attempt = 0; attempt < 8 && !improved; attempt += 1) {
      const step = solve(matrix, vector, damping);
      const next = values.map((value, index) => value - step[index]);
      const then = residuals(next);
      if (loss(then, robust) < loss(current, robust)) {
        const gain = loss(current, robust) - loss(then, robust);
        [values, current, improved] = [next, then, true];
        damping = Math.max(damping / 3, 1e-9);
        if (gain < 1e-7 * loss(current, robust)) return values;
      } else damping *= 4;
    }
    if (!improved) return values;
  }
  return values;
}

function loss(residuals, robust) {
  let sum = 0;
  for (let i = 0; i < residuals.length; i += 1) {
    const square = residuals[i] ** 2;
    sum += robust(i) ? 2 * (Math.sqrt(1 + square) - 1) : square;
  }
  return sum;
}

function derivatives(residuals, values, current) {
  const step = 1e-5;
  return Array.from(values, (value, index) => {
    const moved = Float64Array.from(values);
    moved[index] = value + step;
    return residuals(moved).map((one, i) => (one - current[i]) / step);
  });
}

function normalEquations(jacobian, current, robust) {
  const weight = current.map((one, i) => (robust(i) ? 1 / Math.sqrt(1 + one * one) : 1));
  const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i] * weight[i], 0);
  return {
    matrix: jacobian.map((row) => jacobian.map((column) => dot(row, column))),
    vector: jacobian.map((row) => dot(row, current)),
  };
}

/** Solves (matrix + damping x its diagonal) x = vector by elimination. */
function solve(matrix, vector, damping) {
  const size = vector.length;
  const rows = matrix.map((row, i) => [
    ...row.map((v, j) => (i === j ? v * (1 + damping) + 1e-12 : v)),
    vector[i],
  ]);
  for (let i = 0; i < size; i += 1) {
    const pivot = rows.reduce(
      (best, row, at) => (at >= i && Math.abs(row[i]) > Math.abs(rows[best][i]) ? at : best),
      i,
    );
    [rows[i], rows[pivot]] = [rows[pivot], rows[i]];
    for (let k = i + 1; k < size; k += 1) {
      const factor = rows[k][i] / rows[i][i];
      for (let j = i; j <= size; j += 1) rows[k][j] -= factor * rows[i][j];
    }
  }
  const solved = new Array(size).fill(0);
  for (let i = size - 1; i >= 0; i -= 1) {
    const rest = solved.reduce((sum, value, j) => (j > i ? sum + rows[i][j] * value : sum), 0);
    solved[i] = (rows[i][size] - rest) / rows[i][i];
  }
  return solved;
}
