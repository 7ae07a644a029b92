import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LMStudioClient } from '@lmstudio/sdk';
import type { GpuResources } from '@mai/memory-ledger';
import { connect, findLMStudioHome, LMStudioError } from '@mai/lmstudio-adapter';
import { startSimulator, type SimulatorOptions } from '@mai/lmstudio-simulator';
import { engineOfInstance, environmentFor, mlxEnvironmentFor } from './load-engine.js';
import { readLoadEngine } from './read-load-engine.js';

const OFF = {
  kind: 'off',
  runtime: 'lmstudio',
  reason: new LMStudioError('UNREACHABLE', 'It is off.'),
} as const;
const VULKAN = 'llama.cpp-win-x86_64-vulkan-avx2';

let userHome: string;
beforeEach(() => (userHome = mkdtempSync(path.join(tmpdir(), 'mai engine '))));
afterEach(() => rmSync(userHome, { recursive: true }));

function write(name: string, content: unknown): void {
  const file = path.join(userHome, '.lmstudio', name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(content));
}

const selects = (name: string, version: string) =>
  write('.internal/backend-preferences-v1.json', [{ model_format: 'gguf', name, version }]);

const disables = (...disabledGpus: number[]) =>
  write('.internal/hardware-config.json', {
    json: [
      [
        VULKAN,
        {
          fields: [
            {
              key: 'load.gpuSplitConfig',
              value: { strategy: 'evenly', disabledGpus, priority: [], customRatio: [] },
            },
          ],
        },
      ],
    ],
    meta: { values: ['map'] },
  });

const engineOff = () =>
  readLoadEngine(OFF, findLMStudioHome({ userHome, env: {} }), new AbortController().signal);

describe('while LM Studio is off', () => {
  test('its files name the engine and the default context', async () => {
    selects(VULKAN, '2.13.0');
    write('settings.json', { defaultContextLength: { type: 'custom', value: 16_384 } });
    const { profile } = await engineOff();
    expect(profile).toMatchObject({ runtimeVersion: '2.13.0', backend: 'vulkan' });
    expect(profile.settings.contextLengthTokens).toEqual({
      value: 16_384,
      alternatives: [],
      source: 'LM Studio’s settings.json',
    });
  });

  test.each([
    ['no files', () => undefined],
    ['a version that is not a number', () => selects(VULKAN, 'nightly')],
  ])('%s: the newest known engine is assumed', async (_, prepare) => {
    prepare();
    expect((await engineOff()).profile).toMatchObject({
      engine: 'lmstudio',
      runtimeVersion: null,
      factsVersion: '2.38.0',
    });
  });

  test('the suffix of a version is left out', async () => {
    selects(VULKAN, '2.28.2-beta.1');
    expect((await engineOff()).profile.runtimeVersion).toBe('2.28.2');
  });
});

describe('the place of the KV cache', () => {
  const keepsCacheInRam = () => {
    selects(VULKAN, '2.37.0');
    const fields = [{ key: 'llm.load.offloadKVCacheToGpu', value: false }];
    write('.internal/hardware-config.json', { json: [[VULKAN, { fields }]] });
  };
  const placeIn = ({ profile }: Awaited<ReturnType<typeof engineOff>>) =>
    profile.settings.offloadsKvCache;

  test('is the GPU by default, and RAM where the hardware settings of the engine say so', async () => {
    selects(VULKAN, '2.37.0');
    expect(placeIn(await engineOff()).value).toBe(true);
    keepsCacheInRam();
    expect(placeIn(await engineOff())).toEqual({
      value: false,
      alternatives: [],
      source: 'LM Studio’s hardware settings',
    });
  });

  test('does not depend on the hardware settings of another engine', async () => {
    keepsCacheInRam();
    selects('llama.cpp-win-x86_64-nvidia-cuda12-avx2', '2.37.0');
    expect(placeIn(await engineOff()).value).toBe(true);
  });

  test.each([true, false])(
    'is what an instance was loaded with (on the GPU: %s), whatever the hardware settings say',
    async (offloadKVCacheToGpu) => {
      keepsCacheInRam();
      await using simulator = await startSimulator({
        speed: Infinity,
        world: { guardrails: { mode: 'off' } },
      });
      await using sdk = new LMStudioClient({ baseUrl: simulator.baseUrl });
      const config = { offloadKVCacheToGpu };
      await sdk.llm.load('qwen/qwen3-8b', { verbose: false, config });
      await using client = await connect({ baseUrl: simulator.baseUrl });
      const [instance] = await client.listResidents();
      if (instance === undefined) throw new Error('No instance is loaded.');
      expect(placeIn(engineOfInstance(await engineOff(), instance))).toMatchObject({
        value: offloadKVCacheToGpu,
        alternatives: [],
      });
    },
  );
});

