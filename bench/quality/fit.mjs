// Learns the quality figures from the published results: the figure of each model for each use, and the
// weights of the regression that derives a figure for models without results.

/** The benchmarks of each use, and how many of them a model must have. */
const BENCHMARKS = {
  general: {
    least: 5,
    names: [
      'gpqaDiamond',
      'hle',
      'ifbench',
      'tau2',
      'terminalBenchHard',
      'scicode',
      'longContextLCR',
      'omniscienceAccuracy',
    ],
  },
  chat: { least: 1, names: ['arenaText'] },
  coding: { least: 2, names: ['scicode', 'terminalBenchHard'] },
  reasoning: { least: 2, names: ['gpqaDiamond', 'hle'] },
  tools: { least: 2, names: ['tau2', 'ifbench'] },
  vision: { least: 1, names: ['mmmuPro'] },
};

/** Scores in percent are kept this far from 0 and 1, where the logit is infinite. */
const LEAST_SHARE = 0.005;
/** The penalty of the ridge regression on the square of each weight but the constant. */
const RIDGE = 1;
const DECIMALS = 4;

/**
 * For each result, the mean of the z-scores for each use; `null` where too few benchmarks are published. The
 * z-score of a benchmark is that of the logit of its score. Arena ratings are logits already.
 */
export function scoresOf(results, uses) {
  const names = [...new Set(uses.flatMap((use) => BENCHMARKS[use].names))];
  const scales = Object.fromEntries(
    names.map((name) => {
      const values = results.map((result) => valueOf(result, name)).filter((one) => one !== null);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      return [name, { mean, deviation: Math.sqrt(squares / (values.length - 1)) }];
    }),
  );
  return results.map((result) =>
    Object.fromEntries(
      uses.map((use) => {
        const z = BENCHMARKS[use].names.flatMap((name) => {
          const value = valueOf(result, name);
          return value === null ? [] : [(value - scales[name].mean) / scales[name].deviation];
        });
        const enough = z.length >= BENCHMARKS[use].least;
        return [use, enough ? z.reduce((sum, value) => sum + value, 0) / z.length : null];
      }),
    ),
  );
}

function valueOf({ scores }, name) {
  const score = scores[name] ?? null;
  if (score === null || name === 'arenaText') return score;
  const share = Math.min(Math.max(score / 100, LEAST_SHARE), 1 - LEAST_SHARE);
  return Math.log(share / (1 - share));
}

/** The results in the form in which the package holds known models. */
export function knownModels(results, source) {
  const scores = scoresOf(results, source.QUALITY_USES);
  return results.map((result, index) => ({
    name: result.model.trim(),
    comparableNames: namesOf(result, source),
    family: result.family === 'other' ? null : result.family,
    releaseDate: result.releaseDate,
    billions: result.paramsB,
    reasoning: result.reasoning,
    quality: source.QUALITY_USES.map((use) => {
      const score = scores[index][use];
      return score === null ? null : Number(source.qualityOfScore(score).toFixed(DECIMALS));
    }),
  }));
}

/**
 * The comparable names of a model. A name on Hugging Face is left out where it has another size, because the
 * results name the wrong repository for a few models.
 */
function namesOf({ model, huggingFace }, source) {
  const names = [source.comparableName(model)];
  if (huggingFace !== null) {
    const [named, stored] = [model, huggingFace].map(
      (name) => /(\d+(?:\.\d+)?)b\b/i.exec(name)?.[1] ?? null,
    );
    if (named === null || stored === null || named === stored) {
      // The results are those of the trained model, also where the repository of the base model is named.
      names.push(source.comparableName(huggingFace.replace(/-base\b/i, '')));
    }
  }
  return [...new Set(names)];
}

/** The weights of the regression for each use. */
export function weightsOf(models, source, uses = source.QUALITY_USES) {
  return Object.fromEntries(
    uses.map((use) => {
      const index = source.QUALITY_USES.indexOf(use);
      const rows = models.filter(({ quality }) => quality[index] !== null);
      const weights = ridge(
        rows.map((model) => source.featuresOfKnown(model)),
        rows.map(({ quality }) => source.scoreOf(quality[index])),
      );
      return [use, weights.map((weight) => Number(weight.toFixed(DECIMALS)))];
    }),
  );
}

/** Ridge regression by the normal equations. The first input is the constant and is not penalised. */
function ridge(inputs, outputs) {
  const size = inputs[0].length;
  const sum = (of) => inputs.reduce((total, row, index) => total + of(row, index), 0);
  const rows = Array.from({ length: size }, (_, i) => [
    ...Array.from(
      { length: size },
      (__, j) => sum((row) => row[i] * row[j]) + (i === j && i > 0 ? RIDGE : 0),
    ),
    sum((row, index) => row[i] * outputs[index]),
  ]);
  // Gauss-Jordan elimination. The matrix is positive definite, so no rows have to be exchanged.
  for (let pivot = 0; pivot < size; pivot += 1) {
    const divisor = rows[pivot][pivot];
    rows[pivot] = rows[pivot].map((value) => value / divisor);
    for (let other = 0; other < size; other += 1) {
      if (other === pivot) continue;
      const factor = rows[other][pivot];
      rows[other] = rows[other].map((value, column) => value - factor * rows[pivot][column]);
    }
  }
  return rows.map((row) => row[size]);
}
