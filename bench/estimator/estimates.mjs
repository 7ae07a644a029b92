// Estimates and searches for real models, from the headers of the package's corpus. Every estimate has another
// configuration, so that none can reuse the result of another.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import {
  CPU_ENVIRONMENT,
  estimateFootprint,
  longestContext,
  readGgufHeader,
} from '@mai/memory-estimator';
import { timeFixedWork, warmUpFixedWork } from '../yardstick/fixed-work.mjs';
import { judge, printTable } from '../yardstick/report.mjs';
import { median } from '../yardstick/statistics.mjs';
import { timed } from '../yardstick/take-turns.mjs';

const HEADERS = new URL('../../packages/memory-estimator/test/corpus/headers/', import.meta.url);
const ESTIMATES = 1_000;
/** In units of fixed work. */
const [TARGET_ON_CPU, TARGET_ON_GPU, TARGET_SEARCH] = [400, 1000, 40];
/** Where the searches end, as shares of the way from the shortest to the longest context. */
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
const NO_BUDGET = { ramBytes: null, gpus: [], unified: false, withMargin: true };

/** Prints what estimates and searches take, model by model. */
export async function measureEstimates(rounds) {
  const models = MODELS.map((name) => ({
    name,
    bytes: gunzipSync(readFileSync(new URL(`${name}.gguf-header.gz`, HEADERS))),
    onCpu: [],
    onGpu: [],
    searches: [],
    gpuSearches: [],
  }));
  for (let round = 0; round <= rounds; round += 1) {
    for (const model of models) {
      // Parsed anew, so that nothing worked out in an earlier round is there.
      const header = await readGgufHeader(model.bytes);
      const onCpu = await timed(() => estimates(header, CPU_ENVIRONMENT, 0));
      const onGpu = await timed(() => estimates(header, GPU_ENVIRONMENT, 0.5));
      const searches = await search(await readGgufHeader(model.bytes), CPU_ENVIRONMENT, 0);
      const gpuSearches = await search(await readGgufHeader(model.bytes), GPU_ENVIRONMENT, 0.5);
      // The first round warms the compiler up.
      if (round === 0) continue;
      model.onCpu.push(onCpu);
      model.onGpu.push(onGpu);
      model.searches.push(...searches);
      model.gpuSearches.push(...gpuSearches);
    }
  }

  console.log(
    `${ESTIMATES.toLocaleString('en')} estimates of one header, all different; searches:`,
  );
  const figures = models.map(({ name, onCpu, onGpu, searches, gpuSearches }) => ({
    name,
    onCpu: median(onCpu),
    onGpu: median(onGpu),
    search: median(searches),
    worst: worstBudget(searches),
    worstOnGpu: worstBudget(gpuSearches),
  }));
  printTable(
    [
      'model',
      'CPU ms',
      'half on a GPU ms',
      'longest context ms',
      'worst budget ms',
      'half on a GPU, worst ms',
    ],
    figures.map(({ name, onCpu, onGpu, search, worst, worstOnGpu }) => [
      name,
      onCpu.toFixed(0),
      onGpu.toFixed(0),
      search.toFixed(2),
      worst.toFixed(2),
      worstOnGpu.toFixed(2),
    ]),
  );
  for (const { name, onCpu, onGpu, worst, worstOnGpu } of figures) {
    verdict(`${name}: estimates on the CPU`, onCpu, TARGET_ESTIMATES_MS);
    verdict(`${name}: estimates, half on a GPU`, onGpu, TARGET_ESTIMATES_MS);
    verdict(`${name}: longest context`, worst, TARGET_SEARCH_MS);
    verdict(`${name}: longest context, half on a GPU`, worstOnGpu, TARGET_SEARCH_MS);
  }
  console.log('');
}

function estimates(header, environment, offloadRatio) {
  for (let i = 1; i <= ESTIMATES; i += 1)
    estimateFootprint(header, loadConfig(i * 32, i % 2 === 0, offloadRatio), environment);
}

/** The time of the search for each budget; the header is as it was parsed at the first. */
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
    const budget = onGpu
      ? { ...NO_BUDGET, gpus: [{ deviceKey: 'gpu:0', bytes: limit }] }
      : { ...NO_BUDGET, ramBytes: limit };
    times.push(
      await timed(() =>
        longestContext(header, loadConfig(null, true, offloadRatio), environment, budget, {
          maxContextLengthTokens: longest,
        }),
      ),
    );
  }
  return times;
}

function worstBudget(times) {
  return Math.max(...BUDGET_SHARES.map((_, i) => median(every(times, i))));
}

function loadConfig(contextLengthTokens, flashAttention, offloadRatio) {
  return {
    contextLengthTokens,
    parallelSequences: 1,
    offloadRatio,
    kvCacheTypeK: null,
    kvCacheTypeV: null,
    flashAttention,
    cpuExpertRatio: null,
  };
}

function every(times, i) {
  return times.filter((_, index) => index % BUDGET_SHARES.length === i);
}

function verdict(what, timeMs, targetMs) {
  if (timeMs >= targetMs)
    console.log(`MISSED ${what} under ${targetMs} ms: ${timeMs.toFixed(1)} ms`);
  else console.log(`met    ${what} under ${targetMs} ms`);
}
