// Estimates and searches for real models, from the headers of the package's corpus. Each estimate has a
// different configuration, so that it cannot reuse an earlier result.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { DEFAULT_LOAD_CONFIG, fixedPool, LIMIT } from '@mai/memory-ledger';
import {
  CPU_ENVIRONMENT,
  estimateFootprint,
  longestContext,
  readGgufHeader,
} from '@mai/memory-estimator';
import { warmUpFixedWork } from '../yardstick/fixed-work.mjs';
import { format, judge, printTable } from '../yardstick/report.mjs';
import { median } from '../yardstick/statistics.mjs';
import { timedWithYardstick } from '../yardstick/take-turns.mjs';

const HEADERS = new URL('../../packages/memory-estimator/test/corpus/headers/', import.meta.url);
const ESTIMATES = 1_000;
/** The targets, in units of fixed work. */
const [TARGET_ON_CPU, TARGET_ON_GPU, TARGET_SEARCH] = [450, 1200, 45];
/**
 * Memory budgets of the searches, chosen so that the result lies at these shares of the range from the
 * shortest to the longest context.
 */
const BUDGET_SHARES = [0.1, 0.3, 0.5, 0.7, 0.9];
const MODELS = [
  'llama-3.1-8b-q4km',
  'qwen3-8b-q4km',
  'qwen3-30b-a3b-q4km',
  'gemma-3-1b-q4km',
  'gpt-oss-20b-mxfp4',
  'deepseek-v2-lite-E16-q4km',
  'falcon-h1-1.5b-q4km',
];
const GPU_ENVIRONMENT = {
  ...CPU_ENVIRONMENT,
  gpuBackend: 'cuda',
  gpus: [{ deviceKey: 'gpu:0', availableBytes: null }],
};
const NO_BUDGET = {
  pools: [],
  devices: {
    unified: false,
    gpus: [{ deviceKey: 'gpu:0', memory: 'dedicated', totalBytes: 24 * 1024 ** 3 }],
  },
  limit: LIMIT,
  size: 'upper-end',
};

/** Prints how long estimates and searches take, model by model. */
export async function measureEstimates(rounds) {
  const models = MODELS.map((name) => ({
    name,
    bytes: gunzipSync(readFileSync(new URL(`${name}.gguf-header.gz`, HEADERS))),
    onCpu: [],
    onGpu: [],
    searches: [],
    gpuSearches: [],
  }));
  warmUpFixedWork();
  for (let round = 0; round <= rounds; round += 1) {
    for (const model of models) {
      // The header is parsed again, so that no result of an earlier round is reused.
      const header = await readGgufHeader(model.bytes);
      const onCpu = await timedWithYardstick(() => estimates(header, CPU_ENVIRONMENT, 0));
      const onGpu = await timedWithYardstick(() => estimates(header, GPU_ENVIRONMENT, 0.5));
      const searches = await search(await readGgufHeader(model.bytes), CPU_ENVIRONMENT, 0);
      const gpuSearches = await search(await readGgufHeader(model.bytes), GPU_ENVIRONMENT, 0.5);
      // The first round is not counted, because the code is still being compiled.
      if (round === 0) continue;
      model.onCpu.push(onCpu);
      model.onGpu.push(onGpu);
      model.searches.push(...searches);
      model.gpuSearches.push(...gpuSearches);
    }
  }

  console.log(
    `${ESTIMATES.toLocaleString('en')} different estimates of one header, and searches for the longest context, the slowest of ${BUDGET_SHARES.length} budgets; in ms and in units of fixed work:`,
  );
  const figures = models.map(({ name, onCpu, onGpu, searches, gpuSearches }) => ({
    name,
    cases: [
      { what: 'estimates on the CPU', ...medianOf(onCpu), atMost: TARGET_ON_CPU },
      { what: 'estimates, half on a GPU', ...medianOf(onGpu), atMost: TARGET_ON_GPU },
      { what: 'search on the CPU', ...slowestBudget(searches), atMost: TARGET_SEARCH },
      { what: 'search, half on a GPU', ...slowestBudget(gpuSearches), atMost: TARGET_SEARCH },
    ],
  }));
  printTable(
    ['model', ...figures[0].cases.map(({ what }) => what)],
    figures.map(({ name, cases }) => [
      name,
      ...cases.map(({ ms, ratio }) => `${format(ms)} ms ${format(ratio)}`),
    ]),
  );
  for (const [index, { what, atMost }] of figures[0].cases.entries()) {
    const slowest = Math.max(...figures.map(({ cases }) => cases[index].ratio));
    judge(`${what}, the slowest model, in units of fixed work`, slowest, atMost);
  }
  console.log('');
}

function estimates(header, environment, offloadRatio) {
  for (let i = 1; i <= ESTIMATES; i += 1)
    estimateFootprint(header, loadConfig(i * 32, i % 2 === 0, offloadRatio), environment);
}

/** The time of the search for each budget. The first search has no results of earlier calculations to reuse. */
async function search(header, environment, offloadRatio) {
  const longest = 32_768;
  const onGpu = environment.gpus.length > 0;
  const bytes = (tokens) => {
    const { totalBytes, interval, gpus } = estimateFootprint(
      header,
      loadConfig(tokens, true, offloadRatio),
      environment,
    );
    return onGpu ? (gpus[0].bytes * interval.highBytes) / totalBytes : interval.highBytes;
  };
  const [low, high] = [bytes(256), bytes(longest)];
  const times = [];
  for (const share of BUDGET_SHARES) {
    const limit = low + share * (high - low);
    const pool = fixedPool(onGpu ? 'gpu:gpu:0' : 'ram', limit);
    const budget = { ...NO_BUDGET, pools: [pool] };
    times.push(
      await timedWithYardstick(() =>
        longestContext(header, loadConfig(null, true, offloadRatio), environment, budget, {
          maxContextLengthTokens: longest,
        }),
      ),
    );
  }
  return times;
}

function slowestBudget(searches) {
  const budgets = BUDGET_SHARES.map((_, budget) =>
    medianOf(searches.filter((_, index) => index % BUDGET_SHARES.length === budget)),
  );
  return budgets.sort((one, other) => other.ratio - one.ratio)[0];
}

function medianOf(measurements) {
  return {
    ms: median(measurements.map(({ ms }) => ms)),
    ratio: median(measurements.map(({ ratio }) => ratio)),
  };
}

function loadConfig(contextLengthTokens, flashAttention, offloadRatio) {
  return {
    ...DEFAULT_LOAD_CONFIG,
    contextLengthTokens,
    parallelSequences: 1,
    offloadRatio,
    flashAttention,
  };
}
