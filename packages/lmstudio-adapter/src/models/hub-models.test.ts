import { startSimulator, type WorldInput } from '@mai/lmstudio-simulator';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';

import { refersTo } from '@mai/memory-ledger';
import { connect, type LMStudioClient } from '../index.js';

const HUB = 'acme/alpha-9b';
const Q4 = `${HUB}@q4_k_m`;
const Q8 = `${HUB}@q8_0`;

const variant = (name: string, path: string, sizeBytes: number) => ({
  name,
  path,
  sizeBytes,
  quantization: { name: name.toUpperCase(), bits: 4 },
});

const MODELS: WorldInput['models'] = [
  {
    modelKey: HUB,
    sizeBytes: 5e8,
    maxContextLength: 131_072,
    variants: [
      variant('q4_k_m', 'acme/alpha-9B-GGUF/alpha-9B-Q4_K_M.gguf', 5e8),
      variant('q8_0', 'acme/alpha-9B-GGUF/alpha-9B-Q8_0.gguf', 9e8),
    ],
  },
  {
    modelKey: 'acme/alpha-mlx',
    sizeBytes: 5e8,
    format: 'safetensors',
    variants: [variant('4bit', 'acme/alpha-9B-MLX-4bit', 5e8)],
  },
  { modelKey: 'beta@q5_k_m', path: 'someone/beta-GGUF/beta-Q5_K_M.gguf', sizeBytes: 5e8 },
];

async function withWorld(
  world: WorldInput,
  run: (
    client: LMStudioClient,
    simulator: Awaited<ReturnType<typeof startSimulator>>,
  ) => Promise<void>,
): Promise<void> {
  await using simulator = await startSimulator({ speed: 50, world });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  await run(client, simulator);
}

test('finds the file of a hub model, the folder of an MLX model, and the path of any other file', () =>
  withWorld({ models: MODELS }, async (client, simulator) => {
    const paths = async () =>
      (await client.listDownloaded()).models.map(({ modelKey, path }) => [modelKey, path]);
    const expected = [
      [HUB, 'acme/alpha-9B-GGUF/alpha-9B-Q4_K_M.gguf'],
      ['acme/alpha-mlx', 'acme/alpha-9B-MLX-4bit'],
      ['beta@q5_k_m', 'someone/beta-GGUF/beta-Q5_K_M.gguf'],
    ];
    expect(await paths()).toEqual(expected);
    expect(await paths()).toEqual(expected);
    // The variants of each model are asked for only once.
    const asked = simulator.requests.filter(
      ({ endpoint }) => endpoint === 'listDownloadedModelVariants',
    );
    expect(asked).toHaveLength(2);
    expect((await client.modelInfo(HUB)).variants).toMatchObject([
      { modelKey: Q4, path: 'acme/alpha-9B-GGUF/alpha-9B-Q4_K_M.gguf' },
      { modelKey: Q8, path: 'acme/alpha-9B-GGUF/alpha-9B-Q8_0.gguf' },
    ]);
  }));

test('where LM Studio does not answer about the variants of one model, this model has no path and the list goes on', () =>
  withWorld({ models: MODELS }, async (client, simulator) => {
    simulator.fault.hang({ endpoint: 'listDownloadedModelVariants', times: 1 });
    const { models } = await client.listDownloaded();
    expect(models.filter(({ path }) => path === null)).toHaveLength(1);
    expect(models).toHaveLength(3);
    expect((await client.listDownloaded()).models.map(({ path }) => path)).not.toContain(null);
  }));

test.each(['model', 'variant'] as const)(
  'a resident has its model key and its variant, where LM Studio reports the key of the %s',
  (instanceKey) =>
    withWorld({ models: MODELS, instanceKey }, async (client, simulator) => {
      await client.load({ modelKey: HUB });
      await client.load({ modelKey: 'beta@q5_k_m' });
      const residents = await client.listResidents();
      expect(residents).toMatchObject([
        { instanceIdentifier: HUB, modelKey: HUB, variant: Q4 },
        { instanceIdentifier: 'beta@q5_k_m', modelKey: 'beta@q5_k_m', variant: null },
      ]);
      const [resident] = residents;
      const named = [HUB, Q4, Q8].map((key) => resident !== undefined && refersTo(key, resident));
      expect(named).toEqual([true, true, false]);
      // Both keys name the variant that is loaded already.
      for (const modelKey of [HUB, Q4]) {
        expect(await client.load({ modelKey })).toMatchObject({ reused: true });
      }
      expect((await client.modelInfo(HUB)).residents).toHaveLength(1);
      await client.unload(HUB);
      expect(simulator.residents()).toHaveLength(1);
    }),
);

