import { readFile, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';

import { CLUSTER, pairedFleet } from '../../../test/paired-fleet.js';
import { waitUntil } from '../../../test/wait-until.js';
import { fleetPaths } from '../files/fleet-folder.js';
import { writePrivateFile } from '../files/private-file.js';
import { readFleetIdentity } from '../identity.js';
import { changeAddress } from './change-address.js';
import { followFleet } from './follow-fleet.js';
import { readRegistry } from './registry.js';
import { tellAllowList } from './tell-allow-list.js';

jest.setTimeout(120_000);

const signal = AbortSignal.timeout(600_000);
// The nats-server of these fleets listens on 127.0.0.1 only. This name leads to it, and no certificate names it.
const address = 'localhost';
const fail = (error: unknown): void => {
  throw error;
};

test('a host that was away finds nats-server at its new address, also while it runs', async () => {
  await using fleet = await pairedFleet(['laptop']);
  const folder = fleet.folder('laptop');
  const next = [`tls://localhost:${fleet.natsPort}`];
  await using followed = await followFleet({
    connection: await fleet.connect('laptop'),
    folder,
    onChange: () => undefined,
    onFault: fail,
  });
  const desktop = await fleet.connect('desktop');
  await tellAllowList(desktop, fleet.folder('desktop'), signal);
  const early = changeAddress({ folder, address, signal });
  await expect(early).rejects.toMatchObject({
    code: 'FLEET_UNREACHABLE',
    message: expect.stringMatching(/`mai fleet address localhost` on desktop first/),
  });
  const made = await changeAddress({ folder: fleet.folder('desktop'), address, signal });
  expect(made.natsServers).toEqual(next);
  // The next invitation names it.
  expect((await readRegistry(fleet.folder('desktop'))).address).toBe(address);
  await tellAllowList(desktop, fleet.folder('desktop'), signal);
  await waitUntil(() => followed.identity.natsServers.join() === next.join(), 'it hears of it');
});

test('a host that did not hear of the new address gets it from there', async () => {
  await using fleet = await pairedFleet(['laptop']);
  const folder = fleet.folder('laptop');
  await changeAddress({ folder: fleet.folder('desktop'), address, signal });
  await tellAllowList(await fleet.connect('desktop'), fleet.folder('desktop'), signal);
  const before = await readFleetIdentity(folder);
  expect(before.natsServers).toEqual([`tls://127.0.0.1:${fleet.natsPort}`]);
  const after = await changeAddress({ folder, address, signal });
  expect(after.natsServers).toEqual([`tls://localhost:${fleet.natsPort}`]);
  expect(after.allowList.revision).toBe(before.allowList.revision + 1);
});

test.each([1, 2])(
  'a list that is %d behind because a backup was restored is refused',
  async (behind) => {
    await using fleet = await pairedFleet(['laptop']);
    const [own, folder] = [fleet.folder('desktop'), fleet.folder('laptop')];
    const backup = await readFile(fleetPaths(own).registry);
    // Changes that the laptop hears of, and the backup does not have.
    for (let change = 0; change < behind; change += 1) await fleet.add(`host-${change}`);
    await writePrivateFile(
      fleetPaths(folder).allowList,
      await readFile(fleetPaths(own).allowList, 'utf8'),
    );
    await writeFile(fleetPaths(own).registry, backup);
    await changeAddress({ folder: own, address, signal });
    await tellAllowList(await fleet.connect('desktop'), own, signal);
    await expect(changeAddress({ folder, address, signal })).rejects.toMatchObject({
      code: 'FLEET_UNREACHABLE',
      message: expect.stringMatching(/older backup/),
    });
    expect((await readFleetIdentity(folder)).natsServers).toEqual([
      `tls://127.0.0.1:${fleet.natsPort}`,
    ]);
  },
);

test('a running host takes a list that another process has put into its folder', async () => {
  await using fleet = await pairedFleet(['laptop']);
  const folder = fleet.folder('desktop');
  const connection = await fleet.connect('desktop');
  await using followed = await followFleet({
    connection,
    folder,
    onChange: () => undefined,
    onFault: fail,
  });
  await changeAddress({ folder, address, signal });
  await waitUntil(
    () => followed.identity.natsServers.join() === `tls://localhost:${fleet.natsPort}`,
    'it reads the list',
  );
});

const ifIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address: one }) => one === '::1'),
)
  ? test
  : test.skip;

ifIpv6(
  'a machine whose address was one of IPv4 takes joiners and hosts at one of IPv6',
  async () => {
    await using fleet = await pairedFleet(['laptop'], { onAllInterfaces: true });
    await changeAddress({ folder: fleet.folder('desktop'), address: '::1', signal });
    await fleet.add('tower');
    expect((await fleet.connect('tower')).server).toContain('[::1]');
  },
);

test.each(['10.0.0.300', 'fe80::1%eth0', '', 'a b'])('%j is no address', async (text) => {
  await using fleet = await pairedFleet();
  const change = changeAddress({ folder: fleet.folder('desktop'), address: text, signal });
  await expect(change).rejects.toThrow(RangeError);
});

test('the addresses of a cluster stay', async () => {
  await using fleet = await pairedFleet([], { cluster: CLUSTER });
  const change = changeAddress({ folder: fleet.folder('desktop'), address: '127.0.0.9', signal });
  await expect(change).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
});
