import { DEFAULT_LOAD_CONFIG, type KvCacheType } from '@mai/memory-ledger';
import { architectureModel } from '../../test/architectures.js';
import { cacheInRamCorpus, corpusHeader, type CacheInRamEntry } from '../../test/corpus.js';
import { headerOf } from '../../test/language-model.js';
import { estimateFootprint } from '../estimate/estimate-footprint.js';
import { estimateReport } from '../estimate/estimate-report.js';
import { CPU_ENVIRONMENT, type EstimateEnvironment } from '../load/environment.js';
import { LLAMA_CPP_PROFILE } from '../profile/llama-cpp-profile.js';
import { resolveEngineProfile, withKnownSettings } from '../profile/resolve-profile.js';
import { NO_SETTINGS } from '../settings/estimate-settings.js';

const MIB = 1024 * 1024;
/** The log has two decimals of MiB. */
const LOG_ROUNDING_MIB = 0.00501;

async function reportOf(entry: CacheInRamEntry) {
  const { outputInRam, reservedLogits } = entry;
  const profile = withKnownSettings(
    LLAMA_CPP_PROFILE,
    // An output layer that is put on the GPU last stays in RAM while no more layers are on the GPU than the model has.
    { offloadsKvCache: false, reservedLogits, outputLayer: outputInRam ? 'last' : 'first' },
    'the load',
  );
  return estimateReport(
    await corpusHeader(entry.model),
    {
      ...NO_SETTINGS,
      contextLengthTokens: entry.contextLength,
      kvCacheTypeK: entry.kvType,
      kvCacheTypeV: entry.kvType,
      flashAttention: entry.flashAttention,
      parallelSequences: entry.parallel,
      kvUnified: entry.kvUnified,
      gpuLayers: entry.gpuLayers,
      gpuBackend: 'vulkan',
    },
    null,
    { profile },
  );
}

test.each(cacheInRamCorpus())(
  '$model with $gpuLayers layers on the GPU, $contextLength tokens for each of $parallel, flash attention $flashAttention: the parts equal those of llama.cpp',
  async (entry) => {
    const { ram, gpus } = await reportOf(entry);
    const off = (bytes: number | undefined, mib: number) => Math.abs((bytes ?? 0) / MIB - mib);
    expect(off(gpus[0]?.computeBytes, entry.gpuComputeMib)).toBeLessThan(LOG_ROUNDING_MIB);
    expect(off(ram.computeBytes, entry.hostComputeMib)).toBeLessThan(LOG_ROUNDING_MIB);
    expect(gpus[0]?.kvCacheBytes).toBe(0);
    expect(gpus[0]?.recurrentStateBytes).toBe(0);
    if (entry.kvCacheMib !== null)
      expect(off(ram.kvCacheBytes, entry.kvCacheMib)).toBeLessThan(2 * LOG_ROUNDING_MIB);
    if (entry.stateMib !== null)
      expect(off(ram.recurrentStateBytes, entry.stateMib)).toBeLessThan(LOG_ROUNDING_MIB);
  },
);

const onGpu = (profile: EstimateEnvironment['profile']): EstimateEnvironment => ({
  ...CPU_ENVIRONMENT,
  profile,
  gpuBackend: 'cuda',
  gpus: [{ deviceKey: 'gpu:0', availableBytes: null }],
});
const inRam = (
  profile: EstimateEnvironment['profile'],
  pinsFlashAttention: boolean | null = null,
) => onGpu(withKnownSettings(profile, { offloadsKvCache: false, pinsFlashAttention }, 'the load'));
const LM_STUDIO = resolveEngineProfile({
  engine: 'lmstudio',
  runtimeVersion: '2.38.0',
  backend: 'cuda',
});
const LOAD = {
  ...DEFAULT_LOAD_CONFIG,
  contextLengthTokens: 16_384,
  flashAttention: true,
  kvCacheTypeK: 'f16' as KvCacheType,
};

test('the device of flash attention is not known in LM Studio, so the interval covers both', async () => {
  const header = await corpusHeader('llama-3.1-8b-q4km');
  const { interval, exactParts, partIntervals, profile } = estimateFootprint(
    header,
    LOAD,
    inRam(LM_STUDIO),
  );
  const onCpu = estimateFootprint(header, LOAD, inRam(LM_STUDIO, true));
  const onDevice = estimateFootprint(header, LOAD, inRam(LM_STUDIO, false));
  expect(onCpu.parts.gpus[0]?.computeBytes).toBeLessThan(onDevice.parts.gpus[0]?.computeBytes ?? 0);
  for (const { interval: one, partIntervals: parts } of [onCpu, onDevice]) {
    expect(interval?.lowBytes).toBeLessThanOrEqual(one?.lowBytes ?? 0);
    expect(interval?.highBytes).toBeGreaterThanOrEqual(one?.highBytes ?? Infinity);
    expect(partIntervals.computeBytes.lowBytes).toBeLessThanOrEqual(parts.computeBytes.lowBytes);
    expect(partIntervals.computeBytes.highBytes).toBeGreaterThanOrEqual(
      parts.computeBytes.highBytes,
    );
  }
  expect(exactParts).toEqual(expect.arrayContaining(['weights', 'kvCache']));
  const named = profile.settings.filter(({ setting }) => setting === 'pinsFlashAttention');
  expect(named).toMatchObject([{ isKnown: false, alternatives: [true] }]);
});

test.each([
  ['the KV cache is on the GPU', onGpu(LM_STUDIO), {}],
  ['no layer is on the GPU', inRam(LM_STUDIO), { offloadRatio: 0 }],
  ['flash attention is off', inRam(LM_STUDIO), { flashAttention: false }],
])('the device of flash attention does not matter where %s', async (_, environment, changes) => {
  const header = await corpusHeader('llama-3.1-8b-q4km');
  const { profile } = estimateFootprint(header, { ...LOAD, ...changes }, environment);
  expect(profile.settings.map(({ setting }) => setting)).not.toContain('pinsFlashAttention');
});

test('the total of weights, cache and state does not change with their place', async () => {
  const header = await corpusHeader('falcon-h1-1.5b-q4km');
  const sums = [onGpu(LLAMA_CPP_PROFILE), inRam(LLAMA_CPP_PROFILE)].map((environment) => {
    const { ram, gpus } = estimateFootprint(header, LOAD, environment).parts;
    return [ram, ...gpus].reduce(
      (sum, one) => sum + one.weightsBytes + one.kvCacheBytes + one.recurrentStateBytes,
      0,
    );
  });
  expect(sums[1]).toBe(sums[0]);
});

test('an embedding model in LM Studio has its cache on the GPU, because the setting is for language models', async () => {
  const header = await corpusHeader('qwen3-0.6b-q8');
  const place = (profile: EstimateEnvironment['profile']) =>
    estimateFootprint(header, LOAD, { ...inRam(profile), isEmbedding: true }).parts.ram
      .kvCacheBytes;
  expect(place(LM_STUDIO)).toBe(0);
  expect(place(LLAMA_CPP_PROFILE)).toBeGreaterThan(0);
});

test('where the graph is not known, the CPU has a compute buffer as large as that of the GPU', async () => {
  const header = await headerOf(architectureModel('rwkv7 dense'));
  const { ram, gpus } = estimateFootprint(header, LOAD, inRam(LLAMA_CPP_PROFILE)).parts;
  expect(ram.computeBytes).toBe(gpus[0]?.computeBytes);
  expect(
    estimateFootprint(header, LOAD, onGpu(LLAMA_CPP_PROFILE)).parts.ram.computeBytes,
  ).toBeLessThan(ram.computeBytes);
});
