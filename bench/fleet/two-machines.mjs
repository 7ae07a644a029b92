// Two machines in two network namespaces, each with addresses of its own, a simulated LM Studio and `mai serve --fleet`. They are
// paired by an invitation. A client of the laptop gets its answer from the desktop, because the large model fits only there.
//
//   npm run bench:fleet-pair            needs Linux, root, `ip` (iproute2) and nats-server, and the built packages
//   npm run bench:fleet-pair -- --json
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const GIB = 1024 ** 3;
const here = path.dirname(fileURLToPath(import.meta.url));
const mai = path.join(here, '..', '..', 'apps', 'cli', 'bin', 'mai.js');
const json = process.argv.includes('--json');
const root = mkdtempSync(path.join(tmpdir(), 'mai-two-machines-'));
const running = [];
const MACHINES = [
  { name: 'desktop', address: '10.77.0.1', headroom: '16MiB' },
  // The large model takes a sixth of the memory, so it never leaves as much as this free.
  { name: 'laptop', address: '10.77.0.2', headroom: `${Math.round(0.85 * totalmem())}B` },
].map((machine) => ({ ...machine, space: `mai-${machine.name}-${process.pid}` }));
const [desktop, laptop] = MACHINES;

const say = (text) => {
  if (!json) console.log(text);
};
const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] });

function openNetwork() {
  const ends = MACHINES.map((_, index) => `mai${process.pid % 100000}${'ab'[index]}`);
  for (const { space } of MACHINES) ip('netns', 'add', space);
  ip('link', 'add', ends[0], 'type', 'veth', 'peer', 'name', ends[1]);
  for (const [index, { space, address }] of MACHINES.entries()) {
    ip('link', 'set', ends[index], 'netns', space);
    ip('-n', space, 'addr', 'add', `${address}/24`, 'dev', ends[index]);
    ip('-n', space, 'link', 'set', ends[index], 'up');
    ip('-n', space, 'link', 'set', 'lo', 'up');
  }
}

