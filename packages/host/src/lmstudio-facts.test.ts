import { LMStudioClient } from '@lmstudio/sdk';
import { startSimulator, type SimulatorOptions } from '@mai/lmstudio-simulator';
import { totalBytesOf } from '@mai/memory-ledger';
import { openAutopilotWorld, type AutopilotWorld } from '../test/autopilot-world.js';
import { isRecord } from './guards.js';
import type { Host } from './host.js';
import type { HostOptions } from './host-options.js';
import { openHost } from './open-host.js';
import { describeEstimatedSpeed } from './text/estimates/describe-estimate.js';

const GIB = 1024 ** 3;
const HUB = {
  modelKey: 'acme/hub',
  sizeBytes: 4 * GIB,
  maxContextLength: 8192,
  variants: [
    {
      name: 'q4_k_m',
      sizeBytes: 4 * GIB,
      path: 'acme/Hub/Hub-Q4_K_M.gguf',
      quantization: { name: 'Q4_K_M', bits: 4 },
    },
    {
      name: 'q8_0',
      sizeBytes: 7 * GIB,
      path: 'acme/Hub/Hub-Q8_0.gguf',
      quantization: { name: 'Q8_0', bits: 8 },
    },
  ],
} as const;

let world: AutopilotWorld;
beforeEach(async () => {
  world = await openAutopilotWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

async function withHost(
  simulated: NonNullable<SimulatorOptions['world']>,
  use: (host: Host, client: LMStudioClient) => Promise<void>,
  options: Partial<HostOptions> = {},
): Promise<void> {
  await using simulator = await startSimulator({ speed: 500, world: simulated });
  await using host = await openHost({ ...world.options, ...options, url: simulator.httpUrl });
  await using client = new LMStudioClient({ baseUrl: simulator.baseUrl });
  await use(host, client);
}

describe.each(['model', 'variant'] as const)(
  'a hub model whose instance reports the key of its %s',
  (instanceKey) => {
    const simulated = { machine: { gpus: [] }, models: [HUB], instanceKey };

    test('is found by the key of its variant in load, status, estimate and unload', async () => {
      await withHost(simulated, async (host, client) => {
        await client.llm.load('acme/hub', { verbose: false });
        const loaded = await host.load({ models: ['acme/hub@q4_k_m'] });
        expect(loaded).toMatchObject({ reused: true, verified: [] });
        const { residents } = await host.status();
        expect(residents).toMatchObject([{ modelKey: 'acme/hub' }]);
        expect(residents[0]?.footprint).not.toBeNull();
        const estimate = await host.estimate({ model: 'acme/hub@q4_k_m' });
        expect(estimate).toMatchObject({ modelKey: 'acme/hub@q4_k_m', basis: { kind: 'size' } });
        const { unloaded } = await host.unload({ target: 'acme/hub@q4_k_m' });
        expect(unloaded).toHaveLength(1);
        expect((await host.status()).residents).toEqual([]);
      });
    });

    test('serves a configuration that names the selected variant, and is pinned by its key', async () => {
      const options: Partial<HostOptions> = {
        config: {
          version: 1,
          models: [{ key: 'acme/hub@q4_k_m', context_window: 4096, load: { parallel: 1 } }],
          fallback_chains: { default: ['acme/hub@q4_k_m'] },
        },
      };
      const use = async (host: Host): Promise<void> => {
        const first = await host.switchModel();
        expect(first).toMatchObject({ outcome: 'switched', loaded: [{ modelKey: 'acme/hub' }] });
        expect(await host.switchModel()).toMatchObject({ outcome: 'kept', loaded: [] });
        expect((await host.select()).selection).toMatchObject({
          decision: 'keep',
          chosen: { modelKey: 'acme/hub', instanceIdentifier: 'mai/acme/hub' },
        });
        const { models } = await host.models();
        expect(models.map(({ profile, loaded }) => [profile.modelKey, loaded])).toEqual([
          ['acme/hub', true],
        ]);
        // A load by hand uses the settings of the variant's entry, and so the same copy.
        const byHand = await host.load({ models: ['acme/hub'] });
        expect(byHand).toMatchObject({ reused: true, verified: [] });
        const { selection } = await host.select({ pinned: ['acme/hub@q4_k_m'] });
        expect(selection).toMatchObject({ decision: 'keep' });
      };
      await withHost(simulated, use, options);
    });
  },
);

test('the estimate of another variant uses the file of that variant', async () => {
  await withHost({ machine: { gpus: [] }, models: [HUB] }, async (host) => {
    const [selected, other] = await Promise.all(
      ['acme/hub', 'acme/hub@q8_0'].map((model) => host.estimate({ model, judge: false })),
    );
    expect(selected?.report.ram.weightsBytes).toBe(4 * GIB);
    expect(other?.report.ram.weightsBytes).toBe(7 * GIB);
  });
});

test('a measurement of another variant loads that variant and names it', async () => {
  await using simulator = await startSimulator({
    speed: 500,
    world: { machine: { gpus: [] }, models: [HUB] },
  });
  const { monitor: _, ...options } = world.options;
  await using host = await openHost({ ...options, url: simulator.httpUrl });
  const loadedKeys = () =>
    simulator.requests.flatMap(({ endpoint, parameter }) =>
      endpoint === 'loadModel' && isRecord(parameter) ? [parameter['modelKey']] : [],
    );
  const other = await host.measure({ modelKey: 'acme/hub@q8_0' });
  expect(other.modelKey).toBe('acme/hub@q8_0');
  expect(loadedKeys()).toEqual(['acme/hub@q8_0']);
  const selected = await host.measure({ modelKey: 'acme/hub@q4_k_m' });
  expect(selected.modelKey).toBe('acme/hub');
  expect(loadedKeys()).toEqual(['acme/hub@q8_0', 'acme/hub']);
  expect(totalBytesOf(other.predicted)).toBeGreaterThan(totalBytesOf(selected.predicted));
  expect(simulator.residents()).toEqual([]);
}, 60_000);

test('the list of models gives each model at most its maximum context length', async () => {
  await withHost({ machine: { gpus: [] }, models: [HUB] }, async (host) => {
    const { models } = await host.models({ contextLengthTokens: 65_536 });
    expect(models).toMatchObject([{ profile: { contextLengthTokens: 8192 } }]);
  });
});

test('load, models and select use the same context length for a model that is not configured', async () => {
  await withHost({ machine: { gpus: [] }, models: [HUB] }, async (host) => {
    const [model] = (await host.models()).models;
    const { selection } = await host.select();
    const { instance } = await host.load({ models: ['acme/hub'] });
    const tokens = model?.profile.contextLengthTokens;
    expect(instance.contextLengthTokens).toBe(tokens);
    expect([null, tokens]).toContain(
      selection.chosen?.loadOption.loadConfig.contextLengthTokens ?? null,
    );
  });
});

test('calls succeed with malformed entries in LM Studio’s list, and the list of models names these entries', async () => {
  const strange = { ...HUB, variants: [], path: 'a/b/c.gguf' };
  const models = [
    { ...strange, modelKey: 'acme/zero', maxContextLength: 0 },
    { ...strange, modelKey: 'acme/voice', type: 'tts', path: 'a/b/d.gguf' },
  ];
  await withHost({ machine: { gpus: [] }, models }, async (host) => {
    const list = await host.models();
    expect(list.models.map(({ profile }) => profile.modelKey)).toEqual(['acme/zero']);
    expect(list.otherEntries).toMatchObject([{ modelKey: 'acme/voice', type: 'tts' }]);
    expect((await host.status()).residents).toEqual([]);
    await host.select();
  });
});

test('a model of another kind is refused with that reason, and nobody is advised to download it', async () => {
  const voice = { ...HUB, variants: [], modelKey: 'acme/voice', type: 'tts', path: 'a/b/d.gguf' };
  const config = {
    version: 1,
    models: [{ key: 'acme/voice', context_window: 4096 }],
    fallback_chains: { default: ['acme/voice'] },
  } as const;
  const message = 'acme/voice is not offered: its kind is tts, which is not a language model.';
  await withHost(
    { machine: { gpus: [] }, models: [HUB, voice] },
    async (host) => {
      const { obstacle, selection } = await host.select();
      expect(obstacle).toEqual({ kind: 'not-usable', message });
      expect(selection.rejected).toMatchObject([
        {
          modelKey: 'acme/voice',
          rejection: { code: 'ENGINE_REFUSES', refusal: { code: 'OTHER_KIND' } },
        },
      ]);
      const asked = [
        host.estimate({ model: 'acme/voice' }),
        host.compare({ modelKeys: ['acme/voice'] }),
      ];
      for (const answer of asked)
        await expect(answer).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND', message });
    },
    { config },
  );
});

test('a lease of a downloaded model that is not offered, and a decision about it, give the reason', async () => {
  const voice = { ...HUB, variants: [], modelKey: 'acme/voice', type: 'tts', path: 'a/b/d.gguf' };
  const message = 'acme/voice is not offered: its kind is tts, which is not a language model.';
  await withHost({ machine: { gpus: [] }, models: [HUB, voice] }, async (host) => {
    await expect(host.acquire({ modelKey: 'acme/voice' })).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: expect.stringContaining(message) as unknown,
    });
    const { obstacle } = await host.select({ modelKey: 'acme/voice' });
    expect(obstacle).toEqual({ kind: 'not-usable', message });
  });
});

