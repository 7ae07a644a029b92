import { X509Certificate } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';

import { isRenewalDue, issueHostCertificate } from '../../certificates/issue.js';
import { generateKeyPair } from '../../certificates/x509-door.js';
import { connectFleet } from '../../nats/connection.js';
import { pairedFleet } from '../../../test/paired-fleet.js';
import { waitUntil } from '../../../test/wait-until.js';
import { openMembers } from '../../membership/members.js';
import { fleetPaths } from '../files/fleet-folder.js';
import { connectionOf, readFleetIdentity } from '../identity.js';
import { describeFault } from '../../text/describe-hosts.js';
import { followFleet } from './follow-fleet.js';
import { leaveFleet } from './leave-fleet.js';
import { readRegistry } from './registry.js';
import { removeHost } from './remove-host.js';
import { rotateKeys } from './rotate-keys.js';
import { serveAuthority } from './serve-authority.js';
import { tellAllowList } from './tell-allow-list.js';
import { ownLoad, ownState } from '../../../test/states.js';

jest.setTimeout(120_000);

const fail = (error: unknown): void => {
  throw error;
};

test('paired hosts hear of each other with the permissions of their users', async () => {
  await using fleet = await pairedFleet(['laptop']);
  await using desktop = openMembers({ connection: await fleet.connect('desktop'), watch: true });
  await using laptop = openMembers({ connection: await fleet.connect('laptop'), watch: true });
  for (const members of [desktop, laptop]) {
    members.publish(ownState());
    members.beat(ownLoad());
  }
  const usable = (members: typeof desktop): string[] =>
    members
      .hosts()
      .filter((one) => one.usable)
      .map((one) => one.state.host)
      .sort();
  await waitUntil(() => usable(desktop).length === 2, 'the desktop hears of the laptop');
  await waitUntil(() => usable(laptop).length === 2, 'the laptop hears of the desktop');
});

test('a removed host is cut off by nats-server, and the others hear that it is off the allow-list', async () => {
  await using fleet = await pairedFleet(['laptop', 'tower']);
  const desktop = await fleet.connect('desktop');
  const laptop = await fleet.connect('laptop');
  const tower = await fleet.connect('tower');
  await using followed = await followFleet({
    connection: tower,
    folder: fleet.folder('tower'),
    onChange: () => undefined,
    onFault: fail,
  });
  await removeHost({ folder: fleet.folder('desktop'), host: 'laptop' });
  expect(
    await tellAllowList(desktop, fleet.folder('desktop'), AbortSignal.timeout(60_000)),
  ).toEqual({ told: true, serversWithout: [] });
  const allowed = (): string[] => followed.identity.allowList.hosts.map(({ host }) => host);
  await waitUntil(() => !allowed().includes('laptop'), 'the tower has the new allow-list');
  expect(allowed()).toEqual(['desktop', 'tower']);
  await waitUntil(async () => {
    const onDisk = await readFleetIdentity(fleet.folder('tower'));
    return onDisk.allowList.revision === followed.identity.allowList.revision;
  }, 'the new allow-list is on the disk');
  await waitUntil(() => !laptop.connected, 'the connection of the laptop is closed');
  await waitUntil(() => laptop.fault !== null, 'the laptop is told why');
  expect(describeFault(laptop.fault?.message ?? '')).toMatch(/it was removed from the fleet/);
  expect([tower.connected, tower.fault]).toEqual([true, null]);
});

