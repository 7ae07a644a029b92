import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startSimulator, type Simulator } from '@mai/lmstudio-simulator';
import type { Host } from '../host.js';
import { openHost } from '../open-host.js';

jest.setTimeout(60_000);

const GIB = 1024 ** 3;
const LARGE = 'test/large';
const SMALL = 'test/small';
const HUGE = 'test/huge';

let simulator: Simulator;
let folder: string;
let host: Host;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-facts-'));
  simulator = await startSimulator({
    speed: 200,
    world: {
      machine: { ramBytes: 32 * GIB, gpus: [] },
      models: [
        { modelKey: HUGE, sizeBytes: 60 * GIB, maxContextLength: 32_768 },
        { modelKey: LARGE, sizeBytes: 14 * GIB, maxContextLength: 32_768, trainedForToolUse: true },
        { modelKey: SMALL, sizeBytes: 10 * GIB, maxContextLength: 32_768 },
      ],
      guardrails: { mode: 'off' },
    },
  });
  host = await openHost({
    url: simulator.httpUrl,
    config: {
      version: 1,
      models: [
        { key: HUGE, category: 'large', context_window: 8192, capabilities: ['chat'] },
        { key: LARGE, category: 'large', context_window: 8192, capabilities: ['chat', 'tools'] },
        { key: SMALL, category: 'small', context_window: 8192, capabilities: ['chat'] },
      ],
      fallback_chains: { default: [LARGE, SMALL], tiny: [SMALL] },
      fleet: { labels: { site: 'attic' }, guests: { memory_percent: 50 } },
    },
    dataFolder: path.join(folder, 'data'),
    cacheFolder: path.join(folder, 'cache'),
    configFolder: folder,
    userHome: folder,
    cwd: folder,
    env: {},
    timeoutMs: 10_000,
    monitor: {
      snapshot: async () => {
        const { mappedBytes, anonymousBytes } = simulator.memoryInUse().ram;
        return {
          timestampMs: Date.now(),
          observable: true,
          ram: {
            totalBytes: 32 * GIB,
            availableBytes: 28 * GIB - mappedBytes - anonymousBytes,
            mappedCountsAsUsed: true,
          },
          unified: false,
          gpus: [],
          cpu: { utilizationRatio: 0.1, othersRatio: 0.1 },
        };
      },
      readRam: null,
      settled: null,
    },
    warn: () => undefined,
  });
});
afterEach(async () => {
  await host[Symbol.asyncDispose]();
  await simulator.stop();
  await rm(folder, { recursive: true, force: true });
});

const fits = async () =>
  Object.fromEntries((await host.fleetFacts()).models.map(({ modelKey, fit }) => [modelKey, fit]));

test('reports pools, models, chains and the rules of the configuration', async () => {
  const facts = await host.fleetFacts();
  expect(facts).toMatchObject({
    versions: { runtime: 'lmstudio', runtimeVersion: expect.stringMatching(/^\d/) },
    pools: [{ pool: 'ram', totalBytes: 32 * GIB, limitBytes: expect.any(Number) }],
    chains: { default: [LARGE, SMALL], tiny: [SMALL] },
    linkDevices: [],
    fleet: { labels: { site: 'attic' }, chains: null, guests: { memoryRatio: 0.5, hours: null } },
  });
  expect(facts.pressureRatio).toBeGreaterThan(0);
  expect(facts.models.find(({ modelKey }) => modelKey === LARGE)).toMatchObject({
    kind: 'llm',
    tier: 'large',
    capabilities: ['chat', 'tools'],
    contextLengthTokens: 8192,
    maxContextLengthTokens: 32_768,
    sizeBytes: 14 * GIB,
    residents: [],
  });
});

test('reports whether a load fits now, after an eviction, or not', async () => {
  expect(await fits()).toEqual({ [HUGE]: 'no', [LARGE]: 'now', [SMALL]: 'now' });
  const lease = await host.acquire({ modelKey: LARGE });
  await lease.release();
  expect(await fits()).toEqual({ [HUGE]: 'no', [LARGE]: 'now', [SMALL]: 'after-eviction' });
  const { models } = await host.fleetFacts();
  const large = models.find(({ modelKey }) => modelKey === LARGE);
  expect(large?.residents).toMatchObject([
    { instanceIdentifier: `mai/${LARGE}`, contextLengthTokens: 8192, foreign: false },
  ]);
  expect(large?.residents[0]?.footprintBytes).toBeGreaterThan(14 * GIB);
  expect(large?.residents[0]?.parallel).toBeGreaterThanOrEqual(1);
});
