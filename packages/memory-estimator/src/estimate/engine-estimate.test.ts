import { DEFAULT_LOAD_CONFIG, totalBytesOf } from '@mai/memory-ledger';
import { corpusHeader } from '../../test/corpus.js';
import { headerOf, languageModel, type MetadataValue } from '../../test/language-model.js';
import { recordedHeader } from '../../test/lmstudio-loads.js';
import { resolveEngineProfile, withKnownSettings } from '../profile/resolve-profile.js';
import type { ProfileValues } from '../profile/engine-profile.js';
import { CPU_ENVIRONMENT, type EstimateEnvironment } from '../load/environment.js';
import { estimateFootprint } from './estimate-footprint.js';
import { VERSION_DRIFT } from './interval.js';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const LOAD = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 8192 };

function lmStudio(
  version: string,
  values: Partial<ProfileValues> = {},
  facts: Partial<EstimateEnvironment> = {},
): EstimateEnvironment {
  const profile = resolveEngineProfile({
    engine: 'lmstudio',
    runtimeVersion: version,
    backend: 'cuda',
  });
  return {
    ...CPU_ENVIRONMENT,
    gpuBackend: 'cuda',
    gpus: [{ deviceKey: 'gpu:0', availableBytes: null }],
    profile: withKnownSettings(profile, values, 'the test'),
    ...facts,
  };
}

describe('a default that is not known', () => {
  test('widens the interval to both values, and makes the part inexact', async () => {
    const header = await corpusHeader('gemma-3-1b-q4km');
    const at = (values: Partial<ProfileValues>) =>
      estimateFootprint(header, LOAD, lmStudio('2.28.2', { flashAttention: true, ...values }));
    const open = at({ reservedLogits: 'asked-outputs' });
    const windowed = at({ reservedLogits: 'asked-outputs', swaFull: false });
    const full = at({ reservedLogits: 'asked-outputs', swaFull: true });
    expect(windowed.exactParts).toContain('kvCache');
    expect(full.exactParts).toContain('kvCache');
    expect(open.exactParts).not.toContain('kvCache');
    expect(open.exactParts).toContain('output');
    const cache = (estimate: typeof open) =>
      estimate.parts.gpus.reduce((sum, gpu) => sum + gpu.kvCacheBytes, 0);
    expect(open.partIntervals.kvCacheBytes).toEqual({
      lowBytes: cache(windowed),
      highBytes: cache(full),
    });
    expect(open.interval?.highBytes).toBe(full.interval?.highBytes);
    expect(open.interval?.lowBytes).toBe(windowed.interval?.lowBytes);
    expect(open.notes.join()).toMatch(/defaults of LM Studio 2\.28\.2 are not known/);
    expect(full.notes.join()).not.toMatch(/not known/);
  });

  test('leaves every total within its interval', async () => {
    const header = await corpusHeader('qwen3-8b-q4km');
    const { interval } = estimateFootprint(header, LOAD, lmStudio('2.28.2'));
    for (const flashAttention of [true, false]) {
      const known = estimateFootprint(header, { ...LOAD, flashAttention }, lmStudio('2.28.2'));
      expect(totalBytesOf(known)).toBeGreaterThan(interval?.lowBytes ?? NaN);
      expect(totalBytesOf(known)).toBeLessThan(interval?.highBytes ?? NaN);
    }
  });
});

test('an estimate names its profile and the settings that came from it', async () => {
  const header = await corpusHeader('qwen3-8b-q4km');
  const { profile, settings } = estimateFootprint(header, LOAD, lmStudio('2.28.2'));
  expect(profile).toMatchObject({ engine: 'lmstudio', runtimeVersion: '2.28.2', backend: 'cuda' });
  expect(profile.settings.map(({ setting }) => setting)).not.toContain('contextLengthTokens');
  expect(profile.settings).toContainEqual(
    expect.objectContaining({ setting: 'parallelSequences', value: 4, isKnown: true }),
  );
  expect(settings).not.toHaveProperty('locksWeights');
});