/** Starts a program on a machine. */
function start(machine, file, ...args) {
  const child = spawn('ip', ['netns', 'exec', machine.space, process.execPath, file, ...args], {
    env: { ...process.env, ...machine.env, NO_COLOR: '1' },
    cwd: machine.home,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  let errorOutput = '';
  child.stderr.on('data', (chunk) => (errorOutput += chunk));
  const lines = [];
  createInterface(child.stdout).on('line', (line) => lines.push(line));
  const ended = new Promise((resolve) => child.once('close', resolve));
  return {
    child,
    ended,
    lines,
    line: async (holds = () => true) => {
      for (let tries = 0; tries < 600; tries += 1) {
        const found = lines.find(holds);
        if (found !== undefined) return found;
        if (child.exitCode !== null) break;
        await wait(100);
      }
      throw new Error(
        `${file} ${args.join(' ')} on ${machine.name} did not print the expected line. Its standard error: ${errorOutput}`,
      );
    },
  };
}

/** Runs `mai` on a machine, and returns its output. */
async function run(machine, ...args) {
  const program = start(machine, mai, ...args);
  const code = await program.ended;
  if (code !== 0) throw new Error(`mai ${args.join(' ')} on ${machine.name} ended with ${code}.`);
  return program.lines.join('\n');
}

async function openMachine(machine) {
  machine.home = path.join(root, machine.name);
  mkdirSync(machine.home);
  const config = path.join(machine.home, 'models.yaml');
  const models = [
    { modelKey: 'test/large', sizeBytes: Math.round(totalmem() / 6), maxContextLength: 32_768 },
    { modelKey: 'test/small', sizeBytes: GIB / 2, maxContextLength: 32_768 },
  ];
  const model = (key, category) => ({
    key,
    category,
    context_window: 4096,
    capabilities: ['chat'],
  });
  writeFileSync(
    config,
    JSON.stringify({
      version: 1,
      models: [model('test/large', 'large'), model('test/small', 'small')],
      fallback_chains: { default: ['test/large', 'test/small'] },
      switching: { min_headroom: machine.headroom, cpu_percent: 100 },
    }),
  );
  machine.env = {};
  const simulator = start(
    machine,
    path.join(here, 'simulated-lmstudio.mjs'),
    JSON.stringify(models),
  );
  machine.env = {
    HOME: machine.home,
    XDG_DATA_HOME: machine.home,
    XDG_CONFIG_HOME: machine.home,
    XDG_CACHE_HOME: machine.home,
    MAI_CONFIG: config,
    MAI_LMSTUDIO_URL: await simulator.line(),
  };
}

/** Asks the gateway of a machine, as a program of that machine does. */
async function ask(machine, url, body) {
  const script = `
    const answer = await fetch(${JSON.stringify(url)}, ${JSON.stringify(
      body === undefined
        ? {}
        : {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          },
    )});
    console.log(JSON.stringify({ status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.json() }));`;
  const client = start(machine, '--input-type=module', '-e', script);
  return JSON.parse(await client.line());
}

async function main() {
  openNetwork();
  await Promise.all(MACHINES.map(openMachine));
  say(`Two machines: desktop at ${desktop.address}, laptop at ${laptop.address}.`);
  await run(desktop, 'fleet', 'init', '--host', 'desktop', '--address', desktop.address);
  const inviting = start(desktop, mai, 'fleet', 'invite', '--json');
  const { invitation } = JSON.parse(await inviting.line((line) => line.includes('"invitation"')));
  say(`\n$ mai fleet invite            (desktop)\n${invitation}`);
  say(`\n$ mai fleet join INVITATION   (laptop)`);
  say(await run(laptop, 'fleet', 'join', invitation, '--host', 'laptop'));
  await inviting.ended;

  const urls = [];
  for (const machine of MACHINES) {
    const serve = start(
      machine,
      mai,
      'serve',
      '--fleet',
      '--fleet-address',
      machine.address,
      '--json',
    );
    urls.push(JSON.parse(await serve.line((line) => line.includes('"listening"'))).url);
  }
  const url = urls[1];
  for (let tries = 0; ; tries += 1) {
    const { body } = await ask(laptop, `${url}/v1/models`);
    if (body.data.some(({ mai: about }) => about.hosts.length === 2)) break;
    if (tries > 60) throw new Error('The laptop does not see the desktop.');
    await wait(500);
  }
  const messages = [{ role: 'user', content: 'Which machine are you?' }];
  const startedMs = performance.now();
  const answer = await ask(laptop, `${url}/v1/chat/completions`, { model: 'auto', messages });
  const tookMs = Math.round(performance.now() - startedMs);
  const { 'x-mai-host': host, 'x-mai-model': model, 'x-mai-placement': id } = answer.headers;
  say(
    `\nA client of the laptop asks for "auto": status ${answer.status}, ${model} on ${host}, after ${tookMs} ms.`,
  );
  const explained = await run(laptop, 'fleet', 'explain', id);
  say(`\n$ mai fleet explain ${id}\n${explained}`);
  say(`\n$ mai fleet status\n${await run(laptop, 'fleet', 'status')}`);
  const ok = answer.status === 200 && host === 'desktop' && model === 'test/large';
  if (json)
    console.log(
      JSON.stringify({ ok, status: answer.status, host, model, tookMs, explained }, null, 2),
    );
  if (!ok) throw new Error('The answer did not come from the desktop.');
}

async function close() {
  for (const child of running) child.kill('SIGTERM');
  await Promise.race([
    Promise.all(
      running.map(
        (child) => child.exitCode ?? new Promise((resolve) => child.once('close', resolve)),
      ),
    ),
    wait(10_000),
  ]);
  for (const { space } of MACHINES) {
    // nats-server goes on after `mai`; it is the only program left in the namespace.
    const pids = String(ip('netns', 'pids', space))
      .split('\n')
      .filter((pid) => pid !== '');
    for (const pid of pids) process.kill(Number(pid), 'SIGKILL');
    ip('netns', 'del', space);
  }
  rmSync(root, { recursive: true, force: true });
}

try {
  await main();
} finally {
  await close();
}
