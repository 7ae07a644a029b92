import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startSimulator, type Simulator } from '@mai/lmstudio-simulator';
// The estimator does not export its test files.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { headerBytesOf, languageModel } from '../../../memory-estimator/test/language-model.js';
import type { Host } from '../host.js';
import { openHost } from '../open-host.js';

jest.setTimeout(60_000);

const GIB = 1024 ** 3;
/** About 8 GiB of weights in 32 layers. Each value has four bytes. */
const MODEL = { layers: 32, width: 2048, feedForward: 8704, contextLength: 32_768 };
const READABLE = 'test/readable';
/** LM Studio lists it, and its file is not there. */
const MISSING = 'test/missing';
const pathOf = (key: string): string => `${key}-GGUF/model-Q8_0.gguf`;

let folder: string;
let simulator: Simulator;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-fleet-speeds-'));
  const file = path.join(folder, '.lmstudio', 'models', pathOf(READABLE));
  await mkdir(path.dirname(file), { recursive: true });
  const { header, dataBytes } = headerBytesOf(languageModel(MODEL));
  await writeFile(file, header);
  // The weights are a hole in the file.
  await truncate(file, header.length + dataBytes);
  simulator = await startSimulator({
    speed: 200,
    world: {
      models: [READABLE, MISSING].map((modelKey) => ({
        modelKey,
        path: pathOf(modelKey),
        sizeBytes: 8 * GIB,
        maxContextLength: 32_768,
      })),
      guardrails: { mode: 'off' },
    },
  });
});
afterEach(async () => {
  await simulator.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A host with 32 GiB of RAM and this much free memory on its RTX 3090. */
const hostWith = (freeVramBytes: number): Promise<Host> =>
  openHost({
    url: simulator.httpUrl,
    config: {
      version: 1,
      models: [READABLE, MISSING].map((key) => ({ key, context_window: 8192 })),
    },
    dataFolder: path.join(folder, 'data'),
    cacheFolder: path.join(folder, 'cache'),
    configFolder: folder,
    userHome: folder,
    cwd: folder,
    env: {},
    timeoutMs: 10_000,
    monitor: {
      snapshot: async () => ({
        timestampMs: Date.now(),
        observable: true,
        unified: false,
        ram: { totalBytes: 32 * GIB, availableBytes: 28 * GIB, mappedCountsAsUsed: true },
        gpus: [
          {
            deviceKey: 'gpu',
            name: 'NVIDIA GeForce RTX 3090',
            vendor: 'nvidia',
            memory: 'dedicated',
            totalBytes: 24 * GIB,
            availableBytes: freeVramBytes,
          },
        ],
        cpu: { utilizationRatio: 0.1, othersRatio: 0.1 },
      }),
      readRam: null,
      settled: null,
    },
    warn: () => undefined,
  });

const factsOf = async (host: Host, key: string) =>
  (await host.fleetFacts()).models.find(({ modelKey }) => modelKey === key);

test('the fleet gets the speeds that mai models shows, and the time of a load', async () => {
  await using host = await hostWith(23 * GIB);
  const told = await factsOf(host, READABLE);
  expect(told).toMatchObject({ fit: 'now', speed: { measured: false } });
  expect(told?.speed?.decodeTokensPerSecond.expected).toBeGreaterThan(50);
  expect(told?.speed?.loadMs?.expected).toBeGreaterThan(1000);
  const shown = (await host.models({ all: true })).models.find(
    ({ profile }) => profile.modelKey === READABLE,
  );
  expect(told?.speed).toEqual(shown?.speed);
});

test('a model that fits only with layers in RAM is reported with the speed of that load', async () => {
  await using host = await hostWith(23 * GIB);
  const whole = (await factsOf(host, READABLE))?.speed?.decodeTokensPerSecond.expected ?? 0;
  await using crowded = await hostWith(7 * GIB);
  const told = await factsOf(crowded, READABLE);
  expect(told?.fit).toBe('now');
  expect(told?.speed?.decodeTokensPerSecond.expected).toBeLessThan(whole / 2);
});

test('a model whose file is not on this machine has the speed of a usual model of its size, with a wide interval', async () => {
  await using host = await hostWith(23 * GIB);
  const told = await factsOf(host, MISSING);
  expect(told).toMatchObject({ fit: 'now', speed: { measured: false } });
  const speed = told?.speed?.decodeTokensPerSecond;
  expect(speed?.expected).toBeGreaterThan(speed?.low ?? Infinity);
  // It may be a mixture of experts.
  expect(speed?.high).toBeGreaterThan(10 * (speed?.expected ?? Infinity));
});
