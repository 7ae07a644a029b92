import { connect as connectTls } from 'node:tls';
import { once } from 'node:events';

import { CLUSTER, fleetTls, pairedFleet, type PairedFleet } from '../../../test/paired-fleet.js';
import { waitUntil } from '../../../test/wait-until.js';
import { connectFleet, type FleetConnection } from '../../nats/connection.js';
import { fleetPaths } from '../files/fleet-folder.js';
import { connectionOf, readFleetIdentity } from '../identity.js';
import { natsServerPid, stopNatsServer } from '../nats-server/server-process.js';
import { ensureNatsServer } from '../nats-server/ensure-nats-server.js';
import { followFleet } from './follow-fleet.js';
import { removeHost } from './remove-host.js';
import { serveAuthority } from './serve-authority.js';
import { rotateKeys } from './rotate-keys.js';
import { announceAllowList, tellAllowList, type ToldAllowList } from './tell-allow-list.js';

// Three real nats-servers, each run by a host, as `mai fleet init --cluster` and `mai fleet invite --server` set them up.

jest.setTimeout(300_000);

const [FIRST, SECOND, THIRD] = CLUSTER;

let fleet: PairedFleet;
const ends: (() => PromiseLike<unknown>)[] = [];

const fail = (error: unknown): void => {
  throw error;
};

const spread = (desktop: FleetConnection): Promise<ToldAllowList> =>
  tellAllowList(desktop, fleet.folder('desktop'), AbortSignal.timeout(120_000));

/** Lets a host keep its allow-list and its nats-server up to date, as `mai serve --fleet` does. */
async function follow(host: string, server?: string): Promise<FleetConnection> {
  const connection = await fleet.connect(host, server);
  const followed = await followFleet({
    connection,
    folder: fleet.folder(host),
    onChange: () => undefined,
    onFault: fail,
  });
  ends.push(() => followed[Symbol.asyncDispose]());
  await connection.roundTrip({ deadlineMs: 30_000, signal: null });
  return connection;
}

beforeEach(async () => {
  fleet = await pairedFleet([], { cluster: CLUSTER });
  await fleet.add('tower', SECOND);
  await follow('tower');
  // JetStream makes a bucket of three copies once three servers run. The new server hears of the list directly.
  await tellAllowList(
    await fleet.connect('desktop'),
    fleet.folder('desktop'),
    AbortSignal.timeout(2000),
  );
  await fleet.add('cupboard', THIRD);
  await follow('cupboard');
  const desktop = await fleet.connect('desktop');
  await waitUntil(
    async () => {
      const { told, serversWithout } = await spread(desktop);
      return told && serversWithout.length === 0;
    },
    'all servers have the list',
    120_000,
  );
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await fleet[Symbol.asyncDispose]();
});

/** Adds the laptop, which runs no server. */
async function addLaptop(desktop: FleetConnection): Promise<void> {
  await fleet.add('laptop');
  expect(await spread(desktop)).toEqual({ told: true, serversWithout: [] });
}

/** Whether a machine with the certificate of a host may open a route to a server: the server keeps the TLS connection open. */
async function opensRoute(host: string, server: string): Promise<boolean> {
  const socket = connectTls({
    ...(await fleetTls(fleet.folder(host))),
    host: server,
    port: fleet.routePort,
    servername: 'nats.mai-fleet.internal',
  });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close').then(() => false);
  const told = once(socket, 'data').then(() => true);
  const opens = await Promise.race([closed, told]);
  socket.destroy();
  return opens;
}

test('a host is admitted at every server, and out at every server once it is removed', async () => {
  const desktop = await fleet.connect('desktop');
  await addLaptop(desktop);
  const links = await Promise.all(CLUSTER.map((server) => fleet.connect('laptop', server)));
  for (const link of links) {
    expect(await link.roundTrip({ deadlineMs: 30_000, signal: null })).toBe(true);
  }
  await removeHost({ folder: fleet.folder('desktop'), host: 'laptop' });
  expect(await spread(desktop)).toEqual({ told: true, serversWithout: [] });
  for (const link of links) {
    await waitUntil(() => !link.connected, 'the connection of the laptop is closed');
    expect(await link.roundTrip({ deadlineMs: 3000, signal: null })).toBe(false);
  }
});

test('a removal names a server that has not heard of it, and the server takes it when it runs again', async () => {
  const desktop = await fleet.connect('desktop', FIRST);
  await addLaptop(desktop);
  const atThird = await fleet.connect('laptop', THIRD);
  // The host `cupboard` still runs its nats-server, but its Mai has ended.
  await ends.pop()?.();
  await removeHost({ folder: fleet.folder('desktop'), host: 'laptop' });
  expect(await spread(desktop)).toEqual({ told: true, serversWithout: ['cupboard'] });
  expect(atThird.connected).toBe(true);
  await follow('cupboard');
  await waitUntil(() => !atThird.connected, 'the connection of the laptop is closed');
});

