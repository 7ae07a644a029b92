import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startSimulator, type Simulator, type SimulatorOptions } from '@mai/lmstudio-simulator';
import type { Host } from '../host.js';
import { openHost } from '../open-host.js';

const GIB = 1024 ** 3;

jest.setTimeout(60_000);

let folder: string;
beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'mai-bench-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

const BOTH = { modelKeys: ['test/one', 'test/two'], promptWords: 16, generatedTokens: 4 };

/** Runs `use` with a host of a simulated LM Studio that has small models: `test/one` and `test/two` by default. */
async function withHost(
  faults: NonNullable<SimulatorOptions['faults']>,
  use: (host: Host, simulator: Simulator) => Promise<void>,
  modelKeys: readonly string[] = BOTH.modelKeys,
): Promise<void> {
  const model = (modelKey: string) => ({ modelKey, sizeBytes: GIB / 4, maxContextLength: 8192 });
  await using simulator = await startSimulator({
    speed: 200,
    faults,
    world: { models: modelKeys.map(model), guardrails: { mode: 'off' } },
  });
  await using host = await openHost({
    url: simulator.httpUrl,
    apiToken: '',
    env: {},
    cwd: folder,
    userHome: folder,
    warn: () => undefined,
  });
  await use(host, simulator);
}

test.each([
  ['crashes', { type: 'crash-load' } as const, /./],
  ['never ends', { type: 'stall-load' } as const, /^test\/one was not measured within 8\.0 s\./],
])('a model whose load %s does not hide the figures of the next one', async (_, fault, message) => {
  await withHost([{ ...fault, modelKey: 'test/one' }], async (host, simulator) => {
    const [one, two] = await host.bench({ ...BOTH, modelTimeoutMs: 8000 });
    expect(one).toMatchObject({ modelKey: 'test/one', decode: null, prompt: null, load: null });
    expect(one?.failure?.message).toMatch(message);
    expect(two).toMatchObject({ modelKey: 'test/two', failure: null });
    expect(two?.prompt?.measured).toBeGreaterThan(0);
    expect(simulator.residents()).toEqual([]);
  });
});

test('a model that LM Studio refuses with each load option does not hold the next one back', async () => {
  await withHost([{ type: 'refuse-load', modelKey: 'test/one' }], async (host) => {
    const failures = (await host.bench(BOTH)).map(({ failure }) => failure);
    expect(failures).toEqual([
      expect.objectContaining({
        message: expect.stringContaining(
          'The last load of test/one failed: "mai explain" gives the reason.',
        ),
      }),
      null,
    ]);
  });
});

test('after the crashes of many models the next one says why it was not loaded', async () => {
  const modelKeys = Array.from({ length: 8 }, (_, index) => `test/model-${index}`);
  await withHost(
    [{ type: 'crash-load' }],
    async (host) => {
      const results = await host.bench({ ...BOTH, modelKeys });
      expect(results.at(-1)?.failure?.message).toContain(
        'Too many loads have failed, so no load is tried for some minutes',
      );
    },
    modelKeys,
  );
});

test.each([
  ['named models', ['test/two', 'test/one']],
  ['the best model that fits and another one', []],
])('%s are measured and unloaded again, and no other model is loaded', async (_, modelKeys) => {
  await withHost([], async (host, simulator) => {
    const results = await host.bench({ ...BOTH, modelKeys });
    expect(results.map(({ failure }) => failure)).toEqual(results.map(() => null));
    expect(results).toHaveLength(2);
    // A round of an autopilot would load the best model here.
    await host.status();
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(simulator.residents()).toEqual([]);
  });
});

test('a model that is unloaded by somebody else meanwhile does not hide the figures of the next one', async () => {
  await withHost([], async (host, simulator) => {
    await using other = await openHost({
      url: simulator.httpUrl,
      apiToken: '',
      env: {},
      cwd: folder,
      userHome: path.join(folder, 'other'),
      warn: () => undefined,
    });
    let unloading: Promise<unknown> = Promise.resolve();
    const [one, two] = await host.bench(BOTH, {
      onProgress: ({ modelKey, ratio }) => {
        // The first answer of the first model is measured, and the instance stays for the unload at the end.
        if (modelKey === 'test/one' && ratio > 0.3)
          unloading = other.unload({ target: 'test/one', force: true }).catch(() => undefined);
      },
    });
    await unloading;
    expect(one?.modelKey).toBe('test/one');
    expect(two).toMatchObject({ modelKey: 'test/two', failure: null });
    expect(simulator.residents()).toEqual([]);
  });
});
