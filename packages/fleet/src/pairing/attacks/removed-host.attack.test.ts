import { X509Certificate } from 'node:crypto';
import { cp } from 'node:fs/promises';
import { fleetTls, pairedFleet } from '../../../test/paired-fleet.js';
import { rawNats } from '../../../test/raw-nats.js';
import { waitUntil } from '../../../test/wait-until.js';
import { connectFleet } from '../../nats/connection.js';
import { allowedHost } from '../allow-list.js';
import { connectionOf, readFleetIdentity } from '../identity.js';
import { readRegistry } from '../hosts/registry.js';
import { removeHost } from '../hosts/remove-host.js';
import { rotateKeys } from '../hosts/rotate-keys.js';
import { tellAllowList } from '../hosts/tell-allow-list.js';
import { invite } from '../invitation/invite.js';
import { join } from '../invitation/join.js';

jest.setTimeout(120_000);

const fingerprintOf = (certificate: string): string =>
  new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase();

test('the keys of a removed machine are worth nothing where a new machine has its name', async () => {
  await using fleet = await pairedFleet(['laptop']);
  const authority = fleet.folder('desktop');
  const old = fleet.folder('old-laptop');
  await cp(fleet.folder('laptop'), old, { recursive: true });
  const desktop = await fleet.connect('desktop');
  await removeHost({ folder: authority, host: 'laptop' });
  await tellAllowList(desktop, authority, AbortSignal.timeout(60_000));
  const replaced = fleet.folder('new-laptop');
  await using invitation = await invite({ folder: authority });
  await join({ folder: replaced, invitation: invitation.text, host: 'laptop' });

  const { allowList, certificate: fresh } = await readFleetIdentity(replaced);
  const before = await readFleetIdentity(old);
  expect(allowedHost(allowList, fingerprintOf(fresh))).toBe('laptop');
  expect(allowedHost(allowList, fingerprintOf(before.certificate))).toBeNull();
  await expect(rawNats(fleet.natsPort, await fleetTls(old))).rejects.toThrow(/Authorization/);
  await using admitted = await rawNats(fleet.natsPort, await fleetTls(replaced));
  expect(admitted.closed).toBe(false);

  // It cannot have a new certificate under its old name either.
  await using refused = await connectFleet(connectionOf(before));
  await waitUntil(() => refused.fault !== null, 'nats-server refuses the old machine');
  await expect(
    rotateKeys({ folder: old, connection: refused, signal: AbortSignal.timeout(20_000) }),
  ).rejects.toMatchObject({ code: 'FLEET_UNREACHABLE' });
  expect((await readRegistry(authority)).hosts.map(({ host }) => host)).toEqual([
    'desktop',
    'laptop',
  ]);
});

test('of machines that use one invitation at the same time, one is admitted', async () => {
  await using fleet = await pairedFleet();
  const authority = fleet.folder('desktop');
  await using invitation = await invite({ folder: authority });
  const names = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'];
  const joined = await Promise.allSettled(
    names.map((host) => join({ folder: fleet.folder(host), invitation: invitation.text, host })),
  );
  const admitted = joined.flatMap((one) => (one.status === 'fulfilled' ? [one.value.host] : []));
  expect(admitted).toHaveLength(1);
  expect((await readRegistry(authority)).hosts.map(({ host }) => host)).toEqual([
    'desktop',
    ...admitted,
  ]);
  expect(await invitation.ended).toEqual({ kind: 'joined', host: admitted[0] });
  for (const one of joined) {
    if (one.status === 'rejected') {
      expect(one.reason).toMatchObject({ code: expect.stringMatching(/REFUSED|UNREACHABLE/) });
    }
  }
});
