import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { freePort } from '../../../test/nats-server.js';
import { initFleet } from '../init-fleet.js';
import { checkNatsServer } from './check-nats-server.js';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mai-check-'));
});

afterEach(() => rm(root, { recursive: true, force: true }));

/** A fleet whose nats-server is a script that prints a version. It is not started. */
async function fleetWith(version: string): Promise<string> {
  const natsServer = path.join(root, 'nats-server');
  await writeFile(natsServer, `#!/bin/sh\necho "nats-server: v${version}"\n`, { mode: 0o755 });
  const folder = path.join(root, 'fleet');
  await initFleet({
    folder,
    host: 'desktop',
    address: '127.0.0.1',
    natsPort: await freePort(),
    natsServer,
    start: false,
  });
  return folder;
}

test('a machine without the authority of a fleet has nothing to check', async () => {
  expect(await checkNatsServer(path.join(root, 'none'))).toBe(null);
});

test('a version with a known fault is a warning', async () => {
  expect(await checkNatsServer(await fleetWith('2.10.26'))).toMatchObject({
    state: 'warning',
    message: expect.stringContaining('CVE-2025-30215'),
    // Debian has no newer one, so `apt-get install` would not help.
    mend: expect.stringMatching(/^(?!.*apt-get).*(releases|upgrade|update)/),
  });
});

test('a nats-server that does not run is a warning', async () => {
  expect(await checkNatsServer(await fleetWith('2.10.27'))).toEqual({
    name: 'nats-server',
    state: 'warning',
    message: 'Version 2.10.27 does not run.',
    mend: 'Start `mai serve --fleet`, which starts it.',
  });
});

test('a nats-server that is gone is a fault', async () => {
  const folder = await fleetWith('2.10.27');
  await rm(path.join(root, 'nats-server'));
  expect(await checkNatsServer(folder)).toMatchObject({ state: 'fault' });
});

test('a damaged membership is reported', async () => {
  const folder = await fleetWith('2.10.27');
  const file = path.join(folder, 'fleet.json');
  await writeFile(file, (await readFile(file, 'utf8')).slice(1));
  await expect(checkNatsServer(folder)).rejects.toMatchObject({ code: 'FILE_UNUSABLE' });
});