test('a host that rotates its keys goes on, and its old certificate ends', async () => {
  await using fleet = await pairedFleet(['laptop']);
  const desktop = await fleet.connect('desktop');
  const laptop = await fleet.connect('laptop');
  await using _authority = serveAuthority({
    connection: desktop,
    folder: fleet.folder('desktop'),
    onFault: fail,
  });
  await desktop.roundTrip({ deadlineMs: 30_000, signal: null });
  const changes: string[] = [];
  await using followed = await followFleet({
    connection: laptop,
    folder: fleet.folder('laptop'),
    onChange: ({ certificate }) => changes.push(certificate),
    onFault: fail,
  });
  const before = followed.identity;
  const after = await rotateKeys({
    folder: fleet.folder('laptop'),
    connection: laptop,
    overlapMs: 100,
  });
  expect(after.certificate).not.toBe(before.certificate);
  await waitUntil(
    () => followed.identity.certificate === after.certificate,
    'the running host has taken up the new certificate',
  );
  const registered = async (): Promise<number | undefined> =>
    (await readRegistry(fleet.folder('desktop'))).hosts.find(({ host }) => host === 'laptop')
      ?.certificates.length;
  await waitUntil(async () => (await registered()) === 1, 'the old certificate has ended');
  await waitUntil(
    () => laptop.roundTrip({ deadlineMs: 1_000, signal: null }),
    'the host is connected with the new certificate',
  );
  await waitUntil(
    () => followed.identity.allowList.hosts[1]?.fingerprints.length === 1,
    'the allow-list holds the new certificate only',
  );
});

test('the host with the authority rotates its own keys', async () => {
  await using fleet = await pairedFleet();
  const desktop = await fleet.connect('desktop');
  await using _authority = serveAuthority({
    connection: desktop,
    folder: fleet.folder('desktop'),
    onFault: fail,
  });
  await desktop.roundTrip({ deadlineMs: 30_000, signal: null });
  const before = await readFleetIdentity(fleet.folder('desktop'));
  const after = await rotateKeys({
    folder: fleet.folder('desktop'),
    connection: desktop,
    overlapMs: 100,
  });
  expect(after.certificate).not.toBe(before.certificate);
  await waitUntil(
    async () =>
      (await readRegistry(fleet.folder('desktop'))).hosts[0]?.certificates.length === 1 &&
      (await desktop.roundTrip({ deadlineMs: 1_000, signal: null })),
    'the desktop is connected with the new certificate only',
  );
});

test('the host with the authority renews its certificates after they have expired', async () => {
  jest.useFakeTimers({ now: Date.now() - 366 * DAY_MS, doNotFake: ALL_BUT_DATE });
  await using fleet = await pairedFleet().finally(() => jest.useRealTimers());
  const folder = fleet.folder('desktop');
  await using desktop = await connectFleet(connectionOf(await readFleetIdentity(folder)));
  await waitUntil(() => desktop.fault !== null, 'the desktop has no connection');
  expect(describeFault(desktop.fault?.message ?? '')).toMatch(
    /^the certificate of this machine expired on \d{4}-\d\d-\d\d, .* start `mai serve --fleet`/,
  );
  const { certificate } = await rotateKeys({ folder, connection: desktop, overlapMs: 100 });
  expect(Date.parse(new X509Certificate(certificate).validTo)).toBeGreaterThan(Date.now());
  await waitUntil(
    () => desktop.roundTrip({ deadlineMs: 1_000, signal: null }),
    'the desktop is connected',
  );
  expect((await readRegistry(folder)).hosts[0]?.certificates).toHaveLength(1);
});

test('a host whose certificate has expired is told so, and how to join again', async () => {
  await using fleet = await pairedFleet(['laptop']);
  const authority = fleetPaths(fleet.folder('desktop'));
  const keys = await generateKeyPair();
  const { certificate } = await issueHostCertificate(
    {
      certificate: await readFile(authority.authorityCertificate, 'utf8'),
      privateKey: await readFile(authority.authorityKey, 'utf8'),
    },
    'laptop',
    keys.publicKey,
    new Date(Date.now() - 366 * DAY_MS),
  );
  await writeFile(
    fleetPaths(fleet.folder('laptop')).hostIdentity,
    `${keys.privateKey}\n${certificate}`,
  );
  const identity = await readFleetIdentity(fleet.folder('laptop'));
  await using laptop = await connectFleet(connectionOf(identity));
  await waitUntil(() => laptop.fault !== null, 'nats-server refuses the laptop');
  expect(describeFault(laptop.fault?.message ?? '')).toMatch(
    /^the certificate of this machine expired on .* and join again\.$/,
  );
});

