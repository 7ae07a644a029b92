// Measures the quality figures:
//   npm run bench:quality
// The first table shows how many pairs of models the fallback orders as published results do. Each model is left
// out of the fit that judges it. The second table shows the same without release dates, which the product does not
// know. The other tables show, for each built-in chain, how far its order agrees with published results, and the
// order by the figures.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { judge, printTable } from '../yardstick/report.mjs';
import { knownModels, weightsOf } from './fit.mjs';
import { loadSources, readArchitectures, readResults } from './sources.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const source = await loadSources(
  'parse/built-in-model-config.ts',
  'quality/model-facts.ts',
  'quality/comparable-name.ts',
  'quality/derive-quality.ts',
  'quality/quality-of.ts',
);

/** The least share of pairs that must be in the right order. */
const PAIRS = {
  general: 0.84,
  coding: 0.83,
  reasoning: 0.79,
  tools: 0.79,
  vision: 0.87,
  chat: 0.87,
};
const TAU = 0.88;
/** The use whose figures order a chain. */
const USE_OF_CHAIN = {
  default: 'general',
  coding: 'coding',
  reasoning: 'reasoning',
  vision: 'vision',
};
/** Pairs whose scores differ by half a standard deviation or more are clear. */
const CLEAR = 0.5;

const results = readResults();
const architectures = readArchitectures();
const models = knownModels(results, source);
// Two modes of one model, such as with and without thinking, differ in their brackets only.
const baseOf = (model) => model.comparableNames[0];

const rows = Object.keys(PAIRS).map((use) => {
  const one = leftOut(use, (other, model) => other !== model, factsOf);
  const all = leftOut(use, isOtherModel, factsOf);
  return { use, one, all };
});
printTable(
  ['use', 'models', 'pairs right', 'clear pairs', 'without the other mode', 'target'],
  rows.map(({ use, one, all }) => [
    use,
    one.count,
    percent(one.right),
    percent(one.clear),
    percent(all.right),
    percent(PAIRS[use]),
  ]),
);
for (const { use, one } of rows) judge(`pairs wrong, ${use}`, 1 - one.right, 1 - PAIRS[use]);

// What the product knows of a model: no release date, but the architecture. Of the models that `isKept` keeps, a
// judged model has no results. The figures are shares of pairs in the right order, and median errors of the score.
const SITUATIONS = [
  {
    title: 'unknown family',
    isKept: (other, model) =>
      other.family === null || model.family === null
        ? isOtherModel(other, model)
        : other.family !== model.family,
    factsOf: (result) => ({ ...factsOf(result), family: null }),
  },
  {
    title: 'name tells no family',
    isKept: isOtherModel,
    factsOf: (result) => ({
      ...factsOf(result),
      names: [],
      family: source.familyOfArchitecture(architectureOf(result)),
    }),
  },
  { title: 'name tells the family', isKept: isOtherModel, factsOf },
];
console.log('\nas the product asks: without a release date\n');
for (const { title, isKept, factsOf: knownOf } of SITUATIONS) {
  printTable(
    [title, 'without the architecture', 'with it', 'with the release date'],
    Object.keys(PAIRS).map((use) => [
      use,
      ...[
        (result) => ({ ...knownOf(result), releaseDate: null, architecture: null }),
        (result) => ({ ...knownOf(result), releaseDate: null }),
        knownOf,
      ].map((ask) => {
        const { right, error } = leftOut(use, isKept, ask);
        return `${percent(right)}, ${error.toFixed(2)}`;
      }),
    ]),
  );
}