test('without the machine that made the fleet, the others stay together', async () => {
  await addLaptop(await fleet.connect('desktop'));
  await stopNatsServer(fleetPaths(fleet.folder('desktop')));
  const laptop = await fleet.connect('laptop');
  const tower = await fleet.connect('tower', SECOND);
  const heard: string[] = [];
  tower.subscribe('mai.heartbeat.*', ({ subject }) => heard.push(subject));
  await tower.roundTrip({ deadlineMs: 30_000, signal: null });
  await waitUntil(
    () => {
      laptop.publish('mai.heartbeat.laptop', '{}');
      return heard.length > 0;
    },
    'the tower hears the laptop',
    60_000,
  );
  const bucketOf = (host: FleetConnection) =>
    host.bucket('mai_hosts', { replicas: CLUSTER.length, maxValueBytes: 100_000 });
  await waitUntil(
    async () => {
      // The other servers elect a new leader for the bucket first.
      const keys: readonly string[] = await (async () => {
        await (await bucketOf(laptop)).put('laptop', 'its state', 5000);
        return (await bucketOf(tower)).keys();
      })().catch((): readonly string[] => []);
      return keys.includes('laptop');
    },
    'the tower reads the state of the laptop',
    60_000,
  );
});

test('a server goes on in its cluster with a new key, and no route opens to the old one', async () => {
  const desktop = await fleet.connect('desktop', FIRST);
  const authority = serveAuthority({
    connection: desktop,
    folder: fleet.folder('desktop'),
    onFault: fail,
  });
  ends.push(() => authority[Symbol.asyncDispose]());
  await desktop.roundTrip({ deadlineMs: 30_000, signal: null });
  const old = await fleetTls(fleet.folder('tower'));
  const tower = await fleet.connect('tower', SECOND);
  const { allowList } = await rotateKeys({
    folder: fleet.folder('tower'),
    connection: tower,
    overlapMs: 2000,
  });
  const keys = async () =>
    (await readFleetIdentity(fleet.folder('cupboard'))).allowList.servers[1]?.keys ?? [];
  await waitUntil(async () => (await keys()).length === 1, 'the old key has ended', 60_000);
  expect(allowList.servers[1]?.keys).toContain((await keys())[0]);
  // A message from the second server to the third crosses their route, which was opened with the new key.
  const atSecond = await fleet.connect('desktop', SECOND);
  const atThird = await fleet.connect('cupboard', THIRD);
  let heard = 0;
  ends.push(async () => atThird.subscribe('mai.heartbeat.*', () => (heard += 1))());
  atThird.subscribe('mai.heartbeat.*', () => (heard += 1));
  await waitUntil(() => {
    atSecond.publish('mai.heartbeat.desktop', '{}');
    return heard > 0;
  }, 'a message crosses the route');
  expect(old.cert).not.toBe((await fleetTls(fleet.folder('tower'))).cert);
});

test('a host that runs no server opens no route, and a server is out once its host is removed', async () => {
  const desktop = await fleet.connect('desktop');
  await addLaptop(desktop);
  expect(await opensRoute('laptop', FIRST)).toBe(false);
  expect(await opensRoute('cupboard', FIRST)).toBe(true);
  await removeHost({ folder: fleet.folder('desktop'), host: 'cupboard' });
  expect(await spread(desktop)).toEqual({ told: true, serversWithout: [] });
  for (const server of [FIRST, SECOND]) expect(await opensRoute('cupboard', server)).toBe(false);
});

test('hosts at the server of a removed host move to another one, and never go back', async () => {
  const desktop = await fleet.connect('desktop', FIRST);
  await addLaptop(desktop);
  // The Mai of the cupboard has ended, and its nats-server runs on.
  await ends.pop()?.();
  const laptop = await follow('laptop', THIRD);
  const identity = await readFleetIdentity(fleet.folder('laptop'));
  let heard = 0;
  laptop.subscribe('mai.heartbeat.desktop', () => (heard += 1));
  await removeHost({
    folder: fleet.folder('desktop'),
    host: 'cupboard',
    announce: () =>
      announceAllowList(desktop, fleet.folder('desktop'), {
        removed: 'cupboard',
        signal: AbortSignal.timeout(60_000),
      }),
  });
  expect(await spread(desktop)).toEqual({ told: true, serversWithout: [] });
  heard = 0;
  // Nothing crosses to the server of the cupboard any more.
  await waitUntil(() => {
    desktop.publish('mai.heartbeat.desktop', '{}');
    return heard > 0;
  }, 'the laptop hears the desktop');
  const after = await readFleetIdentity(fleet.folder('laptop'));
  expect(after.natsServers).toHaveLength(2);
  const third = identity.natsServers.filter((url) => !after.natsServers.includes(url));
  await using back = await connectFleet({ ...connectionOf(after), servers: third });
  await waitUntil(() => back.fault !== null, 'the first attempt has failed');
  expect([back.connected, back.fault?.message]).toEqual([
    false,
    expect.stringContaining('removed from the fleet'),
  ]);
});

test('a host that finds itself removed ends its nats-server', async () => {
  const desktop = await fleet.connect('desktop', FIRST);
  await removeHost({
    folder: fleet.folder('desktop'),
    host: 'cupboard',
    announce: () =>
      announceAllowList(desktop, fleet.folder('desktop'), {
        removed: 'cupboard',
        signal: AbortSignal.timeout(60_000),
      }),
  });
  const paths = fleetPaths(fleet.folder('cupboard'));
  await waitUntil(async () => (await natsServerPid(paths)) === null, 'the server has ended');
  expect(await ensureNatsServer({ folder: fleet.folder('cupboard') })).toBeNull();
});
