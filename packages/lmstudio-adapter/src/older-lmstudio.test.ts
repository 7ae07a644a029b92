import { startSimulator } from '@mai/lmstudio-simulator';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';

import { connect } from './index.js';

const KEY = 'qwen/qwen3-4b';

test('lists the models of an old LM Studio, with null for facts that it does not report', async () => {
  await using simulator = await startSimulator({ speed: 50, profile: 'old' });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  const { models } = await client.listDownloaded();
  expect(models.find(({ modelKey }) => modelKey === KEY)).toMatchObject({
    kind: 'llm',
    format: 'gguf',
    publisher: null,
    deviceIdentifier: null,
  });
  expect(await client.listResidents()).toEqual([]);
  expect(await client.estimate(KEY, DEFAULT_LOAD_CONFIG)).toBeNull();
  expect(await client.surveyHardware()).toBeNull();
  expect(await client.selectedEngines()).toBeNull();
  // The connection does not repeat a call that LM Studio lacks.
  const calls = (): number =>
    simulator.requests.filter(({ endpoint }) => endpoint === 'surveyHardware').length;
  const asked = calls();
  expect(await client.surveyHardware()).toBeNull();
  expect(calls()).toBe(asked);
});

test('loads a model in an old LM Studio, whose answers lack fields that the SDK requires', async () => {
  await using simulator = await startSimulator({ speed: 50, profile: 'old' });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  const { instance } = await client.load({ modelKey: KEY });
  expect(instance).toMatchObject({ modelKey: KEY, activity: null, deviceIdentifier: null });
  await client.unload(KEY);
  expect(simulator.residents()).toEqual([]);
});

test('lists over REST v1, with sizes and residents, where the WebSocket answer is malformed', async () => {
  await using simulator = await startSimulator({ speed: 50 });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  const { models: overSocket } = await client.listDownloaded();
  await client.load({
    modelKey: KEY,
    loadConfig: { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 2048 },
  });
  simulator.fault.invalidResult({ endpoint: 'listDownloadedModels' });
  simulator.fault.invalidResult({ endpoint: 'listLoaded' });
  const { models: overHttp } = await client.listDownloaded();
  for (const field of ['modelKey', 'sizeBytes', 'kind', 'format', 'vision'] as const) {
    expect(overHttp.map((model) => model[field]).sort()).toEqual(
      overSocket.map((model) => model[field]).sort(),
    );
  }
  expect(await client.listResidents()).toMatchObject([
    { instanceIdentifier: KEY, modelKey: KEY, contextLengthTokens: 2048, activity: null },
  ]);
});

test('names the entries that it leaves out, also over REST', async () => {
  await using simulator = await startSimulator({
    speed: 50,
    world: { models: [{ modelKey: 'acme/voice', type: 'tts', sizeBytes: 1e8 }] },
  });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  simulator.fault.invalidResult({ endpoint: 'listDownloadedModels' });
  expect(await client.listDownloaded()).toEqual({
    models: [],
    leftOut: [{ modelKey: 'acme/voice', type: 'tts', reason: 'other-kind' }],
  });
});

test('a list that LM Studio never sends over WebSocket comes over HTTP within the deadline', async () => {
  await using simulator = await startSimulator({
    world: { models: [{ modelKey: 'acme/a', sizeBytes: 1e8 }] },
  });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  simulator.fault.hang({ endpoint: 'listDownloadedModels' });
  const { models } = await client.listDownloaded({ timeoutMs: 1000 });
  expect(models).toMatchObject([{ modelKey: 'acme/a' }]);
});

test('where LM Studio is silent over HTTP, too, the list has timed out, and nobody is told to update LM Studio', async () => {
  await using simulator = await startSimulator();
  await using client = await connect({ baseUrl: simulator.baseUrl });
  simulator.fault.hang({ endpoint: 'listDownloadedModels' });
  simulator.fault.hang({ endpoint: 'http' });
  await expect(client.listDownloaded({ timeoutMs: 300 })).rejects.toMatchObject({
    code: 'TIMED_OUT',
    message: expect.stringContaining('restart LM Studio if it stays silent') as unknown,
  });
});

test('after a restart of LM Studio, repeats a call that was unknown before the restart', async () => {
  await using simulator = await startSimulator();
  await using client = await connect({ baseUrl: simulator.baseUrl });
  const broken = simulator.fault.invalidResult({ endpoint: 'surveyHardware' });
  expect(await client.surveyHardware()).toBeNull();
  broken.clear();
  await client.version();
  expect(await client.surveyHardware()).toBeNull();
  await simulator.restart();
  await client.version();
  expect(await client.surveyHardware()).not.toBeNull();
});

test('repeats a call that timed out once but was answered before', async () => {
  await using simulator = await startSimulator();
  await using client = await connect({ baseUrl: simulator.baseUrl });
  expect(await client.surveyHardware()).not.toBeNull();
  simulator.fault.hang({ endpoint: 'surveyHardware', times: 1 });
  await expect(client.surveyHardware({ timeoutMs: 50 })).rejects.toMatchObject({
    code: 'TIMED_OUT',
  });
  expect(await client.surveyHardware()).not.toBeNull();
});
