import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { freePort } from '../../test/nats-server.js';
import { fleetPaths } from './files/fleet-folder.js';
import { initFleet } from './init-fleet.js';
import { invite } from './invitation/invite.js';
import { join } from './invitation/join.js';
import { natsServerPid, stopNatsServer } from './nats-server/server-process.js';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mai-pairing-'));
});

afterEach(async () => {
  await stopNatsServer(fleetPaths(path.join(root, 'one')));
  await rm(root, { recursive: true, force: true });
});

test('two machines are paired by an invitation', async () => {
  const one = path.join(root, 'one');
  const two = path.join(root, 'two');
  const made = await initFleet({
    folder: one,
    host: 'desktop',
    address: '127.0.0.1',
    listenAddress: '127.0.0.1',
    natsPort: await freePort(),
    joinPort: await freePort(),
  });
  expect(await natsServerPid(fleetPaths(one))).toBe(made.pid);
  await using invitation = await invite({ folder: one });
  expect(invitation.text).toMatch(/^mai1-[\w-]+$/);
  const joined = await join({ folder: two, invitation: invitation.text, host: 'laptop' });
  expect(joined).toEqual({ host: 'laptop', authority: 'desktop', natsServers: [made.natsUrl] });
  expect(await invitation.ended).toEqual({ kind: 'joined', host: 'laptop' });
  for (const folder of [one, two]) {
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(folder)) {
      const { mode } = await stat(path.join(folder, name));
      expect([name, mode & 0o077]).toEqual([name, 0]);
    }
  }
  expect(await readFile(path.join(one, 'authority.key'), 'utf8')).toContain('PRIVATE KEY');
});
