import { toInstanceSettings } from './instance-settings.js';

// The defaults of a load in July 2026, from the schema of lmstudio-js (packages/lms-kv-config).
const FIELDS = [
  { key: 'llm.load.useUnifiedKvCache', value: true },
  { key: 'llm.load.llama.evalBatchSize', value: 2048 },
  { key: 'llm.load.llama.physicalBatchSize', value: 512 },
  { key: 'llm.load.llama.contextCheckpoints', value: 32 },
  { key: 'llm.load.llama.autoFit', value: true },
  { key: 'llm.load.mlx.autoFit', value: false },
  { key: 'llm.load.mlx.diskCache', value: true },
  { key: 'llm.load.autoFitMinContextLength', value: 0 },
  { key: 'llm.load.llama.speculativeDecoding.draftMtp', value: false },
  { key: 'llm.load.llama.speculativeDecoding.draftMaxTokens', value: 3 },
  { key: 'llm.load.llama.tryMmap', value: true },
  {
    key: 'load.gpuSplitConfig',
    value: { strategy: 'evenly', disabledGpus: [1], priority: [], customRatio: [] },
  },
  { key: 'load.gpuStrictVramCap', value: false },
];

test('reads the settings of an instance', () => {
  expect(toInstanceSettings('llm', 'gguf', FIELDS)).toEqual({
    kvUnified: true,
    batchTokens: 2048,
    ubatchTokens: 512,
    contextCheckpoints: 32,
    draftTokens: 0,
    draftMethods: [],
    draftModelKey: null,
    autoFit: true,
    autoFitMinContextTokens: 0,
    offloadKvCacheToGpu: null,
    tryMmap: true,
    tryDirectIo: null,
    numExperts: null,
    gpuSplit: { strategy: 'evenly', disabledGpus: [1], priority: [], customRatio: [] },
    gpuStrictVramCap: false,
    mlxDiskCache: true,
    mlxKvCache: null,
  });
  expect(toInstanceSettings('llm', 'mlx', FIELDS).autoFit).toBe(false);
});

test('settings that LM Studio does not report are null, also the number of draft tokens', () => {
  const { draftMethods, ...settings } = toInstanceSettings('llm', 'gguf', []);
  expect(draftMethods).toEqual([]);
  expect(Object.values(settings).every((value) => value === null)).toBe(true);
});

test('numbers that no load can have are null, because an estimate of the instance would fail with them', () => {
  const settings = toInstanceSettings('llm', 'gguf', [
    { key: 'llm.load.llama.evalBatchSize', value: 0 },
    { key: 'llm.load.llama.physicalBatchSize', value: 1.5 },
    { key: 'llm.load.llama.contextCheckpoints', value: -1 },
    { key: 'llm.load.llama.speculativeDecoding.draftMtp', value: true },
    { key: 'llm.load.llama.speculativeDecoding.draftMaxTokens', value: 1e300 },
  ]);
  expect(settings).toMatchObject({
    batchTokens: null,
    ubatchTokens: null,
    contextCheckpoints: null,
    draftTokens: null,
  });
});

test('reads how an instance drafts tokens, and the quantized cache of MLX', () => {
  const draft = 'llm.load.llama.speculativeDecoding';
  const settings = toInstanceSettings('llm', 'gguf', [
    { key: `${draft}.draftMtp`, value: true },
    { key: `${draft}.draftSimple`, value: true },
    { key: `${draft}.draftModel`, value: 'qwen/qwen3-0.6b' },
    { key: `${draft}.draftMaxTokens`, value: 2 },
    {
      key: 'llm.load.mlx.kvCacheQuantization',
      value: { enabled: true, bits: 8, groupSize: 64, quantizedStart: 5000 },
    },
  ]);
  expect(settings).toMatchObject({
    draftTokens: 2,
    draftMethods: ['mtp', 'draft-model'],
    draftModelKey: 'qwen/qwen3-0.6b',
    mlxKvCache: { bits: 8, groupSize: 64, fromToken: 5000 },
  });
});
