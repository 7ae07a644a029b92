// Starts the machines of the fault matrix, and inflicts faults on them.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createNetwork } from '../network/network.mjs';
import { SCARCE_BYTES, USUAL_BYTES } from './world.mjs';

const NATS_PORT = 4222;
const CLIENT_PORT = 8484;
const PEER_PORT = 8899;
const START_DEADLINE_MS = 60_000;
const LOSS_RATIO = 0.05;
const DELAY = { delayMs: 100, jitterMs: 50 };
const HOUR_SECONDS = 3600;
const STARVED = { runsMs: 50, everyMs: 1000 };
const RESET_MS = 2500;
const DISK_BYTES = 24 * 1024 ** 2;
const program = (name) => fileURLToPath(new URL(name, import.meta.url));
const nowMs = () => Number(process.hrtime.bigint() / 1_000_000n);

export async function startFleet(setting) {
  const fleet = createMachines(setting);
  try {
    await fleet.start();
    return fleet;
  } catch (error) {
    await fleet.close();
    throw error;
  }
}

function createMachines({ folder, hosts, serverCount, rate }) {
  // One server has a machine of its own. The servers of a cluster run on the first hosts, as `mai fleet init` sets them up.
  const servers = serverCount === 1 ? ['n1'] : hosts.slice(0, serverCount);
  const network = createNetwork([...new Set([...hosts, ...servers])]);
  const events = [];
  const machines = new Map();
  const clients = new Map();
  const folderOf = (name) => path.join(folder, name);
  const fleetFolder = (name) => path.join(folderOf(name), 'fleet');
  const mounted = [];
  const record = (child) =>
    createInterface({ input: child.stdout }).on('line', (line) => events.push(JSON.parse(line)));

  /** Each machine has a small disk of its own, and a wall clock that a file moves. */
  const prepare = (name) => {
    mkdirSync(folderOf(name));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'mai-bench', folderOf(name)]);
    mounted.push(folderOf(name));
    writeFileSync(clockFile(name), '+0');
  };
  const clockFile = (name) => path.join(folder, `${name}.clock`);

  const startMachine = async (name) => {
    const setting = {
      name,
      address: network.address(name),
      folder: folderOf(name),
      clientPort: CLIENT_PORT,
      peerPort: PEER_PORT,
    };
    const child = network.spawn(
      name,
      process.execPath,
      [program('machine.mjs'), JSON.stringify(setting)],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: {
          ...process.env,
          LD_PRELOAD: libfaketime(),
          FAKETIME_TIMESTAMP_FILE: clockFile(name),
          FAKETIME_NO_CACHE: '1',
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
        },
      },
    );
    child.stdin.on('error', () => undefined);
    machines.set(name, child);
    record(child);
    const sinceMs = nowMs();
    await until(() =>
      events.some((one) => one.type === 'ready' && one.host === name && one.atMs >= sinceMs),
    );
  };

  let nats = [];
  const start = async () => {
    nats = await startNats();
    for (const name of hosts) await startMachine(name);
    for (const name of hosts) startClient(name);
  };

  const startClient = (name) => {
    const setting = {
      name,
      url: `http://127.0.0.1:${CLIENT_PORT}`,
      perSecond: rate / hosts.length,
    };
    const child = network.spawn(
      name,
      process.execPath,
      [program('client.mjs'), JSON.stringify(setting)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    clients.set(name, child);
    record(child);
  };

  async function startNats() {
    for (const name of hosts) prepare(name);
    const [first] = servers;
    const folders = Object.fromEntries(hosts.map((name) => [name, fleetFolder(name)]));
    const addresses = servers.map(network.address);
    await ended(run(first, 'pair.mjs', { addresses, folders }));
    const all = servers.map((name, i) => natsServer(name, fleetFolder(hosts[i])));
    for (const server of all) await server.start();
    return all;
  }

  /** Runs a program of this folder on a machine. Its only argument is JSON. */
  function run(name, file, setting) {
    return network.spawn(name, process.execPath, [program(file), JSON.stringify(setting)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  function natsServer(name, fleet) {
    let pid = null;
    return {
      async start() {
        ({ pid } = JSON.parse(await ended(run(name, 'start-nats.mjs', { folder: fleet }))));
      },
      async kill() {
        process.kill(pid, 'SIGKILL');
        while (isRunning(pid)) await sleep(20);
      },
      loseStore: () => rmSync(path.join(fleet, 'nats', 'store'), { recursive: true, force: true }),
    };
  }

  async function restarted(server) {
    await server.kill();
    return () => server.start();
  }

  /** Lets a process run for only 50 ms of each second. */
  function starved(child) {
    const stop = () => child.kill('SIGSTOP');
    const timer = setInterval(() => {
      child.kill('SIGCONT');
      setTimeout(stop, STARVED.runsMs);
    }, STARVED.everyMs);
    stop();
    return async () => {
      clearInterval(timer);
      await sleep(2 * STARVED.runsMs);
      child.kill('SIGCONT');
    };
  }

  /** Servers on a machine of their own. */
  const ownServers = servers.filter((name) => !hosts.includes(name));
  const say = (name, message) => machines.get(name).stdin.write(`${JSON.stringify(message)}\n`);
  const others = (name) => hosts.filter((one) => one !== name);

  /** Starts a fault. Returns what ends it. */
  const begin = async (kind, [host, ...more]) => {
    switch (kind) {
      case 'kill-host':
        machines.get(host).kill('SIGKILL');
        return () => startMachine(host);
      case 'stop-host':
        machines.get(host).kill('SIGSTOP');
        return () => machines.get(host).kill('SIGCONT');
      case 'starve-host':
        return starved(machines.get(host));
      case 'partition-one':
        network.partition([[host], [...others(host), ...ownServers]]);
        return () => network.heal();
      case 'partition-half': {
        const half = [host, ...more];
        network.partition([half, [...hosts.filter((one) => !half.includes(one)), ...ownServers]]);
        return () => network.heal();
      }
      case 'partition-nats':
        network.cutPorts([NATS_PORT]);
        return () => network.heal();
      case 'partition-traffic':
        network.cutPorts([PEER_PORT]);
        return () => network.heal();
      case 'loss':
        network.lose(LOSS_RATIO);
        return () => network.heal();
      case 'delay':
        return delayAll();
      case 'clock': {
        const ahead = nowMs() % 2 === 0;
        writeFileSync(clockFile(host), `${ahead ? '+' : '-'}${HOUR_SECONDS}`);
        return () => writeFileSync(clockFile(host), '+0');
      }
      case 'nats-restart':
        return restarted(nats[hosts.indexOf(host) % nats.length]);
      case 'nats-store-lost':
        for (const server of nats) {
          await server.kill();
          server.loseStore();
        }
        return () => Promise.all(nats.map((server) => server.start()));
      case 'disk-full': {
        const file = path.join(folderOf(host), 'ballast');
        fill(file);
        return () => rmSync(file);
      }
      case 'memory-taken':
        say(host, { othersBytes: SCARCE_BYTES });
        return () => say(host, { othersBytes: USUAL_BYTES });
      default:
        throw new Error(`Unknown fault ${kind}`);
    }
  };

  /** A relay on each machine delays what it sends to the others. New connections go through it, so the old ones are cut. */
  async function delayAll() {
    const relays = [];
    for (const host of hosts) {
      const targets = [
        ...others(host).map((to) => ({ to, port: PEER_PORT })),
        ...servers.filter((to) => to !== host).map((to) => ({ to, port: NATS_PORT })),
      ].map((way, i) => ({ ...way, relayPort: 7000 + i }));
      const ways = targets.map(({ to, ...way }) => ({ ...way, address: network.address(to) }));
      const { delayMs, jitterMs } = DELAY;
      relays.push(
        network.spawn(
          host,
          process.execPath,
          [
            program('../network/relay.mjs'),
            JSON.stringify(ways),
            delayMs,
            jitterMs,
            network.relayUser,
          ].map(String),
          { stdio: ['ignore', 'ignore', 'inherit'] },
        ),
      );
      await sleep(200);
      network.redirect(host, targets);
      network.reset(host, [PEER_PORT, NATS_PORT]);
    }
    // Connections that exist are not redirected. Each sends something within the interval of the heartbeats.
    await sleep(RESET_MS);
    for (const host of hosts) network.endReset(host);
    return async () => {
      network.heal();
      for (const relay of relays) relay.kill('SIGKILL');
    };
  }

  return {
    start,
    events: () =>
      events.toSorted((one, other) => (one.atMs ?? one.endMs) - (other.atMs ?? other.endMs)),
    wait: (seconds) => sleep(seconds * 1000),
    /** Every host knows every other one, and has answered a client. */
    converged: () =>
      until(() =>
        hosts.every((name) => {
          if (!events.some((one) => one.outcome === 'answered' && one.host === name)) return false;
          const view = events.findLast((one) => one.type === 'view' && one.host === name);
          return hosts.every((other) => view?.hosts[other]?.usable === true);
        }),
      ),
    /** Inflicts faults `{ kind, hosts }[]` at once. Returns them with their times. */
    async inflict(faults, seconds) {
      const startMs = nowMs();
      const heals = [];
      for (const { kind, hosts: hit } of faults) heals.push(await begin(kind, hit));
      await sleep(seconds * 1000);
      for (const heal of heals) await heal();
      const endMs = nowMs();
      return faults.map((fault) => ({ ...fault, startMs, endMs }));
    },
    /** Ends the requests of the clients. Resolves when all requests have been answered. */
    async endClients() {
      const ended = [...clients.values()].map(
        (child) => new Promise((resolve) => child.once('exit', resolve)),
      );
      for (const child of clients.values()) child.kill('SIGTERM');
      await Promise.race([Promise.all(ended), sleep(150_000)]);
    },
    async close() {
      for (const server of nats) await server.kill();
      await network.close();
      for (const place of mounted) execFileSync('umount', ['-l', place]);
    },
  };
}

async function until(isTrue) {
  const deadlineMs = nowMs() + START_DEADLINE_MS;
  while (!isTrue()) {
    if (nowMs() > deadlineMs) throw new Error('The fleet did not start within a minute.');
    await sleep(100);
  }
}

/** A zombie, whose parent has not waited for it yet, has no command line and counts as ended. */
function isRunning(pid) {
  const file = `/proc/${pid}/cmdline`;
  return existsSync(file) && readFileSync(file, 'utf8') !== '';
}

/** What a program prints until it ends. */
async function ended(child) {
  let text = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`A program has ended with ${code}.`);
  return text;
}

/** Fills the disk that a file is on. */
function fill(file) {
  spawn('dd', ['if=/dev/zero', `of=${file}`, 'bs=64k'], { stdio: 'ignore' });
}

function libfaketime() {
  const found = execFileSync('sh', ['-c', 'ls /usr/lib/*/faketime/libfaketime.so.1 || true']);
  const file = String(found).trim();
  if (file === '') throw new Error('faketime is missing. Install it: apt-get install faketime');
  return file;
}
