import { rejection, startWithClient } from '../../test/connect-sdk.js';
import { startSimulator } from '../index.js';
import type { WorldInput } from '../index.js';

const QUIET = { verbose: false } as const;
const KEY = 'qwen/qwen3.8-27b';
const FILE = 'lmstudio-community/Qwen3.8-27B-GGUF/Qwen3.8-27B-Q8_0.gguf';
const MLX_KEY = 'google/gemma-4-31b';
const MLX_FOLDER = 'lmstudio-community/gemma-4-31B-it-MLX-4bit';

const WORLD: WorldInput = {
  machine: { platform: 'darwin', architecture: 'ARM64', gpus: [] },
  guardrails: { mode: 'off' },
  models: [
    {
      modelKey: KEY,
      sizeBytes: 2e9,
      variants: [
        { name: 'q8_0', sizeBytes: 2e9, quantization: { name: 'Q8_0', bits: 8 }, path: FILE },
        {
          name: 'q4_k_m',
          sizeBytes: 1e9,
          quantization: { name: 'Q4_K_M', bits: 4 },
          path: FILE.replace('Q8_0.gguf', 'Q4_K_M.gguf'),
        },
      ],
    },
    {
      modelKey: MLX_KEY,
      sizeBytes: 1e9,
      format: 'safetensors',
      variants: [
        { name: '4bit', sizeBytes: 1e9, quantization: { name: '4bit', bits: 4 }, path: MLX_FOLDER },
      ],
    },
    { modelKey: 'thing-7b', sizeBytes: 1e9, path: 'acme/thing-GGUF/thing-7b.gguf' },
  ],
};

test('a hub model has its key as path and identifier, and only its variants name the files', async () => {
  await using connected = await startWithClient({ world: WORLD });
  const { client } = connected;
  expect(await client.system.listDownloadedModels()).toMatchObject([
    {
      modelKey: KEY,
      path: KEY,
      indexedModelIdentifier: KEY,
      sizeBytes: 2e9,
      variants: [`${KEY}@q8_0`, `${KEY}@q4_k_m`],
      selectedVariant: `${KEY}@q8_0`,
    },
    { modelKey: MLX_KEY, path: MLX_KEY, selectedVariant: `${MLX_KEY}@4bit` },
    {
      modelKey: 'thing-7b',
      path: 'acme/thing-GGUF/thing-7b.gguf',
      indexedModelIdentifier: 'acme/thing-GGUF/thing-7b.gguf',
    },
  ]);
  expect(await client.system.listDownloadedModelVariants(KEY)).toMatchObject([
    { modelKey: `${KEY}@q8_0`, indexedModelIdentifier: `${KEY}@${FILE}` },
    { modelKey: `${KEY}@q4_k_m`, sizeBytes: 1e9 },
  ]);
  expect(await client.system.listDownloadedModelVariants(MLX_KEY)).toMatchObject([
    { indexedModelIdentifier: `${MLX_KEY}@${MLX_FOLDER}` },
  ]);
  expect(connected.logged).toEqual([]);
});

test.each([
  [
    'model',
    { modelKey: KEY, indexedModelIdentifier: KEY, selectedVariant: `${KEY}@q4_k_m` },
    `${KEY}@q4_k_m`,
  ],
  [
    'variant',
    {
      modelKey: `${KEY}@q4_k_m`,
      indexedModelIdentifier: `${KEY}@${FILE.replace('Q8_0.gguf', 'Q4_K_M.gguf')}`,
    },
    undefined,
  ],
] as const)(
  'with instanceKey "%s", an instance of a variant reports the expected key',
  async (instanceKey, expected, selectedVariant) => {
    await using connected = await startWithClient({ world: { ...WORLD, instanceKey } });
    const { client } = connected;
    const model = await client.llm.load(`${KEY}@q4_k_m`, QUIET);
    const info = await model.getModelInfo();
    expect(info).toMatchObject(expected);
    expect(info).toMatchObject({ sizeBytes: 1e9 });
    expect((info as { selectedVariant?: string }).selectedVariant).toBe(selectedVariant);
    expect((await client.llm.model(KEY, QUIET)).identifier).toBe(model.identifier);
  },
);

test('a load that names no variant loads the selected variant', async () => {
  await using connected = await startWithClient({ world: WORLD });
  const model = await connected.client.llm.load(KEY, QUIET);
  expect(await model.getModelInfo()).toMatchObject({
    identifier: KEY,
    selectedVariant: `${KEY}@q8_0`,
    sizeBytes: 2e9,
  });
});

test('variantKeysLoad false: a load over WebSocket refuses the key of a variant', async () => {
  await using connected = await startWithClient({ world: { ...WORLD, variantKeysLoad: false } });
  const { message } = await rejection(connected.client.llm.load(`${KEY}@q4_k_m`, QUIET));
  expect(message).toContain(`Cannot find a model with path "${KEY}@q4_k_m"`);
  await connected.client.llm.load(KEY, QUIET);
});

test.each([`${KEY}@q4_k_m`, FILE, 'acme/thing-GGUF/thing-7b.gguf'])(
  'REST refuses to load %s, which is not the key of a model',
  async (model) => {
    await using simulator = await startSimulator({ world: WORLD, speed: 1000 });
    const response = await fetch(`${simulator.httpUrl}/api/v1/models/load`, {
      method: 'POST',
      body: JSON.stringify({ model }),
    });
    expect([response.status, await response.json()]).toEqual([
      404,
      {
        error: expect.objectContaining({
          type: 'model_not_found',
          message: `Model ${model} not found in downloaded models`,
        }),
      },
    ]);
  },
);

test('getOrLoad of a path makes this path the identifier of the instance', async () => {
  await using connected = await startWithClient({ world: WORLD });
  const model = await connected.client.llm.model('acme/thing-GGUF/thing-7b.gguf', QUIET);
  expect(model.identifier).toBe('acme/thing-GGUF/thing-7b.gguf');
  expect(await model.getModelInfo()).toMatchObject({ modelKey: 'thing-7b' });
});

test('a model of an unknown type makes the SDK refuse the whole list', async () => {
  await using connected = await startWithClient({
    world: {
      models: [...(WORLD.models ?? []), { modelKey: 'voice', type: 'tts', sizeBytes: 1e9 }],
    },
  });
  connected.client.system.listDownloadedModels().catch(() => {});
  await connected.simulator.seen('communicationWarning');
  expect(connected.logged.join('\n')).toContain('tts');
  const { message } = await rejection(connected.client.llm.load('voice', QUIET));
  expect(message).toMatch(/wrong domain/i);
});

test('maxContextLength 0 means not known: the model is listed, and loads with any context', async () => {
  await using connected = await startWithClient({
    world: { models: [{ modelKey: 'odd', sizeBytes: 1e9, maxContextLength: 0 }] },
  });
  const [model] = await connected.client.system.listDownloadedModels();
  expect(model?.maxContextLength).toBe(0);
  const loaded = await connected.client.llm.load('odd', {
    ...QUIET,
    config: { contextLength: 99 },
  });
  expect((await loaded.getModelInfo()).contextLength).toBe(99);
});
