// One machine of the fault matrix: a simulated LM Studio with a world of its own, Mai's host, its part in the fleet, a
// gateway for its clients and one for the other hosts. Takes JSON as its argument, and `{ "othersBytes" }` on standard
// input. Prints what it does, a JSON line each; times are those of the system's monotonic clock, which all share.
import { setInterval } from 'node:timers';
import { createInterface } from 'node:readline';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { createFleet } from '@mai/fleet';
import { createGateway } from '@mai/gateway';
import { openHost } from '@mai/host';
import { startSimulator } from '@mai/lmstudio-simulator';
import { waitedForCpuMs } from '../../yardstick/process-load.mjs';
import { MODELS, TOTAL_BYTES, USUAL_BYTES } from './world.mjs';

const VIEW_INTERVAL_MS = 250;
/** Half of the time after which a client counts its request as lost. */
const WAIT_DEADLINE_MS = 60_000;
const { name, address, folder, clientPort, peerPort } = JSON.parse(process.argv[2]);

const nowMs = () => Number(process.hrtime.bigint() / 1_000_000n);
const print = (event) =>
  process.stdout.write(`${JSON.stringify({ atMs: nowMs(), host: name, ...event })}\n`);

const simulator = await startSimulator({
  // A load of the large model takes about a second.
  speed: 4,
  world: {
    machine: { ramBytes: TOTAL_BYTES, gpus: [], promptTokensPerSecond: 5000 },
    models: MODELS.map(({ modelKey, sizeBytes }) => ({
      modelKey,
      sizeBytes,
      maxContextLength: 32_768,
      tokensPerSecond: 100,
    })),
    guardrails: { mode: 'off' },
    // Every request has a prompt of its own, so a prompt cache would not help. The benchmark leaves growth after a load out.
    loadDefaults: { promptCacheBytes: 0, contextCheckpoints: 0 },
  },
});
let othersBytes = USUAL_BYTES;
createInterface({ input: process.stdin }).on('line', (line) => {
  ({ othersBytes } = JSON.parse(line));
});
const usedBytes = () => {
  const { mappedBytes, anonymousBytes } = simulator.memoryInUse().ram;
  return mappedBytes + anonymousBytes;
};

for (const part of ['data', 'cache', 'home'])
  mkdirSync(path.join(folder, part), { recursive: true });
const warn = (message) => print({ type: 'warning', message });
const host = await openHost({
  url: simulator.baseUrl,
  config: {
    version: 1,
    models: MODELS.map(({ modelKey, category }) => ({
      key: modelKey,
      category,
      capabilities: ['chat'],
      context_window: 8192,
    })),
    fallback_chains: { default: MODELS.map(({ modelKey }) => modelKey) },
    switching: { dwell: '1s', cool_down: '1s' },
  },
  monitor: { snapshot, readRam: null, settled: null },
  dataFolder: path.join(folder, 'data'),
  cacheFolder: path.join(folder, 'cache'),
  configFolder: folder,
  userHome: path.join(folder, 'home'),
  cwd: folder,
  env: {},
  warn,
});
const fleet = await createFleet({
  folder: path.join(folder, 'fleet'),
  local: host.serving,
  facts: host,
  version: 'bench',
  warn,
});
const peers = {
  ...fleet.peers,
  residentOf(lease, asker) {
    const resident = fleet.peers.residentOf(lease, asker);
    const isHonoured = resident !== null;
    print({ type: 'lease', lease, asker, isHonoured, epoch: ownState()?.epoch ?? null });
    return resident;
  },
};
const forPeers = await createGateway({ serving: host.serving }, { host: '0.0.0.0', peers });
const server = await forPeers.listen({ port: peerPort, tls: fleet.tls });
fleet.onIdentityChange(() => {
  server.replaceTls(fleet.tls);
  server.endRefused();
});
// A request that waits too long gets an error after this time. A gateway usually waits for minutes, longer than the clients.
const limits = { answerDeadlineMs: WAIT_DEADLINE_MS, streamDeadlineMs: WAIT_DEADLINE_MS };
const gateway = await createGateway({ serving: fleet.serving }, { limits });
await gateway.listen({ port: clientPort });
fleet.announce(`https://${address}:${peerPort}`, () => [gateway.state(), forPeers.state()]);
print({ type: 'ready' });

let seen = null;
let waitedBeforeMs = waitedForCpuMs();
setInterval(() => {
  printRuns();
  const waitedSoFarMs = waitedForCpuMs();
  const { hosts, connected, server, granted } = fleet.view();
  print({
    type: 'view',
    connected,
    server,
    usedBytes: usedBytes(),
    othersBytes,
    residents: simulator.residents().map(({ modelKey }) => modelKey),
    granted: granted.length,
    waitedMs: waitedSoFarMs - waitedBeforeMs,
    hosts: Object.fromEntries(
      hosts.map(({ usable, state: { host, epoch, revision } }) => [
        host,
        { usable, epoch, revision },
      ]),
    ),
  });
  waitedBeforeMs = waitedSoFarMs;
}, VIEW_INTERVAL_MS);

for await (const change of host.serving.changes()) {
  if (change.type === 'loaded' || change.type === 'load-failed')
    print({ ...change, usedBytes: usedBytes(), othersBytes });
}

/** Prints the requests that LM Studio has got since the last turn, and those whose gateway has gone before their answer. */
function printRuns() {
  const { requests } = simulator;
  const first = seen === null ? 0 : requests.lastIndexOf(seen) + 1;
  for (const { endpoint, parameter, atMs } of requests.slice(first)) {
    const isEnd = endpoint === 'disconnect';
    if (!isEnd && endpoint !== '/v1/chat/completions') continue;
    const id = (isEnd ? parameter.body : parameter)?.messages?.[0]?.content;
    if (typeof id !== 'string') continue;
    print(
      isEnd
        ? { type: 'taken-back', id, afterMs: atMs - parameter.requestedAtMs }
        : { type: 'run', id },
    );
  }
  seen = requests.at(-1) ?? null;
}

function ownState() {
  return fleet.view().hosts.find(({ state }) => state.host === name)?.state ?? null;
}

async function snapshot() {
  const availableBytes = Math.max(0, TOTAL_BYTES - othersBytes - usedBytes());
  return {
    timestampMs: Date.now(),
    observable: true,
    ram: { totalBytes: TOTAL_BYTES, availableBytes, mappedCountsAsUsed: true },
    unified: false,
    gpus: [],
    cpu: { utilizationRatio: 0.1, othersRatio: 0.1 },
  };
}
