import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { FleetError } from '../fleet-error.js';
import { freePort } from '../../test/nats-server.js';
import { pairedFleet } from '../../test/paired-fleet.js';
import { fleetPaths } from './files/fleet-folder.js';
import { endNatsServer, ensureNatsServer } from './nats-server/ensure-nats-server.js';
import { keepNatsServer } from './nats-server/keep-nats-server.js';
import { changeHosts, readRegistry } from './hosts/registry.js';
import { readFleetIdentity } from './identity.js';
import { initFleet } from './init-fleet.js';
import { invite } from './invitation/invite.js';
import { join } from './invitation/join.js';
import { howToInstall, natsServerVersion } from './nats-server/executable.js';
import { natsServerPid } from './nats-server/server-process.js';

jest.setTimeout(120_000);

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mai-pairing-'));
});

afterEach(async () => {
  await endNatsServer({ folder: path.join(root, 'one') });
  await rm(root, { recursive: true, force: true });
});

async function options() {
  return {
    folder: path.join(root, 'one'),
    host: 'desktop',
    address: '127.0.0.1',
    listenAddress: '127.0.0.1',
    natsPort: await freePort(),
    joinPort: await freePort(),
  };
}

/** All files of a folder and of the folders in it, with the permissions that other users have. */
async function openToOthers(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  const open: string[] = [];
  for (const name of ['', ...names]) {
    // nats-server makes its own files, in a folder that only this user can enter.
    if (name.startsWith('nats/store') || name.endsWith('.log') || name.endsWith('.pid')) continue;
    const { mode } = await stat(path.join(folder, name));
    if ((mode & 0o077) !== 0) open.push(name);
  }
  return open;
}

test('two machines are paired by an invitation', async () => {
  const one = path.join(root, 'one');
  const two = path.join(root, 'two');
  const made = await initFleet(await options());
  expect(await natsServerPid(fleetPaths(one))).toBe(made.pid);
  await using invitation = await invite({ folder: one });
  expect(invitation.text).toMatch(/^mai1-[\w-]+$/);
  expect(invitation.qrCode.split('\n').length).toBeGreaterThan(15);
  const joined = await join({ folder: two, invitation: invitation.text, host: 'laptop' });
  expect(joined).toEqual({
    host: 'laptop',
    authority: 'desktop',
    natsServers: [made.natsUrl],
    ownServer: null,
  });
  expect(await invitation.ended).toEqual({ kind: 'joined', host: 'laptop' });

  const laptop = await readFleetIdentity(two);
  expect(laptop.allowList.hosts.map(({ host }) => host)).toEqual(['desktop', 'laptop']);
  expect(new X509Certificate(laptop.certificate).subject).toBe('CN=laptop');
  expect(await openToOthers(one)).toEqual([]);
  expect(await openToOthers(two)).toEqual([]);
  expect((await readdir(two)).sort()).toEqual([
    'allow-list.json',
    'authority.crt',
    'fleet.json',
    'host.pem',
  ]);
});

test('the configuration of nats-server holds nothing secret', async () => {
  await initFleet({ ...(await options()), start: false });
  const paths = fleetPaths(path.join(root, 'one'));
  const text = await readFile(paths.natsConfiguration, 'utf8');
  expect(text).not.toMatch(/password|token|nkey|PRIVATE KEY/);
});

test('a fleet that is not started names the command that starts nats-server', async () => {
  const made = await initFleet({ ...(await options()), start: false });
  expect(made.pid).toBe(null);
  expect(made.command).toMatch(/nats-server -c .*nats-server\.conf$/);
  const folder = path.join(root, 'one');
  expect(await natsServerPid(fleetPaths(folder))).toBe(null);
  const pid = await ensureNatsServer({ folder });
  expect(await ensureNatsServer({ folder })).toBe(pid);
  await endNatsServer({ folder });
  expect(await natsServerPid(fleetPaths(folder))).toBe(null);
});

test('a nats-server that is killed is started again, and a port in use is reported once', async () => {
  const given = await options();
  const { folder } = given;
  await initFleet({ ...given, start: false });
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(given.natsPort, '127.0.0.1', resolve));
  const stop = new AbortController();
  const faults: string[] = [];
  const restarted: number[] = [];
  const untilRestarted = async (times: number): Promise<void> => {
    while (restarted.length < times) await sleep(20);
  };
  try {
    await keepNatsServer({
      folder,
      signal: stop.signal,
      onStart: (pid) => restarted.push(pid),
      onFault: (error) => faults.push((error as FleetError).code),
      checkIntervalMs: 50,
    });
    // Further attempts fail, too.
    await sleep(1_000);
    await new Promise((resolve) => other.close(resolve));
    await untilRestarted(1);
    expect(faults).toEqual(['ADDRESS_IN_USE']);
    expect(await natsServerPid(fleetPaths(folder))).toBe(restarted[0]);

    process.kill(restarted[0] ?? 0, 'SIGKILL');
    await untilRestarted(2);
    expect(await natsServerPid(fleetPaths(folder))).toBe(restarted[1]);
    expect(restarted[1]).not.toBe(restarted[0]);
  } finally {
    stop.abort();
  }
  await endNatsServer({ folder });
  await sleep(300);
  expect(await natsServerPid(fleetPaths(folder))).toBe(null);
});

