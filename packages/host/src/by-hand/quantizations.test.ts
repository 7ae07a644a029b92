import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from '@mai/lmstudio-adapter';
import { startSimulator } from '@mai/lmstudio-simulator';
import { totalBytesOf } from '@mai/memory-ledger';
// The estimator does not export its test files.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { bytesOf, languageModel } from '../../../memory-estimator/test/language-model.js';
import type { Host } from '../host.js';
import { openHost } from '../open-host.js';

/** The file of the largest quantization is for Ollama only, so llama.cpp refuses it. */
const REFUSED = 'many@q8_0';
const LARGE = 'many@q6_k';
const SMALL = 'many@q4_k_m';
const HUB = 'acme/hub';
const SELECTED = `${HUB}@q4_k_m`;
const OTHER = `${HUB}@q8_0`;

const fileOf = (key: string): string => `me/many-GGUF/many-${key.split('@')[1] ?? ''}.gguf`;

type Simulator = Awaited<ReturnType<typeof startSimulator>>;

async function withHost(
  instanceKey: 'model' | 'variant',
  run: (host: Host, simulator: Simulator) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mai quantizations '));
  const refused = languageModel();
  refused.tensors.set('v.a.weight', { shape: [8] });
  const files: readonly (readonly [string, Buffer | Uint8Array, number])[] = [
    [REFUSED, bytesOf(refused), 9e5],
    [LARGE, bytesOf(languageModel()), 6e5],
    [SMALL, bytesOf(languageModel()), 4e5],
  ];
  for (const [key, bytes] of files) {
    const file = path.join(folder, '.lmstudio', 'models', fileOf(key));
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes);
  }
  const variant = (name: string, sizeBytes: number) => ({
    name,
    sizeBytes,
    path: `acme/hub-GGUF/hub-${name}.gguf`,
    quantization: { name: name.toUpperCase(), bits: 4 },
  });
  await using simulator = await startSimulator({
    speed: 100,
    world: {
      instanceKey,
      variantKeysLoad: true,
      guardrails: { mode: 'off' },
      machine: { gpus: [] },
      models: [
        ...files.map(([modelKey, , sizeBytes]) => ({
          modelKey,
          path: fileOf(modelKey),
          sizeBytes,
          maxContextLength: 512,
        })),
        {
          modelKey: HUB,
          sizeBytes: 1e9,
          maxContextLength: 512,
          variants: [variant('q4_k_m', 1e9), variant('q8_0', 3e9)],
        },
      ],
    },
  });
  try {
    await using host = await openHost({
      url: simulator.httpUrl,
      apiToken: '',
      env: {},
      cwd: folder,
      userHome: folder,
      config: { version: 1, models: [{ key: 'many' }], fallback_chains: { default: ['many'] } },
      warn: () => undefined,
    });
    await run(host, simulator);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Loads as a user does, without Mai. */
async function loadAsUser({ baseUrl }: Simulator, ...modelKeys: string[]): Promise<void> {
  await using user = await connect({ baseUrl });
  for (const modelKey of modelKeys) await user.load({ modelKey });
}

test('a key with several files means the largest file that the engine accepts, for every command', () =>
  withHost('model', async (host) => {
    expect(await host.estimateLoad({ models: ['many'] })).toMatchObject([{ modelKey: LARGE }]);
    const { selection } = await host.select();
    expect(selection.chosen?.modelKey).toBe(LARGE);
    const { report, refusal } = await host.estimate({ model: 'many' });
    expect([refusal, report.source]).toEqual([null, 'gguf-header']);
    const { instance } = await host.load({ models: ['many'] });
    expect(instance.modelKey).toBe(LARGE);
  }));

test('a key with several files means the file that is loaded', () =>
  withHost('model', async (host, simulator) => {
    await loadAsUser(simulator, SMALL);
    const loaded = await host.load({ models: ['many'] });
    expect(loaded).toMatchObject({ reused: true, instance: { modelKey: SMALL } });
    expect(simulator.residents()).toHaveLength(1);
    expect((await host.pin('many')).journal.pins).toContainEqual(
      expect.objectContaining({ target: 'many' }),
    );
  }));

test('unload takes a key with several files, and needs all where several are loaded', () =>
  withHost('model', async (host, simulator) => {
    await loadAsUser(simulator, SMALL);
    expect((await host.unload({ target: 'many' })).unloaded).toMatchObject([{ modelKey: SMALL }]);
    await loadAsUser(simulator, SMALL, LARGE);
    await expect(host.unload({ target: 'many' })).rejects.toThrow(
      `2 instances of many are loaded: ${SMALL}, ${LARGE}. Name one of them, or add --all.`,
    );
    expect((await host.unload({ target: 'many', all: true })).unloaded).toHaveLength(2);
    expect(simulator.residents()).toEqual([]);
  }));

test.each(['model', 'variant'] as const)(
  'every command takes the key of a variant, where an instance reports the key of its %s',
  (instanceKey) =>
    withHost(instanceKey, async (host, simulator) => {
      await loadAsUser(simulator, OTHER);
      const { residents } = await host.status();
      expect(residents).toMatchObject([{ instanceIdentifier: OTHER, modelKey: OTHER }]);
      expect(await host.load({ models: [OTHER] })).toMatchObject({ reused: true });
      // The key of the model loads the selected variant, which is another file.
      const { instance } = await host.load({ models: [HUB] });
      expect(instance).toMatchObject({ modelKey: HUB, variant: SELECTED });
      expect(await host.load({ models: [SELECTED] })).toMatchObject({ reused: true });
      const takes = (await host.status()).residents.map((one) =>
        one.footprint === null ? 0 : totalBytesOf(one.footprint),
      );
      // The variants are 2 GB apart, and each is charged by its own file.
      expect((takes[0] ?? 0) - (takes[1] ?? 0)).toBeGreaterThan(1e9);
      expect((await host.unload({ target: OTHER })).unloaded).toMatchObject([{ modelKey: OTHER }]);
      expect((await host.unload({ target: SELECTED })).unloaded).toMatchObject([{ modelKey: HUB }]);
    }),
);

const ANY = {
  capabilities: [],
  minContextLengthTokens: null,
  preferredContextLengthTokens: null,
  tiers: null,
  chain: null,
  failed: [],
  instanceIdentifier: null,
};

test.each(['model', 'variant'] as const)(
  'a gateway gets the model of a name that is not listed, where an instance reports the key of its %s',
  (instanceKey) =>
    withHost(instanceKey, async ({ serving }) => {
      const { otherNames } = await serving.catalog();
      expect(otherNames).toEqual({ many: LARGE, [SELECTED]: HUB, [OTHER]: OTHER });
      const lease = await serving.acquire({ ...ANY, modelKey: OTHER });
      expect(lease.modelKey).toBe(OTHER);
      await lease.release();
    }),
);

test('a gateway gets the quantization that is loaded', () =>
  withHost('model', async ({ serving }, simulator) => {
    await loadAsUser(simulator, SMALL);
    expect((await serving.catalog()).otherNames).toMatchObject({ many: SMALL });
  }));