const DAY_MS = 86_400_000;
const ALL_BUT_DATE: FakeableAPI[] = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
];

test('a new key of a host is also the key of its nats-server, and the other hosts stay connected', async () => {
  await using fleet = await pairedFleet(['laptop']);
  const folder = fleet.folder('desktop');
  const desktop = await fleet.connect('desktop');
  const laptop = await fleet.connect('laptop');
  await using _authority = serveAuthority({ connection: desktop, folder, onFault: fail });
  await desktop.roundTrip({ deadlineMs: 30_000, signal: null });
  const certificateOnDisk = (): Promise<string> =>
    readFile(fleetPaths(folder).natsIdentity, 'utf8');
  const before = await certificateOnDisk();
  const { privateKey } = await rotateKeys({ folder, connection: desktop, overlapMs: 100 });
  expect(await certificateOnDisk()).not.toBe(before);
  expect(await certificateOnDisk()).toContain(privateKey.trim());
  expect(await laptop.roundTrip({ deadlineMs: 30_000, signal: null })).toBe(true);
  const again = await fleet.connect('laptop');
  expect(await again.roundTrip({ deadlineMs: 30_000, signal: null })).toBe(true);
});

test('a certificate of a host is due for replacement when a third of its life is left', async () => {
  await using fleet = await pairedFleet();
  const identity = await readFleetIdentity(fleet.folder('desktop'));
  const after = (days: number): Date => new Date(Date.now() + days * 86_400_000);
  expect(isRenewalDue(identity.certificate, after(240))).toBe(false);
  expect(isRenewalDue(identity.certificate, after(250))).toBe(true);
});

test('the authority removes a host that leaves, and the keys of that host are deleted', async () => {
  await using fleet = await pairedFleet(['laptop']);
  const desktop = await fleet.connect('desktop');
  await using _authority = serveAuthority({
    connection: desktop,
    folder: fleet.folder('desktop'),
    onFault: fail,
  });
  await desktop.roundTrip({ deadlineMs: 30_000, signal: null });
  const folder = fleet.folder('laptop');
  expect(await leaveFleet({ folder, connection: await fleet.connect('laptop') })).toEqual({
    kind: 'left',
    told: true,
  });
  await expect(readdir(folder)).rejects.toThrow('ENOENT');
  await waitUntil(
    async () => (await readRegistry(fleet.folder('desktop'))).hosts.length === 1,
    'the authority has taken the laptop off',
  );
});

test('the authority does not leave while other hosts belong to the fleet, unless it ends the fleet', async () => {
  await using fleet = await pairedFleet(['laptop']);
  const folder = fleet.folder('desktop');
  expect(await leaveFleet({ folder, connection: null })).toEqual({
    kind: 'has-hosts',
    hosts: ['laptop'],
  });
  expect(await leaveFleet({ folder, connection: null, endFleet: true })).toEqual({ kind: 'ended' });
  await expect(readFleetIdentity(folder)).rejects.toMatchObject({ code: 'NOT_PAIRED' });
});

test('where nobody serves on the machine that made the fleet, a rotation names that machine and the next step', async () => {
  await using fleet = await pairedFleet(['laptop']);
  const connection = await fleet.connect('laptop');
  await connection.roundTrip({ deadlineMs: 30_000, signal: null });
  await expect(rotateKeys({ folder: fleet.folder('laptop'), connection })).rejects.toMatchObject({
    code: 'FLEET_UNREACHABLE',
    message:
      'desktop, which made the fleet, does not answer. Start `mai serve --fleet` on it, and try again.',
  });
});
