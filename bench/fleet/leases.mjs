// How many requests a second one gateway can place at another host, one after the other.
//
//   npm run bench:fleet-leases -- [--delay 0,50] [--seconds 5] [--json]
//
// Two hosts on loopback, paired as always, with a real nats-server that they reach through a relay, which delays each piece of data
// by the given milliseconds. No model is asked for an answer, so a lease costs nothing but its messages. Compared with the same
// loop at the serving host's own port, where no lease is asked for over NATS.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createFleet, endNatsServer, initFleet, invite, join } from '@mai/fleet';

const { values } = parseArgs({
  options: {
    delay: { type: 'string', default: '0,50' },
    seconds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const RELAY = fileOf('./network/relay.mjs');
const KEY = 'bench/large';
const REQUEST = {
  capabilities: ['chat'],
  minContextLengthTokens: null,
  tiers: null,
  chain: null,
  modelKey: null,
  instanceIdentifier: null,
  failed: [],
  promptTokens: null,
  prefixKey: null,
};

const results = [];
for (const delayMs of values.delay.split(',').map(Number)) {
  results.push(await measure(delayMs, Number(values.seconds) * 1000));
}
if (values.json) console.log(JSON.stringify({ schemaVersion: 1, results }));
else print(results);

async function measure(delayMs, forMs) {
  const root = await mkdtemp(path.join(tmpdir(), 'mai-leases-'));
  const folders = { desktop: path.join(root, 'desktop'), laptop: path.join(root, 'laptop') };
  const [natsPort, joinPort] = [await freePort(), await freePort()];
  // The hosts connect to 127.0.0.2, where the relay listens; nats-server and the invitation listen on 127.0.0.1.
  const ways = [natsPort, joinPort].map((port) => ({
    relayPort: port,
    address: '127.0.0.1',
    port,
  }));
  await initFleet({
    folder: folders.desktop,
    host: 'desktop',
    address: '127.0.0.2',
    listenAddress: '127.0.0.1',
    natsPort,
    joinPort,
  });
  const relay = spawn(
    process.execPath,
    [RELAY, JSON.stringify(ways), delayMs, 0, process.getuid(), '127.0.0.2'].map(String),
    { stdio: 'inherit' },
  );
  try {
    await untilOpen(natsPort);
    await invited(folders);
    const desktop = await openFleet(folders.desktop, serves('desktop', true));
    const laptop = await openFleet(folders.laptop, serves('laptop', false));
    await untilServed(laptop);
    const remote = await loop(laptop.serving, forMs, 'desktop');
    const own = await loop(serves('desktop', true), Math.min(forMs, 1000), null);
    for (const fleet of [laptop, desktop]) await fleet[Symbol.asyncDispose]();
    return { delayMs, roundTripMs: 2 * 2 * delayMs, perSecond: remote, ownPerSecond: own };
  } finally {
    relay.kill('SIGKILL');
    await endNatsServer({ folder: folders.desktop });
    await rm(root, { recursive: true, force: true });
  }
}

/** Acquires and releases, one after the other. Returns the leases of a second. */
async function loop(serving, forMs, host) {
  const startMs = performance.now();
  let leases = 0;
  while (performance.now() - startMs < forMs) {
    const lease = await serving.acquire(REQUEST);
    if ((lease.peer?.host ?? null) !== host) throw new Error('Another host has served.');
    leases += 1;
    void lease.release();
    if (host === null && leases % 1000 === 0) await wait(0);
  }
  return leases / ((performance.now() - startMs) / 1000);
}

async function untilServed({ serving }) {
  for (let tries = 0; tries < 300; tries += 1) {
    const lease = await serving.acquire(REQUEST).catch(() => null);
    void lease?.release();
    if (lease?.peer?.host === 'desktop') return;
    await wait(100);
  }
  throw new Error('The laptop does not see the desktop.');
}

async function openFleet(folder, { facts, ...local }) {
  const warn = (message) => process.stderr.write(`${message}\n`);
  const fleet = await createFleet({
    folder,
    local,
    facts: { fleetFacts: async () => facts },
    version: '0',
    warn,
  });
  fleet.announce('https://127.0.0.1:1', () => []);
  return fleet;
}

/** A machine whose port serves at once, with the large model loaded or without a model. */
function serves(name, hasModel) {
  const resident = {
    instanceIdentifier: `mai/${name}`,
    contextLengthTokens: 8192,
    footprintBytes: 5e9,
    foreign: false,
    parallel: 4,
  };
  const model = {
    modelKey: KEY,
    displayName: 'Large',
    kind: 'llm',
    tier: 'large',
    digest: null,
    capabilities: ['chat'],
    contextLengthTokens: 8192,
    maxContextLengthTokens: 8192,
    sizeBytes: 5e9,
    fit: 'now',
    speed: null,
    quality: null,
  };
  const models = hasModel
    ? [{ ...model, residents: [{ ...resident, host: null }], downloaded: true, hosts: null }]
    : [];
  const lease = {
    modelKey: KEY,
    instanceIdentifier: resident.instanceIdentifier,
    tier: 'large',
    capabilities: ['chat'],
    contextLengthTokens: 8192,
    baseUrl: 'http://127.0.0.1:1/v1',
    requestHeaders: {},
    decisionId: null,
    peer: null,
    forOneRequest: false,
    ended: null,
    placementId: null,
    lost: new AbortController().signal,
    release: async () => undefined,
  };
  const plan = {
    decision: hasModel ? 'serve' : 'none',
    modelKey: hasModel ? KEY : null,
    unloads: [],
    loadBytes: null,
    selection: { decision: 'none', rejected: [] },
  };
  return {
    catalog: async () => ({
      models,
      chains: { default: [KEY] },
      aliases: [],
      otherNames: {},
      leftOut: {},
      unreachableNote: null,
      hosts: null,
      runtime: 'lmstudio',
      runtimeAnswers: true,
      runtimeVersion: null,
      decisionId: null,
    }),
    acquire: async () => {
      if (!hasModel) throw Object.assign(new Error('Nothing fits.'), { code: 'NOTHING_FITS' });
      return lease;
    },
    plan: async () => plan,
    // eslint-disable-next-line require-yield -- nothing changes
    async *changes({ signal } = {}) {
      await new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }));
    },
    facts: {
      versions: { runtime: 'lmstudio', runtimeVersion: null },
      pools: [],
      pressureRatio: 0.5,
      models: hasModel ? [{ ...model, residents: [resident] }] : [],
      linkDevices: [],
      chains: { default: hasModel ? [KEY] : [] },
      fleet: {
        labels: {},
        chains: null,
        requiredLabels: {},
        minTokensPerSecond: 0,
        guests: { memoryRatio: 0.5, hours: null },
      },
    },
  };
}

async function invited({ desktop, laptop }) {
  const invitation = await invite({ folder: desktop });
  await join({ folder: laptop, host: 'laptop', invitation: invitation.text, start: false });
  await invitation.ended;
  await invitation[Symbol.asyncDispose]();
}

/** Waits until the relay takes connections. */
async function untilOpen(port) {
  for (let tries = 0; tries < 300; tries += 1) {
    const socket = connect({ host: '127.0.0.2', port });
    const opened = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (opened) return;
    await wait(100);
  }
  throw new Error('The relay does not listen.');
}

function print(rows) {
  console.log(
    'One gateway asks for one lease at a time. Leases a second, each released at once:\n',
  );
  console.log('round trip to NATS and back | at another host | at its own port | ratio');
  for (const { roundTripMs, perSecond, ownPerSecond } of rows) {
    const ratio = (perSecond / ownPerSecond).toExponential(1);
    console.log(
      `${String(roundTripMs).padStart(24)} ms | ${perSecond.toFixed(1).padStart(15)} | ${ownPerSecond.toFixed(0).padStart(15)} | ${ratio}`,
    );
  }
}

function fileOf(relative) {
  return new URL(relative, import.meta.url).pathname;
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