describe('GPUs that the user has disabled', () => {
  const card = (deviceKey: string, freeGb: number): GpuResources => ({
    deviceKey,
    name: null,
    vendor: 'amd',
    memory: 'dedicated',
    totalBytes: 24e9,
    availableBytes: freeGb * 1e9,
  });
  const machine = { unified: false, gpus: [card('first', 20), card('second', 8)] };
  const used = async () =>
    environmentFor(machine, await engineOff()).gpus.map(({ deviceKey }) => deviceKey);

  test.each([
    [[], ['first', 'second']],
    [[0], ['second']],
    [[1], ['second']],
    [[0, 1], []],
    [[1, 1], ['second']],
  ])(
    'for the disabled indices %j, the same number of GPUs with the most free memory get no layers',
    async (indices, expected) => {
      selects(VULKAN, '2.28.2');
      disables(...indices);
      expect(await used()).toEqual(expected);
    },
  );

  test('GPUs that are disabled for another engine change nothing', async () => {
    selects('llama.cpp-win-x86_64-nvidia-cuda12-avx2', '2.28.2');
    disables(0);
    expect((await engineOff()).disabledGpus).toBe(0);
  });

  test('where the engine is not known, GPUs that are disabled for any engine count', async () => {
    disables(0);
    expect((await engineOff()).disabledGpus).toBe(1);
  });
});

test('a runtime for ROCm uses the cards of AMD beside one of NVIDIA', async () => {
  const card = (vendor: 'amd' | 'nvidia'): GpuResources => ({
    deviceKey: vendor,
    name: null,
    vendor,
    memory: 'dedicated',
    totalBytes: 24e9,
    availableBytes: 20e9,
  });
  const machine = { unified: false, gpus: [card('nvidia'), card('amd')] };
  const used = async () =>
    environmentFor(machine, await engineOff()).gpus.map(({ deviceKey }) => deviceKey);
  selects('llama.cpp-linux-x86_64-amd-rocm-avx2', '2.28.2');
  expect(await used()).toEqual(['amd']);
  selects('llama.cpp-linux-x86_64-nvidia-cuda12-avx2', '2.28.2');
  expect(await used()).toEqual(['nvidia']);
  selects('llama.cpp-linux-x86_64-vulkan-avx2', '2.28.2');
  expect(await used()).toEqual(['nvidia', 'amd']);
});

