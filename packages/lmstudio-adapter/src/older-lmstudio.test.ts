import { startSimulator } from '@mai/lmstudio-simulator';

import { connect, DEFAULT_LOAD_CONFIG } from './index.js';

const KEY = 'qwen/qwen3-4b';

test('an old LM Studio is listed over its REST API, and what it lacks is null', async () => {
  await using simulator = await startSimulator({ speed: 50, profile: 'old' });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  const models = await client.listDownloaded();
  expect(models.find(({ modelKey }) => modelKey === KEY)).toMatchObject({
    kind: 'llm',
    format: 'gguf',
  });
  expect(await client.listResidents()).toEqual([]);
  expect(await client.estimate(KEY, DEFAULT_LOAD_CONFIG)).toBeNull();
  expect(await client.surveyHardware()).toBeNull();
  expect(await client.selectedEngines()).toBeNull();
  // A call that is not available is not tried again on this connection.
  const calls = (): number =>
    simulator.requests.filter(({ endpoint }) => endpoint === 'listDownloadedModels').length;
  const asked = calls();
  await client.listDownloaded();
  expect(calls()).toBe(asked);
});

test('an old LM Studio whose answer to a load is not understood keeps nothing', async () => {
  await using simulator = await startSimulator({ speed: 5, profile: 'old' });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  await expect(client.load({ modelKey: KEY })).rejects.toMatchObject({ code: 'INCOMPATIBLE' });
  expect(simulator.residents()).toEqual([]);
});

test('REST v1 stands in with sizes and residents when one call is malformed', async () => {
  await using simulator = await startSimulator({ speed: 50 });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  const overSocket = await client.listDownloaded();
  await client.load({
    modelKey: KEY,
    loadConfig: { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 2048 },
  });
  simulator.fault.invalidResult({ endpoint: 'listDownloadedModels' });
  simulator.fault.invalidResult({ endpoint: 'listLoaded' });
  const overHttp = await client.listDownloaded();
  for (const field of ['modelKey', 'sizeBytes', 'kind', 'format', 'vision'] as const) {
    expect(overHttp.map((model) => model[field]).sort()).toEqual(
      overSocket.map((model) => model[field]).sort(),
    );
  }
  expect(await client.listResidents()).toMatchObject([
    { instanceIdentifier: KEY, modelKey: KEY, contextLengthTokens: 2048, activity: null },
  ]);
});

test('availability is asked again after a restart', async () => {
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

test('a busy LM Studio that misses one deadline keeps its calls', async () => {
  await using simulator = await startSimulator();
  await using client = await connect({ baseUrl: simulator.baseUrl });
  expect(await client.surveyHardware()).not.toBeNull();
  simulator.fault.hang({ endpoint: 'surveyHardware', times: 1 });
  await expect(client.surveyHardware({ timeoutMs: 50 })).rejects.toMatchObject({
    code: 'TIMED_OUT',
  });
  expect(await client.surveyHardware()).not.toBeNull();
});