const facts = chainFacts();
const { fallbackChains } = source.builtInModelConfig();
for (const [chain, use] of Object.entries(USE_OF_CHAIN)) {
  const keys = fallbackChains[chain].flatMap((entry) =>
    entry.kind === 'model' ? [entry.modelKey] : [],
  );
  const judged = keys.map((key) => ({ key, ...source.qualityOf(facts[key], use) }));
  const published = judged.filter((model) => model.source === 'published');
  console.log('');
  printTable(
    [`${chain}, best first by ${use}`, 'quality', 'source', 'place in the chain'],
    [...judged]
      .sort((a, b) => b.quality - a.quality)
      .map((model) => [
        model.key,
        model.quality.toFixed(3),
        model.source,
        keys.indexOf(model.key) + 1,
      ]),
  );
  const [tau, tauAll] = [kendall(published), kendall(judged)];
  console.log(
    `tau ${tau.toFixed(2)} over ${published.length} models with published results, ${tauAll.toFixed(2)} over all ${judged.length}`,
  );
  judge(`chain ${chain}: 1 - tau`, 1 - tau, 1 - TAU);
}

function isOtherModel(other, model) {
  return baseOf(other) !== baseOf(model);
}

/**
 * The order and the median error of the fallback's figures, each model judged from the facts that `ask` gives by a fit
 * on the models that `isKept` keeps.
 */
function leftOut(use, isKept, ask) {
  const index = source.QUALITY_USES.indexOf(use);
  const judged = models
    .map((model, position) => ({ model, result: results[position] }))
    .filter(({ model }) => model.quality[index] !== null)
    .map(({ model, result }) => {
      const kept = models.filter((other) => isKept(other, model));
      const published = { models: kept, weights: weightsOf(kept, source, [use]) };
      return {
        score: source.scoreOf(model.quality[index]),
        derived: source.deriveQuality(ask(result), use, published),
      };
    });
  const errors = judged
    .map(({ score, derived }) => Math.abs(score - source.scoreOf(derived)))
    .sort((a, b) => a - b);
  let [pairs, right, clearPairs, clearRight] = [0, 0, 0, 0];
  for (const [place, one] of judged.entries()) {
    for (const other of judged.slice(0, place)) {
      const difference = one.score - other.score;
      if (difference === 0) continue;
      const isRight = Math.sign(difference) === Math.sign(one.derived - other.derived);
      pairs += 1;
      right += isRight ? 1 : 0;
      if (Math.abs(difference) < CLEAR) continue;
      clearPairs += 1;
      clearRight += isRight ? 1 : 0;
    }
  }
  return {
    count: judged.length,
    right: right / pairs,
    clear: clearRight / clearPairs,
    error: errors[Math.floor(errors.length / 2)],
  };
}

function factsOf(result) {
  return {
    names: [result.model],
    baseModels: [],
    family: result.family === 'other' ? null : result.family,
    releaseDate: result.releaseDate,
    architecture: architectureOf(result),
    parameters: result.paramsB * 1e9,
    reasoning: result.reasoning,
    vision: result.vision,
  };
}

/** `null`: not in the list, so it says nothing about the release date and the family. */
function architectureOf({ model }) {
  const listed = architectures.find(({ models: starts }) =>
    starts.some((start) => model.startsWith(start)),
  );
  return listed?.architectures[0] ?? null;
}

/** The facts of the models in the built-in configuration, from their hyper-parameters and capabilities. */
function chainFacts() {
  const file = path.join(here, '..', '..', 'tools', 'model-figures', 'hyper-parameters.json');
  const hyperParameters = JSON.parse(readFileSync(file, 'utf8')).models;
  return Object.fromEntries(
    source.builtInModelConfig().models.map(({ modelKey, displayName, capabilities }) => [
      modelKey,
      {
        modelKey,
        displayName,
        baseModels: [],
        capabilities,
        architecture: null,
        sizeLabel: null,
        activeParameters: null,
        quantization: null,
        reasoning: null,
        fileName: null,
        quality: null,
        parameters: hyperParameters[modelKey].parameters,
      },
    ]),
  );
}

/** Kendall's tau between the order of the list and the quality. Equal qualities are left out. */
function kendall(ordered) {
  let [pairs, sum] = [0, 0];
  for (const [place, one] of ordered.entries()) {
    for (const later of ordered.slice(place + 1)) {
      if (one.quality === later.quality) continue;
      pairs += 1;
      sum += Math.sign(one.quality - later.quality);
    }
  }
  return sum / pairs;
}

function percent(share) {
  return `${(share * 100).toFixed(1)} %`;
}
