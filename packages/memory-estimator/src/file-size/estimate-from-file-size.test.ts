import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import type { GgufHeader } from '../gguf/gguf-header.js';
import { readGgufHeader } from '../gguf/read-gguf-header.js';
import { estimateMlx } from '../mlx/estimate-mlx.js';
import type { MlxModel } from '../mlx/read-mlx-model.js';
import type { EngineProfile } from '../profile/engine-profile.js';
import { resolveEngineProfile, withKnownSettings } from '../profile/resolve-profile.js';
import { NO_SETTINGS } from '../settings/estimate-settings.js';
import { headerOf, languageModel } from '../../test/language-model.js';
import { CPU_ENVIRONMENT, type EstimateEnvironment } from '../load/environment.js';
import { estimateFootprint } from '../estimate/estimate-footprint.js';
import { estimateFromFileSize } from './estimate-from-file-size.js';
import { estimateReportFromFileSize } from './size-report.js';

const GIB = 1024 ** 3;
const on = (profile: EngineProfile): EstimateEnvironment => ({ ...CPU_ENVIRONMENT, profile });
const lmStudio = (runtimeVersion: string): EstimateEnvironment =>
  on(resolveEngineProfile({ engine: 'lmstudio', runtimeVersion, backend: null }));
const GGUF = { sizeBytes: 4 * GIB, format: 'gguf', architecture: null };
const partsOf = ({ growth }: ReturnType<typeof estimateFromFileSize>) =>
  growth.parts.map(({ kind, mostBytes, isKnown }) => [kind, mostBytes, isKnown]);

test('in LM Studio, an unknown GGUF model may grow by the prompt cache and by the largest checkpoints', () => {
  const load = { ...DEFAULT_LOAD_CONFIG, parallelSequences: 2 };
  const { growth } = estimateFromFileSize(GGUF, load, lmStudio('2.28.2'));
  // 32 checkpoints for each of 2 slots, each at most 15 % of the file.
  const checkpoints = 32 * 2 * 0.15 * 4 * GIB;
  expect(growth.ramBytes).toBeCloseTo(8 * GIB + checkpoints, -1);
  expect(growth.gpus).toEqual([]);
});

test.each([
  ['llama', false],
  ['gemma3', true],
  ['qwen35', true],
  ['brand-new', true],
])('a model of the architecture %s may have checkpoints: %s', (architecture, has) => {
  const { growth } = estimateFromFileSize(
    { ...GGUF, architecture },
    DEFAULT_LOAD_CONFIG,
    lmStudio('2.28.2'),
  );
  expect(growth.parts.some(({ kind }) => kind === 'context-checkpoints')).toBe(has);
});

test.each([
  ['of 2025 keeps neither prompts nor checkpoints', '1.52.1', []],
  ['may already keep prompts', '2.10.1', [['prompt-cache', 8 * GIB, false]]],
])('a runtime that %s', (_, version, parts) => {
  expect(partsOf(estimateFromFileSize(GGUF, DEFAULT_LOAD_CONFIG, lmStudio(version)))).toEqual(
    parts,
  );
});

test.each([
  [{ sizeBytes: Number.NaN }, {}],
  [{ sizeBytes: Infinity }, {}],
  [{ sizeBytes: -1 }, {}],
  [{}, { contextLengthTokens: 0 }],
  [{}, { contextLengthTokens: Number.NaN }],
  [{}, { parallelSequences: 0 }],
  [{}, { offloadRatio: Number.NaN }],
])('a size or figure that no load can have throws a RangeError: %j %j', (facts, figures) => {
  const ask = () =>
    estimateFromFileSize({ ...GGUF, ...facts }, { ...DEFAULT_LOAD_CONFIG, ...figures });
  expect(ask).toThrow(RangeError);
});

describe('a model of unknown shape whose KV cache is in RAM', () => {
  const profile = withKnownSettings(
    resolveEngineProfile({ engine: 'lmstudio', runtimeVersion: '2.28.2', backend: 'cuda' }),
    { offloadsKvCache: false },
    'the load',
  );
  const gpus = [{ deviceKey: 'gpu:0', availableBytes: null }];
  const onGpu: EstimateEnvironment = { ...on(profile), gpuBackend: 'cuda', gpus };
  const load = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 8192 };
  // 96 KiB for each token.
  const cache = 8192 * 96 * 1024;

  test.each([
    ['gguf', false, cache],
    // LM Studio has the setting for language models only, and mlx-engine does not have it.
    ['gguf', true, 0],
    ['mlx', false, 0],
  ])('%s, for embeddings: %s, has %d bytes of it in RAM', (format, isEmbedding, bytes) => {
    const facts = { ...GGUF, format, isEmbedding };
    const { ram, gpus: devices } = estimateFromFileSize(facts, load, onGpu);
    expect(ram.anonymousBytes).toBe(bytes);
    expect(devices[0]?.bytes).toBe(4 * GIB + Math.round(0.08 * 4 * GIB) + cache - bytes);
  });

  test('has parts in the report that add up to its footprint', () => {
    const settings = { ...NO_SETTINGS, contextLengthTokens: 8192, gpuBackend: 'cuda' as const };
    const { ram, gpus: devices } = estimateReportFromFileSize(
      { ...GGUF, layers: null },
      settings,
      profile,
    );
    expect([ram.kvCacheBytes, ram.totalBytes, ram.anonymousBytes]).toEqual([cache, cache, cache]);
    expect(devices).toMatchObject([{ kvCacheBytes: 0, weightsBytes: 4 * GIB }]);
  });
});

