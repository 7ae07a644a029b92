import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { findNatsServer, freePort } from '../../test/nats-server.js';
import { pairedFleet, type PairedFleet } from '../../test/paired-fleet.js';
import { ownLoad, ownState, sees } from '../../test/states.js';
import { waitUntil } from '../../test/wait-until.js';
import { askLeases } from '../leases/ask-leases.js';
import { serveLeases } from '../leases/serve-leases.js';
import { openMembers, type Members } from '../membership/members.js';
import { fleetPaths } from '../pairing/files/fleet-folder.js';
import { ensureNatsServer } from '../pairing/nats-server/ensure-nats-server.js';
import { connectionOf, readFleetIdentity } from '../pairing/identity.js';
import { stopNatsServer } from '../pairing/nats-server/server-process.js';
import { connectFleet, type FleetConnection } from './connection.js';

// A leaf node for a site: a second nats-server, to which the hosts of the site connect, and which has one connection to the
// fleet's server. The files and commands are those of docs/fleet-scale.md. Real nats-servers with TLS.

jest.setTimeout(120_000);

const run = promisify(execFile);

let fleet: PairedFleet;
let folder: string;
let leaf: ChildProcess | null = null;
const ends: (() => PromiseLike<unknown>)[] = [];

beforeEach(async () => {
  fleet = await pairedFleet(['laptop']);
  folder = await mkdtemp(path.join(tmpdir(), 'mai-leaf-'));
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  leaf?.kill('SIGKILL');
  await fleet[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** The files and the command of the page that tells how to set up a site. */
async function documented(): Promise<readonly [hub: string, site: string, users: string]> {
  const page = await readFile(path.join(__dirname, '../../../../docs/fleet-scale.md'), 'utf8');
  const part = page.split('## A leaf node for a site')[1]?.split('\n## ')[0] ?? '';
  const [hub, site, users] = [...part.matchAll(/```\n([\s\S]*?)```/g)].map(([, text]) => text);
  if (hub === undefined || site === undefined || users === undefined)
    throw new Error('The page does not say how to set up a site.');
  return [hub, site, users];
}

/** Follows the steps of the page. Returns the URL of the site's server, and a function that makes the server know new hosts. */
async function startSite(): Promise<{
  readonly url: string;
  readonly update: () => Promise<void>;
}> {
  const paths = fleetPaths(fleet.folder('desktop'));
  const [leafPort, sitePort] = [await freePort(), await freePort()];
  const [hub, site, users] = await documented();
  const ofFleet = (text: string): string => text.replaceAll('FLEET', paths.folder);
  await writeFile(
    path.join(paths.natsFolder, 'own-settings.conf'),
    ofFleet(hub).replace('0.0.0.0:7422', `127.0.0.1:${leafPort}`),
  );
  await stopNatsServer(paths);
  await ensureNatsServer({ folder: paths.folder });
  for (const file of [paths.authorityCertificate, paths.natsIdentity])
    await copyFile(file, path.join(folder, path.basename(file)));
  const siteFile = path.join(folder, 'site.conf');
  await writeFile(
    siteFile,
    site
      .replace('0.0.0.0:4222', `127.0.0.1:${sitePort}`)
      .replace('fleet.example.com:7422', `127.0.0.1:${leafPort}`),
  );
  const writeUsers = (): Promise<unknown> => run('sh', ['-c', ofFleet(users)], { cwd: folder });
  await writeUsers();
  for (const file of [paths.natsConfiguration, siteFile]) {
    const { stderr } = await run(findNatsServer(), ['-t', '-c', file], { cwd: folder });
    expect(stderr).toContain('is valid');
  }
  leaf = spawn(findNatsServer(), ['-c', siteFile], { stdio: 'ignore', cwd: folder });
  return {
    url: `tls://127.0.0.1:${sitePort}`,
    update: async () => {
      await writeUsers();
      await run(findNatsServer(), ['--signal', 'reload=site.pid'], { cwd: folder });
    },
  };
}

async function connected(host: string, server?: string): Promise<FleetConnection> {
  const options = connectionOf(await readFleetIdentity(fleet.folder(host)));
  const connection = await connectFleet({
    ...options,
    servers: server === undefined ? options.servers : [server],
  });
  ends.push(() => connection[Symbol.asyncDispose]());
  await waitUntil(() => connection.connected, `${host} is connected`);
  return connection;
}

function member(connection: FleetConnection): Members {
  const members = openMembers({ connection, watch: true });
  ends.push(() => members[Symbol.asyncDispose]());
  return members;
}

test('the states of both sides and a lease pass a leaf node, and permissions hold behind it', async () => {
  const { url: site, update } = await startSite();
  const [desktop, laptop] = [await connected('desktop'), await connected('laptop', site)];
  const there = { members: member(desktop) };
  const here = { members: member(laptop) };
  const resident = {
    modelKey: 'large',
    instanceIdentifier: 'mai:large',
    tier: 'large' as const,
    capabilities: ['chat' as const],
    contextLengthTokens: 8192,
    decisionId: null,
  };
  const leases = serveLeases(
    desktop,
    {
      acquire: async () => ({
        resident,
        lost: new AbortController().signal,
        release: async () => undefined,
      }),
      expectedMs: async () => 0,
      refusalOf: () => ({ reason: 'FAILED', message: '', figures: {} }),
    },
    { epoch: there.members.epoch },
  );
  ends.push(() => leases[Symbol.asyncDispose]());
  // As in a fleet, a host subscribes to requests before it sends its first heartbeat. The site's server learns of the subscriptions
  // after a moment, but before a heartbeat that the host sends later.
  for (const [one, label] of [
    [there, 'hub'],
    [here, 'site'],
  ] as const) {
    one.members.publish(ownState({ labels: { label } }));
    one.members.beat(ownLoad());
  }
  await waitUntil(sees(here, 'desktop', 'hub'), 'the site sees the hub');
  await waitUntil(sees(there, 'laptop', 'site'), 'the hub sees the site');
  const asker = askLeases(laptop);
  ends.push(() => asker[Symbol.asyncDispose]());
  const answer = await asker.acquire(
    'desktop',
    {
      capabilities: ['chat'],
      minContextLengthTokens: null,
      preferredContextLengthTokens: null,
      tiers: null,
      chain: null,
      modelKey: 'large',
      instanceIdentifier: null,
      failed: [],
      requestId: 'one',
    },
    { deadlineMs: 30_000 },
  );
  expect(answer).toMatchObject({ kind: 'granted', lease: { host: 'desktop', resident } });

  // The laptop cannot speak for another host: the site's server has the same permissions.
  const heard: string[] = [];
  desktop.subscribe('mai.heartbeat.*', ({ subject }) => heard.push(subject));
  await desktop.roundTrip({ deadlineMs: 30_000, signal: null });
  laptop.publish('mai.heartbeat.mallory', '{}');
  laptop.publish('mai.heartbeat.laptop', '{}');
  await waitUntil(() => heard.includes('mai.heartbeat.laptop'), 'the laptop is heard');
  expect(heard).not.toContain('mai.heartbeat.mallory');

  // When a host joins, the own settings stay, and the site learns of the host.
  await fleet.add('tower');
  await update();
  const tower = await connected('tower', site);
  tower.publish('mai.heartbeat.tower', '{}');
  await waitUntil(() => heard.includes('mai.heartbeat.tower'), 'the tower is heard');
});
