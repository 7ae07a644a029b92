import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DECISION_WORDS, openHost, type Host } from '@mai/host';
import { startSimulator, type Simulator } from '@mai/lmstudio-simulator';
import { ask } from '../../test/ask.js';
import { serveControl, type ControlWorld } from '../../test/worlds/serve-control.js';
import { OPERATIONS, type Operation, type OperationName } from './openapi/operations.js';

const GIB = 1024 ** 3;
const LARGE = 'test/large';
const SMALL = 'test/small';

let folder: string;
let simulator: Simulator;
let host: Host;
let world: ControlWorld;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-control-'));
  simulator = await startSimulator({
    speed: 1,
    world: {
      machine: { ramBytes: 32 * GIB, gpus: [] },
      models: [
        { modelKey: LARGE, sizeBytes: 40 * GIB, maxContextLength: 32_768 },
        { modelKey: SMALL, sizeBytes: 2 * GIB, maxContextLength: 32_768 },
      ],
      guardrails: { mode: 'off' },
    },
  });
  const chat = (key: string, category: 'small' | 'large') => ({
    key,
    category,
    context_window: 8192,
    capabilities: ['chat' as const],
  });
  host = await openHost({
    url: simulator.httpUrl,
    config: {
      version: 1,
      models: [chat(LARGE, 'large'), chat(SMALL, 'small')],
      fallback_chains: { default: [LARGE, SMALL] },
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
            availableBytes: 26 * GIB - mappedBytes - anonymousBytes,
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
  world = await serveControl({ parts: { machine: host, words: DECISION_WORDS } });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
  await simulator.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Calls an operation, and checks the answer against its schema. */
async function call(
  name: OperationName,
  options: { query?: string; id?: string; body?: object } = {},
) {
  const { method, path: route, answer: schema }: Operation = OPERATIONS[name];
  const answer = await ask(world.url, {
    method,
    path: route.replace('{id}', options.id ?? '') + (options.query ?? ''),
    ...(options.body === undefined
      ? {}
      : { body: JSON.stringify(options.body), headers: { 'content-type': 'application/json' } }),
  });
  expect([answer.status, answer.status === 200 ? '' : answer.text]).toEqual([200, '']);
  schema.parse(answer.json());
  return answer.json();
}

test('a real host answers every operation as the schemas say, before and while the autopilot runs', async () => {
  expect((await call('status')).autopilot).toBeNull();
  const { chain } = await call('models');
  expect(
    chain.steps.map(({ modelKey, verdict }: { modelKey: string; verdict: string }) => [
      modelKey,
      verdict,
    ]),
  ).toEqual([
    [LARGE, 'rejected'],
    [SMALL, 'chosen'],
  ]);
  expect(chain.steps[0].rejection.text).toMatch(/^needs .* more RAM/);
  const small = await call('whatIf', { query: `?model=${SMALL}&contextLengthTokens=4096` });
  const large = await call('whatIf', { query: `?model=${SMALL}&contextLengthTokens=32768` });
  expect(large.totalBytes).toBeGreaterThan(small.totalBytes);
  expect(small.fits).toBe(true);

  const planned = await call('load', { query: '?dryRun=1', body: { model: SMALL } });
  expect(planned.possible).toBe(true);
  expect(simulator.residents()).toHaveLength(0);
  const refused = await call('load', { body: { model: LARGE, dryRun: true } });
  expect(refused.possible).toBe(false);
  expect(refused.warnings[0]).toContain('over its limit');

  await using _autopilot = await host.startAutopilot({ intervalMs: 50 });
  for (let tries = 0; simulator.residents().length === 0 && tries < 100; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await new Promise((resolve) => setTimeout(resolve, 2500));
  const status = await call('status');
  expect(status.autopilot.status).toBe('running');
  const [resident] = status.residents;
  expect(resident).toMatchObject({ modelKey: SMALL, foreign: false });
  expect(status.pools[0].residents[0].bytes).toBeGreaterThan(2 * GIB);

  const { samples, switches, pools } = await call('history');
  expect(samples.length).toBeGreaterThan(0);
  expect(pools[0].label).toBe('RAM');
  expect(switches[0].text).toContain(`loaded ${resident.instanceIdentifier}`);

  const explained = await call('explain');
  expect(await call('decision', { id: explained.id })).toEqual(explained);
  const found = await call('decisions', { query: '?search=load%20test/small' });
  expect(found.decisions.length).toBeGreaterThan(0);

  const identifier = resident.instanceIdentifier;
  expect((await call('pin', { body: { target: identifier } })).pins).toHaveLength(1);
  expect((await call('status')).residents[0].pinned).toBe(true);
  expect((await call('unpin', { body: {} })).pins).toHaveLength(0);
  const yielded = await call('yield', { body: { bytes: GIB, name: 'game', dryRun: true } });
  expect(yielded.yields).toMatchObject([{ name: 'game', bytes: GIB }]);
  expect(yielded).toMatchObject({
    summary: 'Keeps 1.0 GiB of RAM free (game). No model has to be unloaded for it.',
    unloads: [],
  });
  expect((await call('status')).yields).toHaveLength(0);
  const evicting = { bytes: 24 * GIB, name: 'game' };
  const planned24 = await call('yield', { body: { ...evicting, dryRun: true } });
  expect(planned24).toMatchObject({
    summary: 'Keeps 24.0 GiB of RAM free (game). No other model of the chain fits then.',
    unloads: [{ modelKey: SMALL, instanceIdentifier: identifier }],
    loads: [],
    pools: [{ pool: 'ram', yieldedBytes: 24 * GIB }],
  });
  const unload = await call('unload', { body: { target: SMALL, dryRun: true } });
  expect(unload.unloads).toMatchObject([{ instanceIdentifier: identifier }]);
  expect(unload.pools[0].useAfterBytes).toBeLessThan(unload.pools[0].useBeforeBytes);
  await call('queue');

  await call('yield', { body: evicting });
  for (let tries = 0; simulator.residents().length > 0 && tries < 100; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await new Promise((resolve) => setTimeout(resolve, 2500));
  // Six GiB are in use by other programs. The yield is told apart from them.
  const after = await call('history');
  expect(after.samples.at(-1).pools[0]).toMatchObject({
    othersBytes: 30 * GIB,
    yieldedBytes: 24 * GIB,
  });
  expect(after.switches.at(-1).text).toContain('because a yield keeps memory free');
  const memory = (await call('explain')).sentences.find(
    ({ label }: { label: string }) => label === 'Memory',
  );
  expect(memory.text).toMatch(
    /^RAM 94 % in use or kept free .*: other programs 6\.0 GiB, kept free by yields 24\.0 GiB, models 0 B\.$/,
  );
  expect((await call('models')).chain.obstacle).toMatch(
    /^End the yields, which keep 24\.0 GiB free/,
  );
  await call('endYield', { body: {} });
});

test('LM Studio’s own error reaches the caller with what to do next', async () => {
  const answer = await ask(world.url, {
    method: 'POST',
    path: '/api/mai/unload',
    headers: { 'content-type': 'application/json' },
    body: '{"target":"absent"}',
  });
  expect(answer.status).toBe(404);
  expect(answer.json().error).toMatchObject({ code: 'INSTANCE_NOT_FOUND' });
  expect(world.faults).toEqual([]);
});