test('a nats-server that was recognised is not recognised again while its process runs', async () => {
  const given = await options();
  const { folder } = given;
  const pid = (await initFleet(given)).pid ?? 0;
  const stop = new AbortController();
  const faults: string[] = [];
  const restarted: number[] = [];
  try {
    await keepNatsServer({
      folder,
      signal: stop.signal,
      onStart: (started) => restarted.push(started),
      onFault: (error) => faults.push((error as FleetError).code),
      checkIntervalMs: 50,
      recognisedMs: 60_000,
    });
    // Whoever recognises the server again finds no process. The server holds the port, so a start would fail.
    await writeFile(fleetPaths(folder).natsPid, '999999999');
    await sleep(500);
    expect([...faults, ...restarted]).toEqual([]);
    // Its end is noticed all the same.
    process.kill(pid, 'SIGKILL');
    while (restarted.length === 0) await sleep(20);
    expect(await natsServerPid(fleetPaths(folder))).toBe(restarted[0]);
  } finally {
    stop.abort();
    await endNatsServer({ folder });
  }
});

test('without nats-server no fleet is made, and the message says how to install it', async () => {
  const natsServer = path.join(root, 'nothing-here');
  await expect(initFleet({ ...(await options()), natsServer })).rejects.toMatchObject({
    code: 'NATS_UNAVAILABLE',
    message: expect.stringContaining(howToInstall(process.platform)),
  });
  await expect(readdir(path.join(root, 'one'))).rejects.toThrow('ENOENT');
  expect(await natsServerVersion(natsServer)).toBe(null);
});

test('each system has its own advice', () => {
  expect(howToInstall('linux')).toContain('sudo apt-get install nats-server');
  expect(howToInstall('darwin')).toContain('brew install nats-server');
  expect(howToInstall('win32')).toContain('scoop install nats-server');
});

test('a nats-server that ends at its start is reported with its last log lines', async () => {
  const natsServer = path.join(root, 'broken');
  await writeFile(natsServer, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  await expect(initFleet({ ...(await options()), natsServer })).rejects.toMatchObject({
    code: 'NATS_UNAVAILABLE',
    message: expect.stringContaining('ended at its start'),
  });
});

test('a port that another program uses is reported, and no fleet is left', async () => {
  const given = await options();
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(given.natsPort, '127.0.0.1', resolve));
  await expect(initFleet(given)).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
  await expect(readFleetIdentity(given.folder)).rejects.toMatchObject({ code: 'NOT_PAIRED' });
  await new Promise((resolve) => other.close(resolve));
  // The next attempt starts anew.
  expect((await initFleet(given)).host).toBe('desktop');
});

test('a machine that belongs to a fleet can neither make nor join a second fleet', async () => {
  await using fleet = await pairedFleet(['laptop']);
  await expect(
    initFleet({ ...(await options()), folder: fleet.folder('laptop') }),
  ).rejects.toMatchObject({ code: 'FILE_UNUSABLE', message: expect.stringContaining('as laptop') });
  await using invitation = await invite({ folder: fleet.folder('desktop') });
  await expect(
    join({ folder: fleet.folder('laptop'), invitation: invitation.text, host: 'tower' }),
  ).rejects.toMatchObject({ code: 'FILE_UNUSABLE', message: expect.stringContaining('as laptop') });
});

test('only the machine with the authority invites, and one invitation is open at a time', async () => {
  await using fleet = await pairedFleet(['laptop']);
  await expect(invite({ folder: fleet.folder('laptop') })).rejects.toMatchObject({
    code: 'NOT_PAIRED',
  });
  await using _open = await invite({ folder: fleet.folder('desktop') });
  await expect(invite({ folder: fleet.folder('desktop') })).rejects.toMatchObject({
    code: 'ADDRESS_IN_USE',
  });
});

test.each([
  [{ host: 'a"\nb' }, 'host name'],
  [{ host: 'Desktop' }, 'host name'],
  [{ host: '' }, 'host name'],
  [{ address: '10.0.0.7" }' }, 'IP address'],
  [{ address: 'a\nb' }, 'IP address'],
  [{ listenAddress: '0.0.0.0"\nport: 1' }, 'IP address'],
  [{ natsPort: 0 }, 'port'],
  [{ joinPort: 65_536 }, 'port'],
])('%j is refused before anything is written', async (change, message) => {
  await expect(initFleet({ ...(await options()), ...change })).rejects.toThrow(
    expect.objectContaining({ name: 'RangeError', message: expect.stringContaining(message) }),
  );
  await expect(readdir(path.join(root, 'one'))).rejects.toThrow('ENOENT');
});

test('changes of the hosts that come at the same time follow each other', async () => {
  await initFleet({ ...(await options()), start: false });
  const folder = path.join(root, 'one');
  const add = (host: string) =>
    changeHosts(
      folder,
      ({ hosts }) => ({ hosts: [...hosts, { host, addedAt: '', certificates: [] }] }),
      {
        undoOnFault: true,
      },
    );
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  await Promise.all(names.map(add));
  const { hosts, revision } = await readRegistry(folder);
  expect(hosts.map(({ host }) => host).sort()).toEqual([...names, 'desktop'].sort());
  expect(revision).toBe(1 + names.length);
});

test('the lock of a killed process is removed', async () => {
  await initFleet({ ...(await options()), start: false });
  const folder = path.join(root, 'one');
  await writeFile(path.join(folder, 'hosts.lock'), `${hostname()} 999999999`);
  await changeHosts(folder, () => ({}), { undoOnFault: true });
  expect((await readRegistry(folder)).revision).toBe(2);
});
