import { connectSdk, rejection, startRig, until } from '../test/connect-sdk.js';
import { exampleWorld, startSimulator } from './index.js';

const QUIET = { verbose: false } as const;

test('an old LM Studio: the SDK hangs on its model info, and says why on the logger only', async () => {
  await using rig = await startRig({ profile: 'old' });
  expect((await rig.client.system.getLMStudioVersion()).version).toBe('0.3.9');
  let settled = false;
  rig.client.system.listDownloadedModels().then(
    () => (settled = true),
    () => (settled = true),
  );
  await rig.simulator.seen('communicationWarning');
  expect(settled).toBe(false);
  const logged = rig.logged.join('\n');
  for (const field of ['publisher', 'indexedModelIdentifier', 'deviceIdentifier']) {
    expect(logged).toContain(field);
  }
});

test('an old LM Studio ignores the upgrade to a namespace that it does not have', async () => {
  await using rig = await startRig({ profile: 'old' });
  let settled = false;
  rig.client.runtime.surveyHardware().then(
    () => (settled = true),
    () => (settled = true),
  );
  await until(() => rig.simulator.connections() === 1);
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(settled).toBe(false);
  expect(rig.simulator.requests).toEqual([]);
});

test('an old LM Studio answers calls that it does not know with a warning', async () => {
  await using rig = await startRig({ profile: 'old' });
  rig.client.llm.estimateResourcesUsage('qwen/qwen3-4b', {}).catch(() => {});
  await until(() => rig.logged.some((line) => line.includes('estimateModelUsage')));
  const listed = await fetch(`${rig.simulator.httpUrl}/api/v0/models`);
  expect(((await listed.json()) as { data: unknown[] }).data).toHaveLength(8);
  const unknown = await fetch(`${rig.simulator.httpUrl}/api/v1/models`);
  expect(await unknown.json()).toEqual({ error: expect.stringContaining('Unexpected endpoint') });
});

test('LM Link: models of connected devices are listed and load there, in their own memory', async () => {
  await using rig = await startRig({ world: exampleWorld('link') });
  const { client, simulator } = rig;
  const status = await client.repository.lmLink.status();
  expect(status).toMatchObject({
    status: 'online',
    peers: [
      { deviceIdentifier: 'device-render', status: 'connected' },
      { deviceIdentifier: 'device-laptop', status: 'disconnected' },
    ],
  });
  const models = await client.system.listDownloadedModels();
  expect(models.find(({ modelKey }) => modelKey === 'openai/gpt-oss-20b')?.deviceIdentifier).toBe(
    'device-render',
  );
  expect(models.find(({ modelKey }) => modelKey === 'qwen/qwen3-4b')?.deviceIdentifier).toBeNull();

  const model = await client.llm.load('openai/gpt-oss-20b', QUIET);
  expect((await model.getModelInfo())?.deviceIdentifier).toBe('device-render');
  expect(simulator.memoryInUse().gpus[0]?.bytes).toBe(0);
  expect(simulator.memoryInUse('device-render').gpus[0]?.bytes).toBeGreaterThan(12e9);
  expect(() => simulator.memoryInUse('device-laptop')).toThrow('device-laptop');
  await model.unload();
  expect(simulator.memoryInUse('device-render').gpus[0]?.bytes).toBe(0);
});

test('the same key on two devices: the one that is named, or else the preferred one', async () => {
  const models = [{ modelKey: 'both', sizeBytes: 1e9 }];
  await using rig = await startRig({
    world: {
      models,
      devices: [{ deviceIdentifier: 'other', models }],
      preferredDeviceIdentifier: 'other',
    },
  });
  const { client, simulator } = rig;
  await client.llm.load('both', { ...QUIET, deviceIdentifier: null });
  await client.llm.load('both', QUIET);
  expect(simulator.residents()).toMatchObject([
    { instanceIdentifier: 'both', deviceIdentifier: null },
    { instanceIdentifier: 'both:2', deviceIdentifier: 'other' },
  ]);
});

test('a host on another machine: another address, another platform, its own hardware', async () => {
  await using simulator = await startSimulator({
    world: exampleWorld('workstation'),
    host: '0.0.0.0',
  });
  await using connection = connectSdk(simulator.baseUrl);
  const survey = await connection.client.runtime.surveyHardware();
  expect(survey.engines[0]).toMatchObject({
    platform: 'win32',
    memoryInfo: { ramCapacity: 64 * 2 ** 30, vramCapacity: 40 * 2 ** 30 },
  });
  expect(new URL(simulator.httpUrl).hostname).not.toBe('0.0.0.0');
});

test('unified memory: what the GPU holds is taken from RAM, and only once', async () => {
  await using rig = await startRig({ world: exampleWorld('mac') });
  await rig.client.llm.load('qwen/qwen3-8b', { ...QUIET, config: { gpu: { ratio: 'max' } } });
  const use = rig.simulator.memoryInUse();
  expect(use.gpus[0]?.deviceKey).toBe('apple');
  expect(use.gpus[0]?.bytes).toBeGreaterThan(5e9);
  expect(use.ram.anonymousBytes).toBe(use.gpus[0]?.bytes);
  const survey = await rig.client.runtime.surveyHardware();
  expect(survey.engines[0]?.hardwareSurvey.gpuSurveyResult.gpuInfo[0]).toMatchObject({
    integrationType: 'integrated',
    detectionPlatform: 'Metal',
  });
  await rejection(rig.client.llm.load('openai/gpt-oss-20b', QUIET));
});
