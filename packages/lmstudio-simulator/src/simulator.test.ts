import { rejection, startWithClient } from '../test/connect-sdk.js';
import { isSimulatorError, startSimulator } from './index.js';

test('the SDK reads the version, lists, loads, predicts and unloads without a warning', async () => {
  await using connected = await startWithClient();
  const { simulator, client, logged } = connected;
  expect(await client.system.getLMStudioVersion()).toEqual({ version: '0.4.21', build: 2 });
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

test('engines, hardware and variants have the shapes that the SDK expects', async () => {
  await using connected = await startWithClient();
  const survey = await connected.client.runtime.surveyHardware({ type: 'selected' });
  expect(survey.status).toBe('ok');
  expect(survey.engines[0]?.memoryInfo).toEqual({
    ramCapacity: 32 * 2 ** 30,
    vramCapacity: 12 * 2 ** 30,
    totalMemory: 44 * 2 ** 30,
  });
  const selections = await connected.client.runtime.engine.getSelections();
  expect(selections.get('GGUF')?.name).toBe('llama.cpp-linux-x86_64-nvidia-cuda12-avx2');
  const variants = await connected.client.system.listDownloadedModelVariants('qwen/qwen3-4b');
  expect(variants.map(({ modelKey }) => modelKey)).toEqual([
    'qwen/qwen3-4b@q4_k_m',
    'qwen/qwen3-4b@q8_0',
  ]);
  await rejection(
    connected.client.system.listDownloadedModelVariants('text-embedding-nomic-embed-text-v1.5'),
  );
  expect(connected.logged).toEqual([]);
});

test('an embedding is a unit vector that depends only on the text', async () => {
  await using connected = await startWithClient();
  const model = await connected.client.embedding.load('text-embedding-nomic-embed-text-v1.5', {
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
  expect(connected.simulator.residents()[0]).toMatchObject({
    kind: 'embedding',
    contextLengthTokens: 512,
  });
});

test('answers the greeting and the status that discovery asks for', async () => {
  await using simulator = await startSimulator();
  const greeting = await fetch(`${simulator.httpUrl}/lmstudio-greeting`);
  expect([greeting.status, await greeting.json()]).toEqual([200, { lmstudio: true }]);
  const status = await fetch(`${simulator.httpUrl}/lms-status`);
  expect(await status.json()).toEqual({ package: 'lmstudio', version: '0.4.21' });
});

test('a port that is in use is refused with its number', async () => {
  await using simulator = await startSimulator();
  const error = await rejection(startSimulator({ port: simulator.port }));
  expect(isSimulatorError(error)).toBe(true);
  expect(error).toMatchObject({ code: 'PORT_UNAVAILABLE' });
  expect(error.message).toContain(`127.0.0.1:${simulator.port}`);
});

test('requests are logged, and a test can wait for them', async () => {
  await using connected = await startWithClient();
  const seen = connected.simulator.seen('version', 2);
  await connected.client.system.getLMStudioVersion();
  await connected.client.system.getLMStudioVersion();
  await seen;
  expect(
    connected.simulator.requests.map(({ namespace, endpoint }) => `${namespace} ${endpoint}`),
  ).toEqual(['system authenticate', 'system version', 'system version']);
  await expect(connected.simulator.seen('never', 1, AbortSignal.abort())).rejects.toThrow(
    'aborted',
  );
});