test('an MLX model is not offered where only an engine for GGUF is selected', async () => {
  const mlx = { ...HUB, variants: [], modelKey: 'acme/mlx', format: 'safetensors' as const };
  await withHost({ machine: { gpus: [] }, models: [HUB, mlx] }, async (host) => {
    const { models, unusable } = await host.models();
    expect(models.map(({ profile }) => profile.modelKey)).toEqual(['acme/hub']);
    expect(unusable).toMatchObject([
      {
        modelKey: 'acme/mlx',
        code: 'NO_ENGINE',
        why: 'LM Studio has no engine selected for MLX models',
      },
    ]);
  });
});

test('a model of which only the size is known has a speed with a wide interval, the same in the list and in its estimate', async () => {
  const sized = { ...HUB, variants: [], modelKey: 'acme/sized-8b', path: 'a/b/sized.gguf' };
  const embedding = { ...sized, type: 'embedding' as const, modelKey: 'acme/vectors' };
  const simulated = {
    machine: { gpus: [] },
    models: [sized, { ...embedding, path: 'a/b/vectors.gguf' }],
  };
  await withHost(simulated, async (host) => {
    const estimate = await host.estimate({ model: 'acme/sized-8b' });
    const { models } = await host.models();
    const listed = models.find(({ profile }) => profile.modelKey === 'acme/sized-8b');
    expect(estimate.basis.kind).toBe('size');
    const [speed, inList] = [estimate.speed?.speed, listed?.speed].map((one) => one ?? null);
    expect(speed?.decodeTokensPerSecond).toEqual(inList?.decodeTokensPerSecond);
    const { low, high } = speed?.decodeTokensPerSecond ?? { low: 1, high: 1 };
    expect(high / low).toBeGreaterThan(10);
    expect(describeEstimatedSpeed(estimate)).toMatch(
      /^Generates about .* This is a rough guess from the size of the model: \S+ to \S+ tokens a second are likely\.$/,
    );
    expect(estimate.speed?.decodeByContext).toHaveLength(estimate.byContextLength.length);
    const onCpu = await host.estimate({
      model: 'acme/sized-8b',
      settings: { gpuBackend: 'none' as const },
    });
    expect(onCpu.speed?.speed.decodeTokensPerSecond.expected).toBeGreaterThan(0);
    expect((await host.estimate({ model: 'acme/vectors' })).speed).toBeNull();
  });
});

