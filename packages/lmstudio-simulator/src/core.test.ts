import { connectSdk } from '../test/connect-sdk.js';
import { startSimulator } from './index.js';

test('the SDK lists, loads, inspects and unloads', async () => {
  await using simulator = await startSimulator({ speed: 100 });
  const { client, logged } = connectSdk(simulator.baseUrl);
  expect(await client.system.getLMStudioVersion()).toEqual({ version: '0.4.18', build: 2 });
  const models = await client.system.listDownloadedModels();
  expect(models.map(({ modelKey }) => modelKey)).toContain('qwen/qwen3-4b');
  const progress: number[] = [];
  const model = await client.llm.load('qwen/qwen3-4b', {
    identifier: 'mine',
    ttl: 600,
    config: { contextLength: 8192, gpu: { ratio: 0.5 } },
    verbose: false,
    onProgress: (ratio) => progress.push(ratio),
  });
  expect(progress.at(-1)).toBe(1);
  expect(await model.getModelInfo()).toMatchObject({
    identifier: 'mine',
    contextLength: 8192,
    ttlMs: 600_000,
  });
  expect(await model.getLoadConfig()).toMatchObject({ contextLength: 8192 });
  expect(await model.getInstanceProcessingState()).toEqual({ status: 'idle', queued: 0 });
  expect((await client.llm.listLoaded()).length).toBe(1);
  const answer = await model.respond('hi', { maxTokens: 3 });
  expect(answer.content).toBe('Hello from the');
  expect(answer.stats.stopReason).toBe('maxPredictedTokensReached');
  expect((await client.runtime.surveyHardware({ type: 'selected' })).status).toBe('ok');
  expect(
    await client.llm.estimateResourcesUsage('qwen/qwen3-4b', { contextLength: 16384 }),
  ).toMatchObject({ passesGuardrails: true });
  await model.unload();
  expect(simulator.residents()).toEqual([]);
  expect(logged).toEqual([]);
  await client[Symbol.asyncDispose]();
});
