import {
  corpusHeader,
  cpuCorpus,
  gpuCorpus,
  settingsOf,
  type CorpusEntry,
} from '../../test/corpus.js';
import { resolveEngineProfile } from '../profile/resolve-profile.js';
import type { EstimateSettings } from '../settings/estimate-settings.js';
import { estimateReportFromFileSize } from '../file-size/size-report.js';
import { NO_SETTINGS } from '../settings/estimate-settings.js';
import { estimateReport, type EstimateReport } from './estimate-report.js';

const MIB = 1024 * 1024;
/** The log has two decimals of MiB. */
const LOG_ROUNDING_MIB = 0.00501;

async function reportOf(entry: CorpusEntry): Promise<EstimateReport> {
  return estimateReport(await corpusHeader(entry.model), settingsOf(entry));
}

describe('compared with the report of llama.cpp, on the CPU', () => {
  test.each(cpuCorpus().map((entry) => [entry.id, entry] as const))(
    '%s is exact to the byte',
    async (_id, entry) => {
      const { ram, totalBytes } = await reportOf(entry);
      const { measured } = entry;
      expect({
        weights: ram.weightsBytes,
        kvCache: ram.kvCacheBytes,
        recurrentState: ram.recurrentStateBytes,
        compute: ram.computeBytes,
        output: ram.outputBytes,
        total: ram.totalBytes,
      }).toEqual({
        weights: measured.weightsBytes,
        kvCache: measured.kvBytes,
        recurrentState: measured.recurrentBytes,
        compute: measured.computeBytes,
        output: measured.outputBytes,
        total: measured.totalBytes,
      });
      expect(Math.abs(ram.repackBytes / MIB - measured.repackMiB)).toBeLessThan(LOG_ROUNDING_MIB);
      expect(totalBytes).toBe(ram.totalBytes + ram.repackBytes);
    },
  );

  test('the interval contains at least 90 % of the loads', async () => {
    const loads = cpuCorpus().filter(({ measured }) => measured.rssDeltaBytes !== null);
    const inside = await Promise.all(
      loads.map(async (entry) => {
        const { interval } = await reportOf(entry);
        // The compute buffer becomes resident with the first batch, which came after the reading.
        const taken = (entry.measured.rssDeltaBytes ?? 0) + entry.measured.computeBytes;
        return interval !== null && taken >= interval.lowBytes && taken <= interval.highBytes;
      }),
    );
    expect(inside.filter(Boolean).length / loads.length).toBeGreaterThanOrEqual(0.9);
  });
});

describe('compared with the report of llama.cpp, with layers on a GPU', () => {
  // The software device holds buffers of at most 128 MiB. The large tensors of other models do not fit.
  const targets = gpuCorpus().filter(({ model }) => /^(tinyllama|llama-2-7b|phi-3\.5)/.test(model));
  // The attention scores of one entry are larger than 128 MiB.
  const comparable = targets.filter(({ id }) => !id.includes('c8192_b512_s1_nofa'));

  async function gpuReport(entry: (typeof targets)[number]): Promise<EstimateReport> {
    return estimateReport(await corpusHeader(entry.model), {
      ...NO_SETTINGS,
      contextLengthTokens: entry.contextLength,
      kvCacheTypeK: entry.kvType,
      kvCacheTypeV: entry.kvType,
      flashAttention: entry.flashAttention,
      batchTokens: entry.batch,
      ubatchTokens: entry.batch,
      parallelSequences: entry.parallel,
      kvUnified: false,
      gpuLayers: entry.gpuLayers,
      gpuBackend: 'vulkan',
      cpu: 'avx2',
    });
  }

  test.each(targets.map((entry) => [entry.id, entry] as const))(
    '%s splits weights and KV cache exactly',
    async (_id, entry) => {
      const { ram, gpus } = await gpuReport(entry);
      expect(ram.weightsBytes).toBe(entry.measured.model.cpuRam);
      expect(gpus[0]?.weightsBytes).toBe(entry.measured.model.gpuVram);
      const cache = entry.measured.kvSize.reduce((sum, { mib }) => sum + mib, 0);
      expect(ram.kvCacheBytes + (gpus[0]?.kvCacheBytes ?? 0)).toBe(cache * MIB);
    },
  );

  test.each(comparable.map((entry) => [entry.id, entry] as const))(
    '%s has exact compute buffers on the GPU and in RAM',
    async (_id, entry) => {
      const { ram, gpus } = await gpuReport(entry);
      const [gpu] = gpus;
      const truth = entry.measured.context.gpuVram - (gpu?.kvCacheBytes ?? 0);
      expect(gpu?.computeBytes).toBe(truth);
      expect(ram.kvCacheBytes + ram.computeBytes).toBe(entry.measured.context.cpuRam);
    },
  );
});