test.each(['model', 'variant'] as const)(
  'two variants of a model have different keys before the models are listed, where LM Studio reports the key of the %s',
  (instanceKey) =>
    withWorld({ models: MODELS, instanceKey, variantKeysLoad: true }, async (user, simulator) => {
      for (const modelKey of [Q4, Q8]) await user.load({ modelKey });
      await using client = await connect({ baseUrl: simulator.baseUrl });
      const residents = await client.listResidents();
      expect(residents).toMatchObject([
        { instanceIdentifier: Q4, modelKey: HUB, variant: Q4 },
        { instanceIdentifier: Q8, modelKey: Q8, variant: Q8 },
      ]);
      // The models are listed only once for this.
      const listings = () =>
        simulator.requests.filter(({ endpoint }) => endpoint === 'listDownloadedModels').length;
      const before = listings();
      await client.listResidents();
      expect(listings()).toBe(before);
    }),
);

test('where the models cannot be listed, each variant has its own key', () =>
  withWorld({ models: MODELS, variantKeysLoad: true }, async (user, simulator) => {
    for (const modelKey of [Q4, Q8]) await user.load({ modelKey });
    await using client = await connect({ baseUrl: simulator.baseUrl });
    simulator.fault.answerError({ endpoint: 'listDownloadedModels' });
    expect(await client.listResidents()).toMatchObject([
      { modelKey: Q4, variant: Q4 },
      { modelKey: Q8, variant: Q8 },
    ]);
  }));

test.each([true, false])(
  'estimates and loads the key of the selected variant, where LM Studio accepts keys of variants: %s',
  (variantKeysLoad) =>
    withWorld({ models: MODELS, variantKeysLoad }, async (client, simulator) => {
      const ofModel = await client.estimate(HUB, DEFAULT_LOAD_CONFIG);
      expect(ofModel).not.toBeNull();
      expect(await client.estimate(Q4, DEFAULT_LOAD_CONFIG)).toEqual(ofModel);
      const { instance } = await client.load({ modelKey: Q4 });
      expect(instance).toMatchObject({ instanceIdentifier: Q4, modelKey: HUB, variant: Q4 });
      expect(simulator.residents()).toHaveLength(1);
    }),
);

test('loads a variant that is not selected, or names the next step where LM Studio refuses its key', async () => {
  await withWorld({ models: MODELS, variantKeysLoad: true }, async (client) => {
    await client.load({ modelKey: HUB });
    // Another variant is another model, so it is loaded beside the first.
    expect(await client.load({ modelKey: Q8 })).toMatchObject({
      reused: false,
      instance: { modelKey: Q8, variant: Q8 },
    });
    expect((await client.modelInfo(HUB)).residents).toHaveLength(2);
  });
  await withWorld({ models: MODELS, variantKeysLoad: false }, async (client, simulator) => {
    expect(await client.estimate(Q8, DEFAULT_LOAD_CONFIG)).toBeNull();
    await expect(client.load({ modelKey: Q8 })).rejects.toMatchObject({
      code: 'LOAD_REFUSED',
      message: expect.stringContaining('Select this variant in LM Studio'),
    });
    expect(simulator.residents()).toEqual([]);
  });
});

const TOWER = {
  deviceIdentifier: 'tower',
  models: [
    { modelKey: 'beta@q5_k_m', path: 'someone/beta-GGUF/beta-Q5_K_M.gguf', sizeBytes: 5e8 },
    { modelKey: 'org/big', sizeBytes: 5e8 },
  ],
};

test.each([
  ['beta@q5_k_m', undefined, null],
  ['beta@q5_k_m', null, null],
  ['beta@q5_k_m', 'tower', 'tower'],
  ['org/big', undefined, 'tower'],
])(
  'a load and an estimate of %s for the device %s name the device %s, whatever the user prefers',
  (modelKey, deviceIdentifier, named) =>
    withWorld(
      { models: MODELS, devices: [TOWER], preferredDeviceIdentifier: 'tower' },
      async (client, simulator) => {
        expect(
          await client.estimate(modelKey, DEFAULT_LOAD_CONFIG, { deviceIdentifier }),
        ).not.toBeNull();
        const { instance } = await client.load({ modelKey, deviceIdentifier });
        expect(instance.deviceIdentifier).toBe(named);
        const sent = simulator.requests.filter(({ endpoint }) =>
          ['estimateModelUsage', 'loadModel'].includes(endpoint),
        );
        expect(sent).toHaveLength(3);
        for (const { parameter } of sent) {
          expect(parameter).toMatchObject({ deviceIdentifier: named });
        }
      },
    ),
);

test('a model of an unknown kind is left out and named, and an unknown context length is null', () =>
  withWorld(
    {
      models: [
        { modelKey: 'acme/voice', type: 'tts', sizeBytes: 1e8 },
        { modelKey: 'acme/odd', sizeBytes: 1e8, maxContextLength: 0 },
      ],
    },
    async (client) => {
      const { models, leftOut } = await client.listDownloaded();
      expect(models).toMatchObject([{ modelKey: 'acme/odd', maxContextLengthTokens: null }]);
      expect(leftOut).toEqual([{ modelKey: 'acme/voice', type: 'tts', reason: 'other-kind' }]);
      // It is on the disk, so nobody is advised to download it.
      await expect(client.modelInfo('acme/voice')).rejects.toMatchObject({
        code: 'MODEL_NOT_FOUND',
        message: "'acme/voice' cannot be used: its kind is tts, which is not a language model.",
      });
    },
  ));