test("a default context is never longer than the model's", async () => {
  const header = await corpusHeader('tinyllama-1.1b-q8');
  const { settings } = estimateFootprint(header, DEFAULT_LOAD_CONFIG, lmStudio('2.28.2'));
  expect(settings.contextLengthTokens).toBe(2048);
  const long = await corpusHeader('qwen3-8b-q4km');
  const open = estimateFootprint(long, DEFAULT_LOAD_CONFIG, lmStudio('2.23.0'));
  const cellBytes = (open.partIntervals.kvCacheBytes.lowBytes ?? 0) / 8192;
  expect(open.partIntervals.kvCacheBytes.highBytes / cellBytes).toBe(40_960);
});

test('locked weights are anonymous', async () => {
  const header = await corpusHeader('qwen3-8b-q4km');
  const at = (locksWeights: boolean) =>
    estimateFootprint(header, LOAD, lmStudio('2.28.2', { locksWeights }));
  expect(at(true).ram.mappedBytes).toBe(0);
  expect(at(false).ram.mappedBytes).toBe(at(false).parts.ram.weightsBytes);
  expect(at(true).totalBytes).toBe(at(false).totalBytes);
});

test('the batch of an embedding model is as long as its context', async () => {
  const header = await recordedHeader('qwen3-embedding-4b-q5_k');
  const at = (isEmbedding: boolean) =>
    estimateFootprint(
      header,
      { ...LOAD, flashAttention: true },
      lmStudio('2.28.2', {}, { isEmbedding }),
    );
  const compute = (isEmbedding: boolean) => at(isEmbedding).parts.gpus[0]?.computeBytes ?? 0;
  // The logits of 8192 tokens, each over a vocabulary of 151,665, take most of the buffer.
  expect(compute(true)).toBeGreaterThan(8192 * 151_665 * 4);
  expect(compute(false)).toBeLessThan(512 * MIB);
  // Embeddings are pooled from all tokens, whatever outputs a chat asks for.
  const names = (isEmbedding: boolean) => at(isEmbedding).profile.settings.map((s) => s.setting);
  expect(names(true)).not.toContain('reservedLogits');
  expect(names(false)).toContain('reservedLogits');
});

describe('the upper end of an interval', () => {
  const aboveTotal = async (profile: EstimateEnvironment['profile']) => {
    const header = await corpusHeader('qwen3-8b-q4km');
    const estimate = estimateFootprint(header, LOAD, { ...CPU_ENVIRONMENT, profile });
    const totalBytes = totalBytesOf(estimate);
    return {
      aboveBytes:
        (estimate.interval?.highBytes ?? 0) - totalBytes * (1 + VERSION_DRIFT[estimate.confidence]),
      engineBytes: estimate.parts.ram.engineBytes,
    };
  };

  test('has 32 MiB for the process of the embedded engine, whose own memory was measured', async () => {
    const { aboveBytes, engineBytes } = await aboveTotal(
      resolveEngineProfile({ engine: 'embedded' }),
    );
    expect(engineBytes).toBeGreaterThan(0);
    expect(Math.abs(aboveBytes - (32 * MIB + 0.5 * engineBytes))).toBeLessThan(MIB);
  });

  test('has 192 MiB and the tokenizer for an engine whose own memory is not known', async () => {
    const { aboveBytes, engineBytes } = await aboveTotal(
      resolveEngineProfile({ engine: 'llama.cpp' }),
    );
    expect(engineBytes).toBe(0);
    expect(aboveBytes).toBeGreaterThan(192 * MIB);
  });
});

describe('drafts', () => {
  test('multiply the recurrent state by 1 + draft tokens, and have a separate context', async () => {
    const header = await recordedHeader('qwen3.8-27b-mtp');
    const at = (draftTokens: number) =>
      estimateFootprint(header, LOAD, lmStudio('2.37.0', { draftTokens })).parts;
    const [none] = at(0).gpus;
    const [three] = at(3).gpus;
    expect(none?.recurrentStateBytes).toBe(598.5 * MIB);
    expect(three?.recurrentStateBytes).toBe(4 * 598.5 * MIB);
    expect(none?.draftBytes).toBe(0);
    // It includes the weights of a layer (228 MiB) and a cache of 32 MiB.
    expect(three?.draftBytes).toBeGreaterThan(260 * MIB);
  });

  test('take the weights and the context of a draft model', async () => {
    const header = await corpusHeader('qwen3-8b-q4km');
    const draftModel = await corpusHeader('qwen3-0.6b-q8');
    const environment = lmStudio('2.28.2', { draftTokens: 3 }, { draftModel });
    const { parts } = estimateFootprint(header, LOAD, environment);
    const own = estimateFootprint(draftModel, LOAD, lmStudio('2.28.2', {}));
    const total = parts.ram.draftBytes + (parts.gpus[0]?.draftBytes ?? 0);
    expect(total).toBe(own.totalBytes);
  });

  test('take no memory for a model that cannot draft', async () => {
    const header = await corpusHeader('qwen3-8b-q4km');
    const { partIntervals } = estimateFootprint(header, LOAD, lmStudio('2.37.0'));
    expect(partIntervals.draftBytes).toEqual({ lowBytes: 0, highBytes: 0 });
  });
});