describe('the contract of mai estimate', () => {
  test('prints every setting in force', async () => {
    const header = await corpusHeader('qwen3-8b-q4km');
    const report = estimateReport(header, NO_SETTINGS);
    expect(report.architecture).toBe('qwen3');
    expect(report.loadConfig).toEqual({
      contextLengthTokens: 4096,
      kvCacheTypeK: 'f16',
      kvCacheTypeV: 'f16',
      flashAttention: true,
      batchTokens: 512,
      ubatchTokens: 512,
      parallelSequences: 4,
      kvUnified: true,
      swaFull: false,
      gpuLayers: 0,
      gpuBackend: 'none',
      cpu: 'auto',
    });
    expect(report.source).toBe('gguf-header');
  });

  test('a unified cache for several sequences has medium confidence, because the corpus has no such load', async () => {
    const header = await corpusHeader('qwen3-8b-q4km');
    const unified = estimateReport(header, {
      ...NO_SETTINGS,
      parallelSequences: 2,
      kvUnified: true,
    });
    expect(unified.confidence).toBe('medium');
    expect(unified.exactParts).not.toContain('compute');
    const split = estimateReport(header, {
      ...NO_SETTINGS,
      parallelSequences: 2,
      kvUnified: false,
    });
    expect(split.confidence).toBe('high');
    expect(split.exactParts).toContain('compute');
  });

  test('a unified cache for one sequence has medium confidence and an inexact compute buffer too', async () => {
    const header = await corpusHeader('qwen3-8b-q4km');
    const one = { ...NO_SETTINGS, parallelSequences: 1 };
    const unified = estimateReport(header, { ...one, kvUnified: true });
    expect(unified.confidence).toBe('medium');
    expect(unified.exactParts).not.toContain('compute');
    const split = estimateReport(header, { ...one, kvUnified: false });
    expect(split.confidence).toBe('high');
    expect(split.exactParts).toContain('compute');
  });

  test('the context counts for each sequence in a split cache, and for all sequences together in a unified cache', async () => {
    const header = await corpusHeader('qwen3-8b-q4km');
    const settings = { ...NO_SETTINGS, contextLengthTokens: 4096, parallelSequences: 2 };
    const unified = estimateReport(header, { ...settings, kvUnified: true });
    const split = estimateReport(header, { ...settings, kvUnified: false });
    expect(split.ram.kvCacheBytes).toBe(2 * unified.ram.kvCacheBytes);
  });

  test('RAM and GPUs add up to the total', async () => {
    const header = await corpusHeader('llama-3.2-1b-q4km');
    const report = estimateReport(header, { ...NO_SETTINGS, gpuBackend: 'cuda', gpuLayers: 8 });
    const [gpu] = report.gpus;
    expect(report.totalBytes).toBe(
      report.ram.totalBytes + report.ram.repackBytes + (gpu?.totalBytes ?? 0),
    );
    expect(report.ram.mappedBytes + report.ram.anonymousBytes).toBe(
      report.ram.totalBytes + report.ram.repackBytes,
    );
  });

  test.each([
    { gpuLayers: 4 },
    { contextLengthTokens: 0 },
    { flashAttention: false, kvCacheTypeV: 'q8_0' as const },
    { parallelSequences: 1.5 },
    { parallelSequences: Number.NaN },
    { parallelSequences: 4, batchTokens: 3 },
    { kvCacheTypeK: 'q6_K' as never },
  ])('refuses %j', async (settings: Partial<EstimateSettings>) => {
    const header = await corpusHeader('llama-3.2-1b-q4km');
    expect(() => estimateReport(header, { ...NO_SETTINGS, ...settings })).toThrow(RangeError);
  });
});