test.each([
  [null, [['prompt-cache', 8 * GIB, false]]],
  ['qwen3', [['prompt-cache', 8 * GIB, false]]],
  ['nomic-bert', []],
])('an embedding model of the architecture %s may keep prompts: %j', (architecture, parts) => {
  const facts = { ...GGUF, isEmbedding: true, architecture };
  expect(partsOf(estimateFromFileSize(facts, DEFAULT_LOAD_CONFIG, lmStudio('2.28.2')))).toEqual(
    parts,
  );
});

test('the embedded engine keeps no prompts', () => {
  const profile = resolveEngineProfile({ engine: 'embedded' });
  expect(estimateFromFileSize(GGUF, DEFAULT_LOAD_CONFIG, on(profile)).growth.mostBytes).toBe(0);
});

test('an unknown MLX model may fill the KV cache of each sequence, and the upper end includes that of the first', () => {
  const facts = { sizeBytes: 4 * GIB, format: 'mlx', architecture: null };
  const load = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 8192 };
  const { growth } = estimateFromFileSize(facts, load, lmStudio('2.28.2'));
  // 96 KiB for each token in the footprint, and four times as much at most.
  const cache = 8192 * 96 * 1024;
  expect(growth.parts.map(({ kind, mostBytes }) => [kind, mostBytes])).toEqual([
    ['kv-cache', 4 * 4 * cache - cache],
    ['engine-reserve', 3 * GIB],
  ]);
  expect(growth.inUpperEndBytes).toBe(3 * cache);
  expect(estimateFromFileSize(facts, { ...load, parallelSequences: 1 }).growth.mostBytes).toBe(
    4 * cache - cache + 3 * GIB,
  );
});

test('an MLX model whose config does not tell its caches may grow by the largest usual caches', () => {
  const model: MlxModel = {
    folder: '/models/new',
    shape: null,
    architecture: 'new',
    layers: 1,
    maxContextTokens: null,
    cache: null,
    weightsBytes: GIB,
    complete: true,
  };
  const load = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 4096, parallelSequences: 2 };
  expect(estimateMlx(model, load).growth.mostBytes).toBe(2 * 4 * 96 * 1024 * 4096 + 3 * GIB);
});

describe('a header that does not tell the state of a sequence', () => {
  const sized = async (change: (header: GgufHeader) => GgufHeader) =>
    estimateFootprint(
      change(await headerOf(languageModel())),
      DEFAULT_LOAD_CONFIG,
      lmStudio('2.28.2'),
    ).growth.parts.find(({ kind }) => kind === 'context-checkpoints');
  const renamed = (header: GgufHeader, more: [string, number][]): GgufHeader => ({
    ...header,
    architecture: 'brand-new',
    metadata: new Map([
      ...[...header.metadata].map(
        ([key, value]) => [key.replace(/^llama\./, 'brand-new.'), value] as const,
      ),
      ['general.architecture', 'brand-new'],
      ...more,
    ]),
  });

  test('a known architecture without a state has no checkpoints', async () => {
    expect(await sized((header) => header)).toBeUndefined();
  });

  test('an unknown architecture without a key of a state has none either', async () => {
    expect(await sized((header) => renamed(header, []))).toBeUndefined();
  });

  test.each(['ssm.state_size', 'wkv.head_size', 'attention.sliding_window'])(
    'an unknown architecture with %s may have the largest checkpoints',
    async (key) => {
      const { tensorBytes } = await headerOf(languageModel());
      expect(await sized((header) => renamed(header, [[`brand-new.${key}`, 4]]))).toMatchObject({
        mostBytes: Math.round(32 * 4 * 0.15 * tensorBytes),
        isKnown: false,
      });
    },
  );
});

test('checkpoints of gpt-oss, whose window has 128 tokens, are at most 0.2 % of the file each', () => {
  const { growth } = estimateFromFileSize(
    { ...GGUF, architecture: 'gpt-oss' },
    { ...DEFAULT_LOAD_CONFIG, parallelSequences: 2 },
    lmStudio('2.28.2'),
  );
  expect(growth.ramBytes).toBeCloseTo(8 * GIB + 32 * 2 * 0.002 * 4 * GIB, -1);
});

// Runtimes may copy all cells of a windowed cache up to 2.22.0. Later ones copy the window.
test.each(['2.22.0', '2.28.2'])(
  'with runtime %s, no model of the corpus and of the recorded loads has larger checkpoints than a model of which only the size and the architecture are known',
  async (version) => {
    const folders = ['../../test/corpus/headers', '../../../../bench/data/lmstudio-loads/headers'];
    let compared = 0;
    for (const folder of folders.map((one) => path.join(__dirname, one))) {
      for (const name of readdirSync(folder)) {
        const bytes = readFileSync(path.join(folder, name));
        const header = await readGgufHeader(name.endsWith('.gz') ? gunzipSync(bytes) : bytes);
        const load = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 32_768 };
        const checkpointsOf = ({ growth }: ReturnType<typeof estimateFromFileSize>) =>
          growth.parts.find(({ kind }) => kind === 'context-checkpoints')?.mostBytes ?? 0;
        const known = checkpointsOf(estimateFootprint(header, load, lmStudio(version)));
        if (known === 0) continue;
        compared += 1;
        const { tensorBytes: sizeBytes, architecture } = header;
        const sized = { sizeBytes, format: 'gguf', architecture };
        expect(known).toBeLessThan(
          checkpointsOf(estimateFromFileSize(sized, load, lmStudio(version))),
        );
      }
    }
    expect(compared).toBeGreaterThan(8);
  },
);