describe('growth', () => {
  const growthOf = async (model: string, version: string, values: Partial<ProfileValues> = {}) =>
    estimateFootprint(await recordedHeader(model), LOAD, lmStudio(version, values)).growth;

  test('is the prompt cache and 32 copies of the recurrent state of each slot', async () => {
    const growth = await growthOf('qwen3.8-27b-mtp', '2.37.0');
    // Each copy is 149.6 MiB, so the copies of one slot take 4.8 GB.
    const checkpoints = 4 * 32 * 149.625 * MIB;
    expect(growth).toMatchObject({
      mostBytes: 8 * GIB + checkpoints,
      parts: [
        { kind: 'prompt-cache', mostBytes: 8 * GIB, isKnown: true },
        { kind: 'context-checkpoints', mostBytes: checkpoints, isKnown: true },
      ],
    });
  });

  test('is not part of the total or of its interval', async () => {
    const header = await recordedHeader('qwen3.8-27b-mtp');
    const at = (promptCacheBytes: number) =>
      estimateFootprint(header, LOAD, lmStudio('2.37.0', { promptCacheBytes }));
    expect(at(8 * GIB).totalBytes).toBe(at(0).totalBytes);
    expect(at(8 * GIB).interval).toEqual(at(0).interval);
    expect(at(8 * GIB).growth.mostBytes - at(0).growth.mostBytes).toBe(8 * GIB);
  });

  test('has copies of the windowed cache, unless that cache is full-size', async () => {
    const window = await growthOf('gemma-3-27b', '2.37.0', { swaFull: false });
    // 52 of 62 layers; keys and values of 16 heads of 128 as F16; a window of 1024 tokens.
    const each = 52 * 2 * 16 * 128 * 2 * 1024;
    expect(window.parts[1]).toMatchObject({ mostBytes: 4 * 32 * each, isKnown: true });
    // In a runtime that may copy the whole cache, one sequence may have the cells of four windows and a batch.
    const older = await growthOf('gemma-3-27b', '2.22.0', { swaFull: false });
    expect(older.parts[1]).toMatchObject({ mostBytes: 4 * 32 * 4.5 * each, isKnown: false });
    const full = await growthOf('gemma-3-27b', '2.37.0', { swaFull: true });
    expect(full.parts.map(({ kind }) => kind)).toEqual(['prompt-cache']);
    const open = await growthOf('gemma-3-27b', '2.37.0');
    expect(open.parts[1]).toMatchObject({ mostBytes: 4 * 32 * each, isKnown: false });
  });

  describe('of an embedding model', () => {
    const partsOf = async (model: string, version: string) =>
      estimateFootprint(
        await recordedHeader(model),
        { ...LOAD, flashAttention: true },
        lmStudio(version, {}, { isEmbedding: true }),
      ).growth.parts.map(({ kind, mostBytes, isKnown }) => [kind, mostBytes, isKnown]);
    // Logits over a vocabulary of 151,665, and 2560 numbers of embedding. 4 rows are reserved at the load.
    const outputs = (tokens: number) => 4 * (151_665 + 2560) * (tokens - 4);

    test('has the outputs of all tokens of its context, and the prompts that an idle slot leaves', async () => {
      expect(await partsOf('qwen3-embedding-4b-q5_k', '2.28.2')).toEqual([
        ['embedding-outputs', outputs(8192), true],
        ['prompt-cache', 8 * GIB, false],
      ]);
    });

    test('has no checkpoints', async () => {
      expect(await partsOf('gemma-3-27b', '2.28.2')).toEqual([
        ['embedding-outputs', expect.any(Number), true],
        ['prompt-cache', 8 * GIB, false],
      ]);
    });

    test('has no prompts in a runtime without a prompt cache', async () => {
      expect(await partsOf('qwen3-embedding-4b-q5_k', '1.52.1')).toEqual([
        ['embedding-outputs', 4 * (151_665 + 2560) * (8192 - 1), true],
      ]);
    });

    test('may have the outputs in runtimes before August 2025', async () => {
      expect(await partsOf('qwen3-embedding-4b-q5_k', '1.43.0')).toEqual([
        ['embedding-outputs', expect.any(Number), false],
      ]);
    });

    test('without a cache has no prompts', async () => {
      const { metadata, tensors } = languageModel();
      const renamed = [...metadata].map(([key, value]) => [key.replace('llama.', 'bert.'), value]);
      const named = new Map([...renamed, ['general.architecture', 'bert']] as [
        string,
        MetadataValue,
      ][]);
      const bert = await headerOf({ metadata: named, tensors });
      const environment = lmStudio('2.28.2', {}, { isEmbedding: true });
      const { growth, profile } = estimateFootprint(bert, LOAD, environment);
      expect(growth.parts.map(({ kind }) => kind)).toEqual(['embedding-outputs']);
      expect(profile.settings.map(({ setting }) => setting)).not.toContain('promptCacheBytes');
    });
  });

  test('includes a prompt cache that the version may have, even if the load itself is certain', async () => {
    const header = await corpusHeader('qwen3-8b-q4km');
    const environment = lmStudio('2.12.0');
    const { growth, notes } = estimateFootprint(
      header,
      { ...LOAD, flashAttention: true },
      environment,
    );
    expect(notes.join()).not.toMatch(/not known/);
    expect(growth.parts).toMatchObject([
      { kind: 'prompt-cache', mostBytes: 8 * GIB, isKnown: false },
    ]);
  });

  test('is 0 bytes for runtimes of 2025 and for plain llama.cpp', async () => {
    expect(await growthOf('gemma-3-27b', '1.52.1')).toMatchObject({
      mostBytes: 0,
      ramBytes: 0,
      parts: [],
    });
    const header = await corpusHeader('qwen3-8b-q4km');
    expect(estimateFootprint(header, LOAD).growth).toMatchObject({
      mostBytes: 0,
      ramBytes: 0,
      parts: [],
    });
  });
});

