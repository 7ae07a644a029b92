import { rejection, startRig } from '../test/connect-sdk.js';
import { isSimulatorError, startSimulator } from './index.js';

test('the SDK does its round: version, models, load, predict, unload, without a warning', async () => {
  await using rig = await startRig();
  const { simulator, client, logged } = rig;
  expect(await client.system.getLMStudioVersion()).toEqual({ version: '0.4.18', build: 2 });
  const models = await client.system.listDownloadedModels();
  expect(models.map(({ modelKey }) => modelKey)).toEqual(
    simulator.world.models.map(({ modelKey }) => modelKey),
  );

  const progress: number[] = [];
  const model = await client.llm.load('qwen/qwen3-4b', {
    identifier: 'mine',
    ttl: 600,
    config: { contextLength: 8192, gpu: { ratio: 0.5 }, flashAttention: true },
    verbose: false,
    onProgress: (ratio) => progress.push(ratio),
  });
  expect(progress[0]).toBe(0);
  expect(progress.at(-1)).toBe(1);
  expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  expect(await model.getModelInfo()).toMatchObject({
    identifier: 'mine',
    modelKey: 'qwen/qwen3-4b',
    contextLength: 8192,
    ttlMs: 600_000,
    lastUsedTime: null,
    deviceIdentifier: null,
  });
  expect(await model.getLoadConfig()).toMatchObject({
    contextLength: 8192,
    gpu: { ratio: 0.5 },
    flashAttention: true,
  });
  expect(await model.getInstanceProcessingState()).toEqual({ status: 'idle', queued: 0 });
  expect(await client.llm.listLoaded()).toHaveLength(1);
  expect(await client.embedding.listLoaded()).toHaveLength(0);

  const answer = await model.respond('hi', { maxTokens: 3 });
  expect(answer.content).toBe('Hello from the');
  expect(answer.stats).toMatchObject({
    stopReason: 'maxPredictedTokensReached',
    predictedTokensCount: 3,
  });
  expect(await model.countTokens('sixteen letters!')).toBe(4);
  expect(await model.tokenize('sixteen letters!')).toHaveLength(4);

  await model.unload();
  expect(simulator.residents()).toEqual([]);
  expect(logged).toEqual([]);
});

test('engines, hardware and variants are as the SDK expects them', async () => {
  await using rig = await startRig();
  const survey = await rig.client.runtime.surveyHardware({ type: 'selected' });
  expect(survey.status).toBe('ok');
  expect(survey.engines[0]?.memoryInfo).toEqual({
    ramCapacity: 32 * 2 ** 30,
    vramCapacity: 12 * 2 ** 30,
    totalMemory: 44 * 2 ** 30,
  });
  const selections = await rig.client.runtime.engine.getSelections();
  expect(selections.get('GGUF')?.name).toBe('llama.cpp-linux-x86_64-nvidia-cuda12-avx2');
  const variants = await rig.client.system.listDownloadedModelVariants('qwen/qwen3-4b');
  expect(variants.map(({ modelKey }) => modelKey)).toEqual([
    'qwen/qwen3-4b@q4_k_m',
    'qwen/qwen3-4b@q8_0',
  ]);
  await rejection(rig.client.system.listDownloadedModelVariants('qwen/qwen3-8b'));
  expect(rig.logged).toEqual([]);
});

test('an embedding model embeds: same text, same unit vector', async () => {
  await using rig = await startRig();
  const model = await rig.client.embedding.load('text-embedding-nomic-embed-text-v1.5', {
    config: { contextLength: 512 },
    verbose: false,
  });
  const [one, two, other] = await Promise.all(
    ['hello', 'hello', 'hullo'].map((text) => model.embed(text)),
  );
  expect(one?.embedding).toHaveLength(768);
  expect(Math.hypot(...(one?.embedding ?? []))).toBeCloseTo(1, 9);
  expect(two).toEqual(one);
  expect(other?.embedding).not.toEqual(one?.embedding);
  expect(rig.simulator.residents()[0]).toMatchObject({
    kind: 'embedding',
    contextLengthTokens: 512,
  });
});

test('greeting and status are what discovery asks for', async () => {
  await using simulator = await startSimulator();
  const greeting = await fetch(`${simulator.httpUrl}/lmstudio-greeting`);
  expect([greeting.status, await greeting.json()]).toEqual([200, { lmstudio: true }]);
  const status = await fetch(`${simulator.httpUrl}/lms-status`);
  expect(await status.json()).toEqual({ package: 'lmstudio', version: '0.4.18' });
});

test('a port that is taken is refused with its number', async () => {
  await using simulator = await startSimulator();
  const error = await rejection(startSimulator({ port: simulator.port }));
  expect(isSimulatorError(error)).toBe(true);
  expect(error).toMatchObject({ code: 'PORT_UNAVAILABLE' });
  expect(error.message).toContain(`127.0.0.1:${simulator.port}`);
});

test('requests are logged, and can be waited for', async () => {
  await using rig = await startRig();
  const seen = rig.simulator.seen('version', 2);
  await rig.client.system.getLMStudioVersion();
  await rig.client.system.getLMStudioVersion();
  await seen;
  expect(
    rig.simulator.requests.map(({ namespace, endpoint }) => `${namespace} ${endpoint}`),
  ).toEqual(['system authenticate', 'system version', 'system version']);
  await expect(rig.simulator.seen('never', 1, AbortSignal.abort())).rejects.toThrow('aborted');
});
