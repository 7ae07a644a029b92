import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { MonitorPort } from '@mai/autopilot';
import { startSimulator } from '@mai/lmstudio-simulator';
import { openHost } from '../open-host.js';
import { describeObstacle } from '../text/decisions/describe-obstacle.js';

const MIB = 2 ** 20;

let folder: string;
beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'mai-obstacle-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A container with this limit. Other programs use 50 MiB of it. */
const containerOf = (totalMib: number): MonitorPort => ({
  snapshot: () =>
    Promise.resolve({
      timestampMs: 0,
      observable: true,
      unified: false,
      ram: {
        totalBytes: totalMib * MIB,
        availableBytes: (totalMib - 50) * MIB,
        mappedCountsAsUsed: false,
      },
      gpus: [],
      cpu: { utilizationRatio: 0, othersRatio: 0 },
    }),
  readRam: null,
  settled: null,
});

async function obstacleIn(totalMib: number) {
  const model = { modelKey: 'test/tiny', sizeBytes: 2000 * MIB, maxContextLength: 2048 };
  await using simulator = await startSimulator({
    world: { models: [model], machine: { gpus: [] }, guardrails: { mode: 'off' } },
  });
  await using host = await openHost({
    url: simulator.httpUrl,
    apiToken: '',
    env: {},
    cwd: folder,
    userHome: folder,
    monitor: containerOf(totalMib),
    warn: () => undefined,
  });
  const { obstacle } = await host.select();
  const faults = (await host.doctor()).filter(({ state }) => state === 'fault');
  return { obstacle, faults: faults.map(({ name }) => name) };
}

test('a minimum headroom above the memory of the machine is named, by select and by doctor', async () => {
  const { obstacle, faults } = await obstacleIn(400);
  expect(obstacle).toMatchObject({ kind: 'headroom-too-large', totalBytes: 400 * MIB });
  expect(obstacle && describeObstacle(obstacle)).toMatch(
    /^min_headroom is 1\.0 GiB, and this machine has only 400 MiB of RAM, .*Set a lower min_headroom/,
  );
  expect(faults).toContain('Headroom');
});

test('on a machine with more memory, nothing fits as before', async () => {
  const { obstacle, faults } = await obstacleIn(1500);
  expect(obstacle).toEqual({ kind: 'nothing-fits', yieldedBytes: 0 });
  expect(faults).not.toContain('Headroom');
});