describe('a vision projector', () => {
  test.each([
    ['gemma3', 512],
    ['mlp', 32],
  ])(
    'of type %s gives the embedded engine a batch of %i tokens on the CPU',
    async (type, batch) => {
      const header = await corpusHeader('gemma-3-1b-q4km');
      const projector = await corpusHeader('qwen3-0.6b-q8');
      const visionProjector = {
        ...projector,
        metadata: new Map([...projector.metadata, ['clip.projector_type', type]]),
      };
      const profile = resolveEngineProfile({ engine: 'embedded', platform: 'linux-x64' });
      const of = (facts: Partial<EstimateEnvironment>) =>
        estimateFootprint(header, LOAD, { ...CPU_ENVIRONMENT, profile, ...facts });
      const given = of({ batchTokens: batch, ubatchTokens: batch });
      expect(of({ visionProjector }).parts.ram.computeBytes).toBe(given.parts.ram.computeBytes);
    },
  );

  test('whose header lacks sizes is counted without the encoder, and a note says so', async () => {
    const header = await corpusHeader('qwen3-8b-q4km');
    const visionProjector = await corpusHeader('qwen3-0.6b-q8');
    const environment = lmStudio('2.28.2', {}, { visionProjector });
    const { parts, notes, partIntervals } = estimateFootprint(header, LOAD, environment);
    expect(parts.gpus[0]?.visionProjectorBytes).toBe(visionProjector.tensorBytes);
    expect(parts.gpus[0]?.visionEncoderBytes).toBe(0);
    expect(partIntervals.visionEncoderBytes.highBytes).toBeGreaterThan(512 * MIB);
    expect(notes.join()).toMatch(/compute buffers of the vision projector are not counted/);
  });
});
