import { rejection, startWithClient } from '../../test/connect-sdk.js';
import { exampleWorld } from '../index.js';

test('a failed survey of the GPUs has a code and no GPU', async () => {
  await using connected = await startWithClient();
  connected.simulator.fault.surveyError({ code: 'invalidDevice', text: 'nvmlInit failed' });
  const survey = await connected.client.runtime.surveyHardware();
  expect(survey).toMatchObject({
    status: 'ok',
    engines: [
      {
        compatibility: { status: 'gpuSurveyUnsuccessful' },
        hardwareSurvey: {
          gpuSurveyResult: {
            result: { code: 'invalidDevice', message: 'nvmlInit failed' },
            gpuInfo: [],
          },
        },
        memoryInfo: { vramCapacity: 0 },
      },
    ],
  });
});

test('an engine that finds no GPU is compatible', async () => {
  await using connected = await startWithClient();
  connected.simulator.fault.surveyError({ code: 'noDevicesFound' });
  expect(await connected.client.runtime.surveyHardware()).toMatchObject({
    engines: [
      {
        compatibility: { status: 'compatible' },
        hardwareSurvey: { gpuSurveyResult: { result: { code: 'noDevicesFound' }, gpuInfo: [] } },
      },
    ],
  });
});

test('a survey may find no compatible engine', async () => {
  await using connected = await startWithClient();
  connected.simulator.fault.noCompatibleBackends({ times: 1 });
  const survey = (): Promise<{ readonly status: string }> =>
    connected.client.runtime.surveyHardware({ type: 'all' });
  expect(await survey()).toEqual({ status: 'noCompatibleBackends', engines: [] });
  expect((await survey()).status).toBe('ok');
});

test('an engine can be selected, and an engine for the CPU does not use the GPU', async () => {
  await using connected = await startWithClient();
  const { client, simulator } = connected;
  const engines = await client.runtime.engine.list();
  expect(engines.map(({ name }) => name)).toEqual([
    'llama.cpp-linux-x86_64-nvidia-cuda12-avx2',
    'llama.cpp-linux-x86_64-avx2',
  ]);
  await client.runtime.engine.select(
    { name: 'llama.cpp-linux-x86_64-avx2', version: '2.28.2' },
    'GGUF',
  );
  const selections = await client.runtime.engine.getSelections();
  expect(selections.get('GGUF')?.name).toBe('llama.cpp-linux-x86_64-avx2');
  await client.llm.load('qwen/qwen3-1.7b', { verbose: false });
  expect(simulator.memoryInUse().gpus[0]?.bytes).toBe(0);
  expect(simulator.residents()[0]?.memory.gpus).toEqual([{ deviceKey: 'survey:0', bytes: 0 }]);
  expect(simulator.memoryInUse().ram.anonymousBytes).toBeGreaterThan(1_834_426_016);
  const error = await rejection(
    client.runtime.engine.select({ name: 'llama.cpp-none', version: '1' }, 'GGUF'),
  );
  expect(error.message).toContain('llama.cpp-none@1');
});

test('a Mac has an engine for MLX, and elsewhere a model in safetensors does not load', async () => {
  const models = [{ modelKey: 'mlx', format: 'safetensors' as const, sizeBytes: 1e9 }];
  await using mac = await startWithClient({ world: { ...exampleWorld('mac'), models } });
  expect([...(await mac.client.runtime.engine.getSelections()).keys()]).toEqual(['GGUF', 'MLX']);
  await mac.client.llm.load('mlx', { verbose: false });
  await using desktop = await startWithClient({ world: { models } });
  const { message } = await rejection(desktop.client.llm.load('mlx', { verbose: false }));
  expect(message).toContain("No LM Runtime found for model format 'mlx'!");
});