describe('GPUs that LM Studio’s engine does not see', () => {
  const card = (deviceKey: string, name: string, freeGb: number): GpuResources => ({
    deviceKey,
    name,
    vendor: 'nvidia',
    memory: 'dedicated',
    totalBytes: 24e9,
    availableBytes: freeGb * 1e9,
  });
  const CARDS = [card('a', 'NVIDIA GeForce RTX 5090', 20), card('b', 'NVIDIA GeForce RTX 3090', 8)];

  const cuda = (name: string) => ({ name, totalBytes: 24e9 });
  const vulkan = (name: string, memory: 'dedicated' | 'shared') => ({
    name,
    memory,
    totalBytes: 24e9,
    platform: 'Vulkan' as const,
  });

  /** The keys of the cards that a load is planned on, where the engine sees these GPUs. */
  async function planned(
    gpus: readonly ReturnType<typeof cuda | typeof vulkan>[],
    {
      faults = [],
      unified = false,
    }: { faults?: SimulatorOptions['faults']; unified?: boolean } = {},
  ) {
    await using simulator = await startSimulator({ world: { machine: { gpus } }, faults });
    await using client = await connect({ baseUrl: simulator.baseUrl });
    const link = { kind: 'on', runtime: 'lmstudio', client } as const;
    const engine = await readLoadEngine(link, null, new AbortController().signal);
    return environmentFor({ gpus: CARDS, unified }, engine).gpus.map(({ deviceKey }) => deviceKey);
  }

  // lmstudio-bug-tracker #353 and #2176: "0 GPUs detected", or one of two. #382: the integrated GPU is hidden beside a card.
  test.each([
    ['both', [cuda('NVIDIA GeForce RTX 5090'), cuda('NVIDIA GeForce RTX 3090')], ['a', 'b']],
    ['both, with other names', [cuda('CUDA0'), cuda('CUDA1')], ['a', 'b']],
    ['one', [cuda('NVIDIA GeForce RTX 5090')], ['a']],
    ['one, and its name does not tell which', [cuda('CUDA0')], ['b']],
    ['an integrated GPU only', [vulkan('Intel UHD Graphics 770', 'shared')], []],
    ['another card only', [vulkan('AMD Radeon RX 7600 (RADV NAVI33)', 'dedicated')], []],
  ])('get no layers: it sees %s', async (_, gpus, keys) => {
    expect(await planned(gpus)).toEqual(keys);
  });

  test.each([
    ['failed', { type: 'survey-error' }],
    ['found no engine', { type: 'no-compatible-backends' }],
    ['has an unknown shape', { type: 'invalid-result', endpoint: 'surveyHardware' }],
    ['was refused', { type: 'answer-error', endpoint: 'surveyHardware' }],
  ] as const)('are not known where the survey %s, so all cards get layers', async (_, fault) => {
    expect(await planned([cuda('CUDA0')], { faults: [fault] })).toEqual(['a', 'b']);
  });

  test('on a unified machine, the GPU gets layers if the engine sees any', async () => {
    expect(await planned([cuda('CUDA0')], { unified: true })).toEqual(['a']);
    const renderer = vulkan('llvmpipe (LLVM 19.1.1, 256 bits)', 'dedicated');
    expect(await planned([renderer], { unified: true })).toEqual([]);
  });
});

describe('the KV cache of an MLX instance', () => {
  const MAC = { platform: 'darwin', architecture: 'ARM64', gpus: [] } as const;
  const FULL_SIZE = null;

  test.each([
    [
      { enabled: true, bits: 8, groupSize: 64, quantizedStart: 5000 },
      { bits: 8, groupSize: 64, fromTokens: 5000 },
    ],
    [false, FULL_SIZE],
  ] as const)('with the setting %j: %j', async (mlxKvCacheQuantization, expected) => {
    const models = [{ modelKey: 'mlx', format: 'safetensors' as const, sizeBytes: 1e9 }];
    await using simulator = await startSimulator({
      speed: Infinity,
      world: { machine: MAC, models, guardrails: { mode: 'off' } },
    });
    await using sdk = new LMStudioClient({ baseUrl: simulator.baseUrl });
    await sdk.llm.load('mlx', { verbose: false, config: { mlxKvCacheQuantization } });
    await using client = await connect({ baseUrl: simulator.baseUrl });
    const link = { kind: 'on', runtime: 'lmstudio', client } as const;
    const engine = await readLoadEngine(link, null, new AbortController().signal);
    const [instance] = await client.listResidents();
    if (instance === undefined) throw new Error('No instance is loaded.');
    const here = (one: typeof engine) =>
      mlxEnvironmentFor({ gpus: [], unified: true }, one).kvQuantization;
    expect(here(engineOfInstance(engine, instance))).toEqual(expected);
    expect(here(engine)).toEqual(FULL_SIZE);
  });
});
