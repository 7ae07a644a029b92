import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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
import { connectionOf, readFleetIdentity } from '../pairing/identity.js';
import { startNatsServer, stopNatsServer } from '../pairing/nats-server/server-process.js';
import { connectFleet, type FleetConnection } from './connection.js';

// A leaf node for a site: a second nats-server, to which the hosts of the site connect, and which has one connection to the
// fleet's server. The configuration is the one of docs/fleet-scale.md. Real nats-servers with TLS.

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

/** Adds leaf nodes to the fleet's server, and starts the server of the site. Returns the URL for its hosts. */
async function startSite(): Promise<string> {
  const paths = fleetPaths(fleet.folder('desktop'));
  const [leafPort, sitePort] = [await freePort(), await freePort()];
  const tls = `cert_file: "${paths.natsIdentity}", key_file: "${paths.natsIdentity}", ca_file: "${paths.authorityCertificate}"`;
  const written = await readFile(paths.natsConfiguration, 'utf8');
  await stopNatsServer(paths);
  await appendFile(
    paths.natsConfiguration,
    `leafnodes {
  listen: "127.0.0.1:${leafPort}"
  no_advertise: true
  tls { ${tls}, verify_and_map: true }
  authorization { users: [ { user: "nats.mai-fleet.internal", account: HOSTS } ] }
}
`,
  );
  const users = /users: \[\n([\s\S]*?)\n {4}\]/.exec(written)?.[1] ?? '';
  const site = path.join(folder, 'site.conf');
  await writeFile(
    site,
    `server_name: "mai-fleet-site"
listen: "127.0.0.1:${sitePort}"
log_file: "${path.join(folder, 'site.log')}"
tls { ${tls}, verify_and_map: true, timeout: 5 }
accounts { HOSTS { users: [
${users}
] } }
leafnodes {
  remotes: [ { urls: ["tls://127.0.0.1:${leafPort}"], account: HOSTS, tls { ${tls} } } ]
}
`,
  );
  for (const file of [paths.natsConfiguration, site]) {
    const { stderr } = await run(findNatsServer(), ['-t', '-c', file]);
    expect(stderr).toContain('is valid');
  }
  await startNatsServer(findNatsServer(), paths);
  leaf = spawn(findNatsServer(), ['-c', site], { stdio: 'ignore' });
  return `tls://127.0.0.1:${sitePort}`;
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
  const site = await startSite();
  const [desktop, laptop] = [await connected('desktop'), await connected('laptop', site)];
  const there = { members: member(desktop) };
  const here = { members: member(laptop) };
  const resident = {
    ...{ modelKey: 'large', instanceIdentifier: 'mai:large', tier: 'large' as const },
    ...{ capabilities: ['chat' as const], contextLengthTokens: 8192, decisionId: null },
  };
  const leases = serveLeases(
    desktop,
    {
      acquire: async () => ({
        ...{ resident, lost: new AbortController().signal },
        release: async () => undefined,
      }),
      expectedMs: async () => 0,
      refusalOf: () => ({ reason: 'FAILED', message: '', figures: {} }),
    },
    { epoch: there.members.epoch },
  );
  ends.push(() => leases[Symbol.asyncDispose]());
  // As in a fleet, a host serves before it sends its first heartbeat. The site's server hears of what a host serves after a
  // moment, but before it hears what the host sends afterwards.
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
      ...{ capabilities: ['chat'], minContextLengthTokens: null, tiers: null, chain: null },
      ...{ modelKey: 'large', instanceIdentifier: null, failed: [], requestId: 'one' },
    },
    { deadlineMs: 30_000 },
  );
  expect(answer).toMatchObject({ kind: 'granted', lease: { host: 'desktop', resident } });

  // The laptop can't speak for another host: the site's server has the same permissions.
  const heard: string[] = [];
  desktop.subscribe('mai.heartbeat.*', ({ subject }) => heard.push(subject));
  await desktop.roundTrip({ deadlineMs: 30_000, signal: null });
  laptop.publish('mai.heartbeat.mallory', '{}');
  laptop.publish('mai.heartbeat.laptop', '{}');
  await waitUntil(() => heard.includes('mai.heartbeat.laptop'), 'the laptop is heard');
  expect(heard).not.toContain('mai.heartbeat.mallory');
});