describe('a header that contradicts itself', () => {
  const settings = { ...NO_SETTINGS, parallelSequences: 1, kvUnified: false };

  test.each([
    ['qwen3-0.6b-q8', 'qwen3.attention.head_count'],
    ['qwen3-0.6b-q8', 'qwen3.attention.head_count_kv'],
    ['qwen3-0.6b-q8', 'qwen3.attention.value_length'],
    ['qwen3-0.6b-q8', 'qwen3.embedding_length'],
    ['phi-3.5-mini-q4km', 'phi3.attention.head_count'],
    ['deepseek-v2-lite-E16-q4km', 'deepseek2.attention.head_count_kv'],
    ['deepseek-v2-lite-legacy-q8', 'deepseek2.attention.head_count'],
    ['deepseek-v2-lite-legacy-q8', 'deepseek2.attention.key_length'],
    ['falcon-h1-1.5b-q4km', 'falcon-h1.ssm.conv_kernel'],
    ['falcon-h1-1.5b-q4km', 'falcon-h1.ssm.group_count'],
    ['falcon-h1-1.5b-q4km', 'falcon-h1.ssm.state_size'],
    ['qwen3next-L8-E32-q4km', 'qwen3next.ssm.time_step_rank'],
  ])('gives no exact part except the weights: %s without %s', async (model, key) => {
    const header = await corpusHeader(model);
    expect(estimateReport(header, settings).confidence).toBe('high');
    const metadata = new Map(header.metadata);
    expect(metadata.delete(key)).toBe(true);
    const { confidence, exactParts } = estimateReport({ ...header, metadata }, settings);
    expect(confidence).toBe('low');
    for (const part of exactParts) expect(['weights', 'repack']).toContain(part);
  });

  test.each([
    ['llama-3.2-1b-q4km', 'llama.embedding_length', 2 ** 63],
    ['llama-3.2-1b-q4km', 'llama.attention.head_count_kv', 2 ** 63],
    ['llama-3.2-1b-q4km', 'llama.attention.head_count', 2 ** 40],
    ['llama-3.2-1b-q4km', 'llama.attention.key_length', 2 ** 31],
    ['qwen3next-L8-E32-q4km', 'qwen3next.nextn_predict_layers', 8],
  ])('gives no exact part except the weights: %s with %s of %d', async (model, key, value) => {
    const header = await corpusHeader(model);
    const metadata = new Map(header.metadata).set(key, value);
    const { confidence, exactParts, totalBytes } = estimateReport(
      { ...header, metadata },
      settings,
    );
    expect(confidence).toBe('low');
    for (const part of exactParts) expect(['weights', 'repack']).toContain(part);
    expect(Number.isSafeInteger(totalBytes)).toBe(true);
  });

  test('changes nothing where the architecture has no layers for multi-token prediction', async () => {
    const header = await corpusHeader('llama-3.2-1b-q4km');
    const metadata = new Map(header.metadata).set('llama.nextn_predict_layers', 16);
    const changed = estimateReport({ ...header, metadata }, settings);
    expect(changed.totalBytes).toBe(estimateReport(header, settings).totalBytes);
  });

  test('has no exact weights where a file of a split model is missing', async () => {
    const header = await corpusHeader('qwen3-0.6b-q8');
    const tensors = header.tensors.slice(0, -10);
    const metadata = new Map(header.metadata).set('split.tensors.count', header.tensors.length);
    const { confidence, exactParts } = estimateReport({ ...header, tensors, metadata }, settings);
    expect(confidence).toBe('low');
    expect(exactParts).not.toContain('weights');
    expect(exactParts).not.toContain('compute');
  });
});

describe('an estimate from the file size', () => {
  const facts = { sizeBytes: 4_000_000_000, format: 'mlx', architecture: 'qwen3', layers: 36 };

  test('has its parts on one device, no exact part, and a total that is their sum', () => {
    for (const settings of [
      NO_SETTINGS,
      { ...NO_SETTINGS, gpuBackend: 'metal' as const },
      { ...NO_SETTINGS, gpuBackend: 'metal' as const, gpuLayers: 0 },
    ]) {
      const { ram, gpus, totalBytes, ...rest } = estimateReportFromFileSize(facts, settings);
      expect(rest).toMatchObject({ source: 'file-size', confidence: 'low', exactParts: [] });
      for (const { weightsBytes, kvCacheBytes, computeBytes, ...device } of [ram, ...gpus])
        expect(weightsBytes + kvCacheBytes + computeBytes).toBe(device.totalBytes);
      expect(ram.mappedBytes + ram.anonymousBytes).toBe(ram.totalBytes);
      expect([ram, ...gpus].reduce((sum, device) => sum + device.totalBytes, 0)).toBe(totalBytes);
      expect(totalBytes).toBeGreaterThan(facts.sizeBytes);
      expect(gpus.length).toBe(settings.gpuBackend === null ? 0 : 1);
    }
  });

  test('has mapped weights only if the engine does not lock them', () => {
    const gguf = { ...facts, format: 'gguf' };
    const lmstudio = resolveEngineProfile({
      engine: 'lmstudio',
      runtimeVersion: null,
      backend: null,
    });
    expect(estimateReportFromFileSize(gguf, NO_SETTINGS).ram.mappedBytes).toBe(gguf.sizeBytes);
    expect(estimateReportFromFileSize(gguf, NO_SETTINGS, lmstudio).ram.mappedBytes).toBe(0);
  });

  test('names the profile, the settings that came from it, and the range of each part', () => {
    const lmstudio = resolveEngineProfile({
      engine: 'lmstudio',
      runtimeVersion: '2.28.2',
      backend: null,
    });
    const settings = { ...NO_SETTINGS, parallelSequences: 2 };
    const { profile, partIntervals, interval } = estimateReportFromFileSize(
      facts,
      settings,
      lmstudio,
    );
    expect(profile).toMatchObject({ engine: 'lmstudio', runtimeVersion: '2.28.2' });
    const names = profile.settings.map(({ setting }) => setting);
    expect(names).toContain('contextLengthTokens');
    expect(names).not.toContain('parallelSequences');
    const ends = Object.values(partIntervals);
    expect(ends.reduce((sum, { lowBytes }) => sum + lowBytes, 0)).toBe(interval?.lowBytes);
    expect(ends.reduce((sum, { highBytes }) => sum + highBytes, 0)).toBe(interval?.highBytes);
  });

  test('grows with the context', () => {
    const at = (contextLengthTokens: number) =>
      estimateReportFromFileSize(facts, { ...NO_SETTINGS, contextLengthTokens }).totalBytes;
    expect(at(32_768)).toBeGreaterThan(at(4096));
  });
});
