import { startSimulator } from '@mai/lmstudio-simulator';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';

import { connect } from '../index.js';
import { parseInstance, parseLoadedEntry } from '../wire/parse-answers.js';
import { toResident } from './convert-model.js';

const KEY = 'qwen/qwen3-4b';

test('reports a resident’s activity and its queue', async () => {
  await using simulator = await startSimulator({ speed: 50 });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  await client.load({ modelKey: KEY });
  simulator.setBusy(KEY, { status: 'generating', queued: 2 });
  expect(await client.listResidents()).toMatchObject([{ activity: 'generating', queued: 2 }]);
  simulator.setBusy(KEY, { status: 'idle' });
  expect(await client.listResidents()).toMatchObject([{ activity: 'idle' }]);
});

test('an activity that is newer than the SDK is unknown, and other activities stay known', async () => {
  await using simulator = await startSimulator({ speed: 50 });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  await client.load({ modelKey: KEY });
  const activity = { status: 'idle' as const, queued: 1 };
  Reflect.set(activity, 'status', 'reasoning');
  simulator.setBusy(KEY, activity);
  expect(await client.listResidents()).toMatchObject([{ activity: null, queued: 1 }]);
  simulator.setBusy(KEY, { status: 'generating', queued: 1 });
  expect(await client.listResidents()).toMatchObject([{ activity: 'generating' }]);
});

test('reads the load configuration of an instance only once', async () => {
  await using simulator = await startSimulator({ speed: 50 });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  const asked = () =>
    simulator.requests.filter(({ endpoint }) => endpoint === 'getLoadConfig').length;
  for (const contextLengthTokens of [2048, 4096]) {
    const before = asked();
    await client.load({
      modelKey: KEY,
      loadConfig: { ...DEFAULT_LOAD_CONFIG, contextLengthTokens, kvCacheTypeK: 'q8_0' },
    });
    for (let time = 0; time < 3; time++) {
      expect(await client.listResidents()).toMatchObject([
        { loadConfig: { contextLengthTokens, kvCacheTypeK: 'q8_0' } },
      ]);
    }
    expect(asked() - before).toBe(1);
    await client.unload(KEY);
  }
});

test('lists residents with null for details that LM Studio does not report', async () => {
  await using simulator = await startSimulator({ speed: 50 });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  simulator.fault.invalidResult({ endpoint: 'getInstanceProcessingState' });
  simulator.fault.invalidResult({ endpoint: 'getLoadConfig' });
  await client.load({ modelKey: KEY });
  const [resident] = await client.listResidents();
  expect(resident).toMatchObject({ activity: null, queued: null, keepModelInMemory: null });
  expect(resident?.loadConfig).toMatchObject({
    contextLengthTokens: resident?.contextLengthTokens,
    offloadRatio: null,
  });
});

test('a resident that LM Studio lists but does not describe has only the facts of the list', async () => {
  await using simulator = await startSimulator({ speed: 50 });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  await client.load({ modelKey: KEY });
  const [before] = await client.listResidents();
  simulator.fault.answerError({ endpoint: 'getModelInfo' });
  expect(await client.listResidents()).toEqual([before]);
  await client.unload(KEY);
  expect(await client.listResidents()).toEqual([]);
});

test('an entry of the list that has only its reference is a resident of unknown size', () => {
  expect(parseLoadedEntry({ instanceReference: 'ref-1' }, 'llm')).toMatchObject({
    identifier: 'ref-1',
    instanceReference: 'ref-1',
    modelKey: 'ref-1',
    sizeBytes: 0,
  });
});

test('where LM Studio does not report the allocated context length, the load configuration has the requested context length', () => {
  const raw = parseInstance(
    { modelKey: 'a/b', identifier: 'mine', instanceReference: 'ref-1', contextLength: 0 },
    'llm',
  );
  if (raw === undefined) throw new Error('not an instance');
  const requested = [{ key: 'llm.load.contextLength', value: 4096 }];
  expect(toResident(raw, requested, null, new Map())).toMatchObject({
    contextLengthTokens: null,
    loadConfig: { contextLengthTokens: 4096 },
  });
});

test('modelInfo joins facts, capabilities, variants and residents', async () => {
  await using simulator = await startSimulator({ speed: 50 });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  await client.load({ modelKey: KEY });
  const details = await client.modelInfo(KEY);
  expect(details.model.modelKey).toBe(KEY);
  expect(details.capabilities).toEqual(['chat', 'tools']);
  expect(details.variants.map(({ modelKey }) => modelKey)).toEqual([
    `${KEY}@q4_k_m`,
    `${KEY}@q8_0`,
  ]);
  expect(details.residents).toHaveLength(1);
  expect((await client.findModel(`${KEY}@q8_0`)).model?.modelKey).toBe(KEY);
  const plain = await client.modelInfo('text-embedding-nomic-embed-text-v1.5');
  expect(plain.variants).toEqual([]);
});

test('models and residents of an LM Link device carry its identifier', async () => {
  await using simulator = await startSimulator({
    speed: 50,
    world: {
      devices: [
        {
          deviceIdentifier: 'tower',
          deviceName: 'Tower',
          models: [{ modelKey: 'org/big', sizeBytes: 5e8 }],
        },
      ],
    },
  });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  expect((await client.devices())?.peers).toEqual([
    { deviceIdentifier: 'tower', deviceName: 'Tower', connected: true },
  ]);
  const remote = (await client.listDownloaded()).models.find(
    ({ modelKey }) => modelKey === 'org/big',
  );
  expect(remote?.deviceIdentifier).toBe('tower');
  const { instance } = await client.load({ modelKey: 'org/big', deviceIdentifier: 'tower' });
  expect(instance.deviceIdentifier).toBe('tower');
  expect(await client.listResidents()).toMatchObject([{ deviceIdentifier: 'tower' }]);
  await client.unload('org/big');
  expect(simulator.residents()).toEqual([]);
});

test('unloads one copy and keeps the other', async () => {
  await using simulator = await startSimulator({ speed: 50 });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  await client.load({ modelKey: KEY });
  await client.load({ modelKey: KEY, identifier: 'second' });
  await client.unload(KEY);
  expect((await client.listResidents()).map((one) => one.instanceIdentifier)).toEqual(['second']);
  await expect(client.unload('secnd')).rejects.toMatchObject({
    code: 'INSTANCE_NOT_FOUND',
    suggestions: ['second'],
  });
});