test('a model on another machine of LM Link is estimated by its size and by LM Studio', async () => {
  const linked = { ...HUB, variants: [], modelKey: 'acme/far', path: 'a/b/far.gguf' };
  const simulated = {
    machine: { gpus: [] },
    models: [{ ...linked, modelKey: 'acme/near', path: 'a/b/n.gguf' }],
    devices: [{ deviceIdentifier: 'far-away', deviceName: 'Far', models: [linked] }],
  };
  await withHost(simulated, async (host) => {
    const estimate = await host.estimate({ model: 'acme/far' });
    expect(estimate).toMatchObject({
      basis: { kind: 'size', why: 'it is on another machine of LM Link' },
      fit: null,
      speed: null,
    });
    expect(describeEstimatedSpeed(estimate)).toBe(
      'The speed is not known, because LM Studio does not report the GPUs of other machines of LM Link.',
    );
    expect(estimate.lmStudio?.totalBytes).toBeGreaterThan(4 * GIB);
  });
});

test('a variant on another machine of LM Link is estimated by LM Studio, too', async () => {
  const simulated = {
    machine: { gpus: [] },
    models: [{ ...HUB, variants: [], modelKey: 'n', path: 'a/b/n.gguf' }],
    devices: [{ deviceIdentifier: 'far-away', deviceName: 'Far', models: [HUB] }],
  };
  await withHost(simulated, async (host) => {
    const [model, variant] = await Promise.all(
      ['acme/hub', 'acme/hub@q4_k_m'].map((key) => host.estimate({ model: key })),
    );
    expect(variant?.lmStudio?.totalBytes).toBeGreaterThan(4 * GIB);
    expect(variant?.lmStudio).toEqual(model?.lmStudio);
  });
});

