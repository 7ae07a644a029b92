import { connectSdk, rejection, startWithClient, until } from '../test/connect-sdk.js';
import { exampleWorld, startSimulator } from './index.js';

const QUIET = { verbose: false } as const;

test('the SDK hangs on the model info of an old LM Studio, and only logs why', async () => {
  await using connected = await startWithClient({ profile: 'old' });
  expect((await connected.client.system.getLMStudioVersion()).version).toBe('0.3.9');
  let settled = false;
  connected.client.system.listDownloadedModels().then(
    () => (settled = true),
    () => (settled = true),
  );
  await connected.simulator.seen('communicationWarning');
  expect(settled).toBe(false);
  const logged = connected.logged.join('\n');
  for (const field of ['publisher', 'indexedModelIdentifier', 'deviceIdentifier']) {
    expect(logged).toContain(field);
  }
});

test('an old LM Studio ignores the upgrade to an unknown namespace', async () => {
  await using connected = await startWithClient({ profile: 'old' });
  let settled = false;
  connected.client.runtime.surveyHardware().then(
    () => (settled = true),
    () => (settled = true),
  );
  await until(() => connected.simulator.connections() === 1);
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(settled).toBe(false);
  expect(connected.simulator.requests).toEqual([]);
});

test('an old LM Studio answers an unknown call with a warning', async () => {
  await using connected = await startWithClient({ profile: 'old' });
  connected.client.llm.estimateResourcesUsage('qwen/qwen3-4b', {}).catch(() => {});
  await until(() => connected.logged.some((line) => line.includes('estimateModelUsage')));
  const listed = await fetch(`${connected.simulator.httpUrl}/api/v0/models`);
  expect(((await listed.json()) as { data: unknown[] }).data).toHaveLength(8);
  const unknown = await fetch(`${connected.simulator.httpUrl}/api/v1/models`);
  expect(await unknown.json()).toEqual({ error: expect.stringContaining('Unexpected endpoint') });
});

test('LM Link: models of connected devices are listed, and take memory of their device', async () => {
  await using connected = await startWithClient({ world: exampleWorld('link') });
  const { client, simulator } = connected;
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
  expect((await model.getModelInfo()).deviceIdentifier).toBe('device-render');
  expect(simulator.memoryInUse().gpus[0]?.bytes).toBe(0);
  expect(simulator.memoryInUse('device-render').gpus[0]?.bytes).toBeGreaterThan(12e9);
  expect(() => simulator.memoryInUse('device-laptop')).toThrow('device-laptop');
  await model.unload();
  expect(simulator.memoryInUse('device-render').gpus[0]?.bytes).toBe(0);
});

test('a model of two devices is loaded on the named device, or else on the preferred device', async () => {
  const models = [{ modelKey: 'both', sizeBytes: 1e9 }];
  await using connected = await startWithClient({
    world: {
      models,
      devices: [{ deviceIdentifier: 'other', models }],
      preferredDeviceIdentifier: 'other',
    },
  });
  const { client, simulator } = connected;
  await client.llm.load('both', { ...QUIET, deviceIdentifier: null });
  await client.llm.load('both', QUIET);
  expect(simulator.residents()).toMatchObject([
    { instanceIdentifier: 'both', deviceIdentifier: null },
    { instanceIdentifier: 'both:2', deviceIdentifier: 'other' },
  ]);
});

test('a load that names no device goes to the preferred device, else to this machine, else to another device', async () => {
  const models = ['everywhere', 'others'].map((modelKey) => ({ modelKey, sizeBytes: 1e9 }));
  const devices = ['first', 'second'].map((deviceIdentifier) => ({ deviceIdentifier, models }));
  await using connected = await startWithClient({ world: { models: models.slice(0, 1), devices } });
  const { client, simulator } = connected;
  const deviceOf = async (modelKey: string, options: object = {}): Promise<string | null> => {
    const model = await client.llm.load(modelKey, { ...QUIET, ...options });
    return (await model.getModelInfo()).deviceIdentifier ?? null;
  };
  expect(await deviceOf('everywhere')).toBeNull();
  expect(await deviceOf('others')).toBe('first');
  await client.repository.lmLink.setPreferredDevice('second');
  expect((await client.repository.lmLink.status()).preferredDeviceIdentifier).toBe('second');
  expect(await deviceOf('everywhere')).toBe('second');
  // `null` means this machine, even if another device is preferred.
  expect(await deviceOf('everywhere', { deviceIdentifier: null })).toBeNull();
  await rejection(client.llm.load('others', { ...QUIET, deviceIdentifier: null }));
  await rejection(client.repository.lmLink.setPreferredDevice('nowhere'));
  expect(simulator.residents()).toHaveLength(4);
});

test('LM Studio on another machine has another address, another platform and its own hardware', async () => {
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

test("with unified memory, the GPU's bytes are subtracted from RAM only once", async () => {
  await using connected = await startWithClient({ world: exampleWorld('mac') });
  await connected.client.llm.load('qwen/qwen3-8b', { ...QUIET, config: { gpu: { ratio: 'max' } } });
  const use = connected.simulator.memoryInUse();
  expect(use.gpus[0]?.deviceKey).toBe('apple');
  expect(use.gpus[0]?.bytes).toBeGreaterThan(5e9);
  expect(use.ram.anonymousBytes).toBe(use.gpus[0]?.bytes);
  const survey = await connected.client.runtime.surveyHardware();
  expect(survey.engines[0]?.hardwareSurvey.gpuSurveyResult.gpuInfo[0]).toMatchObject({
    integrationType: 'integrated',
    detectionPlatform: 'Metal',
  });
  await rejection(connected.client.llm.load('openai/gpt-oss-20b', QUIET));
});
