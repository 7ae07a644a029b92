import { mkdir, mkdtemp, rename, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock, type Clock } from '@mai/autopilot';
import { writeNoiseModel } from '@mai/llama-runtime';
import { joinAutopilotPorts } from '../autopilot/join-ports.js';
import { NO_REQUEST } from '../control/no-request.js';
import { createHostParts } from '../create-host-parts.js';
import { isHostError } from '../host-error.js';
import { contextOf, type HostOptions } from '../host-options.js';
import { openHost } from '../open-host.js';
import type { ServingCatalog } from '../serving/serving.js';

jest.setTimeout(120_000);

const SPEED = 20;
/** A clock on which the 30 s of a list of downloads last 1.5 s. */
const clock: Clock = {
  nowMs: () => systemClock.nowMs(),
  monotonicMs: () => SPEED * systemClock.monotonicMs(),
  sleep: (ms, options) => systemClock.sleep(ms / SPEED, options),
};

let folder: string;
let models: string;
let options: HostOptions;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-'));
  models = path.join(folder, 'models');
  await mkdir(models);
  await writeModel('only');
  options = {
    runtime: 'embedded',
    modelFolders: [models],
    // Only the list of downloads names the model.
    config: { version: 1, fallback_chains: { default: ['downloaded:chat'] } },
    dataFolder: path.join(folder, 'data'),
    cacheFolder: path.join(folder, 'cache'),
    configFolder: folder,
    userHome: folder,
    cwd: folder,
    env: {},
    clock,
    warn: () => undefined,
  };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What `acquire` reports until the autopilot has listed the downloads again. */
const NOT_YET = new Set(['NOTHING_FITS', 'MODEL_NOT_FOUND']);

const fileOf = (name: string): string => path.join(models, `${name}.gguf`);

async function writeModel(name: string): Promise<void> {
  await writeNoiseModel(fileOf(name), { name: 'only', layers: 2, width: 256 });
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(50);
}

test('a loaded model serves while its folder is gone, is not loaded again, and can be loaded once the folder is back', async () => {
  await using host = await openHost(options);
  const only = (catalog: ServingCatalog) =>
    catalog.models.find(({ modelKey }) => modelKey === 'only');
  await host.startAutopilot();
  const { serving } = host;
  await (await serving.acquire(NO_REQUEST)).release();
  expect(only(await serving.catalog())).toBeDefined();
  await rename(models, `${models} away`);
  await until(async () => (await host.models()).downloadedCount === 0);
  // More than the age from which both lists of downloads are read again.
  for (let time = 0; time < 20; time += 1) {
    await sleep(100);
    const catalog = await serving.catalog();
    expect(only(catalog)).toMatchObject({ residents: [{ foreign: false }] });
    expect(catalog.chains['default']).toEqual(['only']);
  }
  const instanceIdentifier = 'mai/only';
  for (const request of [{}, { modelKey: 'only' }, { instanceIdentifier }]) {
    const lease = await serving.acquire({ ...NO_REQUEST, ...request });
    expect(lease.instanceIdentifier).toBe(instanceIdentifier);
    await lease.release();
  }
  const longer = { ...NO_REQUEST, minContextLengthTokens: 1_000_000 };
  await expect(serving.acquire(longer)).rejects.toMatchObject({
    code: 'NOTHING_FITS',
    selection: {
      rejected: [{ modelKey: 'only', rejection: { refusal: { code: 'FILE_NOT_FOUND' } } }],
    },
  });
  await host.unload({ target: instanceIdentifier });
  await until(async () => only(await serving.catalog()) === undefined);
  await rename(`${models} away`, models);
  // The autopilot knows the model after its next list of the downloads.
  await until(async () => {
    try {
      await (await serving.acquire({ ...NO_REQUEST, modelKey: 'only' })).release();
      return true;
    } catch (error) {
      if (!isHostError(error) || !NOT_YET.has(error.code)) throw error;
      return false;
    }
  });
});

test('a file that replaces another one of the same size and time is another file for the autopilot', async () => {
  const time = new Date(1_700_000_000_000);
  await utimes(fileOf('only'), time, time);
  await using parts = createHostParts(contextOf(options, new AbortController().signal));
  const { ports } = await joinAutopilotPorts(parts, () => undefined);
  const stamp = async (): Promise<string | null | undefined> =>
    (await ports.catalog.read({ chain: null })).chain[0]?.fileStamp;
  const first = await stamp();
  expect(first).toContain(fileOf('only'));
  await sleep(2000);
  expect(await stamp()).toBe(first);
  const before = await stat(fileOf('only'));
  await writeModel('other');
  await utimes(fileOf('other'), time, time);
  await rename(fileOf('other'), fileOf('only'));
  const after = await stat(fileOf('only'));
  expect([after.mtimeMs, after.size]).toEqual([before.mtimeMs, before.size]);
  await until(async () => (await stamp()) !== first);
});
