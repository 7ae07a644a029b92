import { startWithClient } from '../../test/connect-sdk.js';
import type { WorldInput } from '../index.js';

const QUIET = { verbose: false } as const;
const GIB = 2 ** 30;

/** One layer keeps the whole context, the other a window of 100 tokens. Each takes 4 bytes for a token. */
const WORLD: WorldInput = {
  machine: { gpus: [] },
  guardrails: { mode: 'off' },
  models: [
    {
      modelKey: 'small',
      sizeBytes: 1_000_000,
      geometry: {
        layers: 2,
        kvHeads: 1,
        headDimension: 1,
        hiddenSize: 1,
        vocabularySize: 1,
        slidingLayers: 1,
        slidingWindowTokens: 100,
        recurrentStateBytes: 7,
      },
    },
  ],
};

test('each prediction fills the prompt cache and adds a checkpoint, and both take RAM', async () => {
  await using connected = await startWithClient({ world: WORLD });
  const { simulator } = connected;
  const model = await connected.client.llm.load('small', QUIET);
  const loaded = simulator.memoryInUse().ram.anonymousBytes;
  // The prompt 'user: hi' has eight characters, so two tokens. The answer has two tokens.
  const { stats } = await model.respond('hi', { maxTokens: 2 });
  expect(stats.totalTokensCount).toBe(4);
  const [resident] = simulator.residents();
  // Both layers keep four tokens. A checkpoint has the window and the recurrent state.
  expect(resident?.growth).toEqual({
    promptCacheBytes: 4 * 4 + 4 * 4 + 7,
    checkpointBytes: 4 * 4 + 7,
    kvCacheBytes: 0,
  });
  expect(simulator.memoryInUse().ram.anonymousBytes).toBe(loaded + 39 + 23);
  expect(resident?.memory.ram.anonymousBytes).toBe(loaded + 39 + 23);
  await model.unload();
  expect(simulator.memoryInUse().ram.anonymousBytes).toBe(0);
});

test('the prompt cache keeps a repeated prompt once, and a continued one instead of its beginning', async () => {
  await using connected = await startWithClient({ world: WORLD });
  const { simulator } = connected;
  const model = await connected.client.llm.load('small', QUIET);
  const bytes = () => simulator.residents()[0]?.growth.promptCacheBytes;
  const complete = (prompt: string) => model.complete(prompt, { maxTokens: 1 });
  const first = await complete('x'.repeat(40));
  expect(bytes()).toBe(11 * 4 * 2 + 7);
  await complete('x'.repeat(40));
  expect(bytes()).toBe(11 * 4 * 2 + 7);
  const { stats } = await complete(`${'x'.repeat(40)}${first.content}${'y'.repeat(40)}`);
  const longer = (stats.totalTokensCount ?? 0) * 4 * 2 + 7;
  expect(bytes()).toBe(longer);
  await complete('z'.repeat(40));
  expect(bytes()).toBe(longer + 11 * 4 * 2 + 7);
});

test('the prompt cache grows up to 8 GiB, and each sequence has up to 32 checkpoints', async () => {
  await using connected = await startWithClient({ world: WORLD });
  const { simulator } = connected;
  await connected.client.llm.load('small', QUIET);
  simulator.growMemory('small', { promptCacheBytes: 5 * GIB });
  expect(simulator.residents()[0]?.growth.promptCacheBytes).toBe(5 * GIB);
  simulator.growMemory('small', { promptCacheBytes: 5 * GIB, checkpointBytes: GIB });
  expect(simulator.residents()[0]?.growth).toEqual({
    promptCacheBytes: 8 * GIB,
    checkpointBytes: 32 * 4 * (100 * 4 + 7),
    kvCacheBytes: 0,
  });
  expect(() => simulator.growMemory('none', {})).toThrow('none');
});

test('profiles before spring 2026 do not grow after a load', async () => {
  await using connected = await startWithClient({ world: WORLD, profile: 'lmstudio@0.4.1' });
  const model = await connected.client.llm.load('small', QUIET);
  await model.respond('hi', { maxTokens: 2 });
  expect(connected.simulator.residents()[0]?.growth).toEqual({
    promptCacheBytes: 0,
    checkpointBytes: 0,
    kvCacheBytes: 0,
  });
});

test('MLX allocates the KV cache when it processes tokens, not during the load', async () => {
  const models = (WORLD.models ?? []).map((model) => ({
    ...model,
    format: 'safetensors' as const,
  }));
  const machine = {
    platform: 'darwin' as const,
    architecture: 'ARM64' as const,
    gpus: [
      {
        name: 'Apple',
        memory: 'shared' as const,
        totalBytes: 16 * GIB,
        platform: 'Metal' as const,
      },
    ],
  };
  await using connected = await startWithClient({ world: { ...WORLD, models, machine } });
  const { simulator } = connected;
  const model = await connected.client.llm.load('small', QUIET);
  const loaded = simulator.memoryInUse();
  await model.respond('hi', { maxTokens: 2 });
  const grown = simulator.memoryInUse();
  expect(simulator.residents()[0]?.growth.kvCacheBytes).toBe(4 * 4 + 4 * 4 + 7);
  expect(grown.gpus[0]?.bytes).toBe((loaded.gpus[0]?.bytes ?? 0) + 39);
  expect(grown.ram.anonymousBytes).toBe(loaded.ram.anonymousBytes + 39);
});

test("a projector and its encoder's buffer are on the GPU at any offload ratio", async () => {
  const projectorBytes = 836_180_160;
  const world: WorldInput = {
    guardrails: { mode: 'off' },
    models: [{ modelKey: 'sees', vision: true, sizeBytes: 2e9, projectorBytes }],
  };
  await using connected = await startWithClient({ world });
  await connected.client.llm.load('sees', { ...QUIET, config: { gpu: { ratio: 'off' } } });
  const [gpu] = connected.simulator.memoryInUse().gpus;
  expect(gpu?.bytes).toBe(projectorBytes + (322 + 150) * 2 ** 20);
});