test('closing a host warns of a load whose end LM Studio has not confirmed', async () => {
  const simulated = {
    machine: { gpus: [] },
    models: [HUB],
    loadAfterCancel: 'continue' as const,
    cancelConfirmationMs: 3_600_000,
  };
  await using simulator = await startSimulator({ speed: 1, world: simulated });
  const stalled = simulator.fault.stallLoad();
  const host = await openHost({ ...world.options, url: simulator.httpUrl, timeoutMs: 500 });
  const loading = host.load({ models: ['acme/hub'] });
  await expect(loading).rejects.toMatchObject({ code: 'LOAD_TIMED_OUT', uncertain: true });
  await host[Symbol.asyncDispose]();
  expect(world.warnings.join()).toMatch(
    /has not confirmed that it stopped loading acme\/hub\. It may still appear as mai\/acme\/hub/,
  );
  stalled.clear();
}, 30_000);

describe('doctor', () => {
  test.each([
    ['survey-error', 'error'],
    ['no-compatible-backends', 'noCompatibleBackends'],
  ] as const)('%s is a fault with its code', async (type, code) => {
    await using simulator = await startSimulator({ faults: [{ type }] });
    const { monitor: _, ...options } = world.options;
    await using host = await openHost({ ...options, url: simulator.httpUrl });
    const checks = await host.doctor();
    const survey = checks.filter(({ name }) => name === 'Survey');
    expect(survey.length).toBeGreaterThan(0);
    expect(survey.every(({ state }) => state === 'fault')).toBe(true);
    expect(survey.map(({ message }) => message).join()).toContain(`(${code})`);
    expect(checks.map(({ message }) => message).join()).not.toContain('No GPU was found');
  });

  test('says by how much models may grow, and how to bound this growth', async () => {
    await withHost({ machine: { gpus: [] }, models: [HUB] }, async (host) => {
      const growth = (await host.doctor()).find(({ name }) => name === 'Growth');
      expect(growth?.message).toMatch(/prompt cache of up to 8\.0 GiB.*contextCheckpoints/);
    });
  });
});

test('LM Studio that answers and refuses to list its models fails, and is not called off', async () => {
  await using simulator = await startSimulator({
    faults: [{ type: 'answer-error', endpoint: 'listLoaded' }],
  });
  await using host = await openHost({ ...world.options, url: simulator.httpUrl });
  const { runtime } = await host.status();
  expect(runtime).toMatchObject({ name: 'lmstudio', state: 'failing' });
  expect(runtime).toMatchObject({ message: expect.stringContaining('refused to list') });
  await simulator.stop();
  expect((await host.status()).runtime).toMatchObject({ state: 'off' });
});
