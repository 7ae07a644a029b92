// Start-up of `mai` against the floor, `node -e 0`, measured in turn, as ratios of medians.
//
//   node bench/startup/startup.mjs [--rounds N]
//
// Build first (`npm run build`). Prints a table.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeGguf } from './write-gguf.mjs';

const MODELS = 40;
/** Nothing listens on the discard port of the loopback address. */
const NOBODY = 'ws://127.0.0.1:9';
const FLOOR = 'node -e 0';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '21' } } });
const mai = fileURLToPath(new URL('../../apps/cli/bin/mai.js', import.meta.url));
const simulatorBin = fileURLToPath(
  new URL('../../packages/lmstudio-simulator/bin/lmstudio-simulator.js', import.meta.url),
);
const folder = mkdtempSync(path.join(tmpdir(), 'mai-startup-'));
const cache = path.join(folder, 'cache');
const home = path.join(folder, 'home');
const env = { ...process.env, HOME: home, USERPROFILE: home, XDG_CACHE_HOME: cache, NO_COLOR: '1' };
// Costs Node 20 about 45 ms at every start, whatever is started.
delete env.NODE_EXTRA_CA_CERTS;
for (const name of ['MAI_CONFIG', 'MAI_LMSTUDIO_URL', 'LM_API_TOKEN']) delete env[name];
// No GPU tool: the targets are for a machine without one.
env.PATH = path.dirname(process.execPath);

let simulator = null;
try {
  writeModels();
  simulator = await startSimulator();
  const off = ['--url', NOBODY];
  const cases = [
    { name: FLOOR, args: ['-e', '0'], atMost: 1 },
    { name: 'mai --version', args: [mai, '--version'], atMost: 1.35 },
    { name: 'mai status, LM Studio off', args: [mai, 'status', ...off], atMost: 2 },
    {
      name: 'mai status, simulator on',
      args: [mai, 'status', '--url', simulator.url],
      atMost: 8,
    },
    {
      name: `mai select, ${MODELS} models, off, warm`,
      args: [mai, 'select', ...off],
      atMost: 3,
      exitCodes: [0, 3],
    },
    {
      name: `mai select, ${MODELS} models, off, cold`,
      args: [mai, 'select', ...off],
      atMost: 12,
      exitCodes: [0, 3],
      prepare: () => {
        for (const name of ['headers.json', 'headers.derived.json'])
          rmSync(path.join(cache, 'mai', name), { force: true });
      },
    },
  ];
  report(measure(cases, Number(values.rounds)));
} finally {
  simulator?.child.kill();
  rmSync(folder, { recursive: true, force: true });
}

function writeModels() {
  const models = path.join(home, '.lmstudio', 'models', 'bench');
  for (let index = 0; index < MODELS; index += 1) {
    const name = `model-${index}`;
    mkdirSync(path.join(models, name), { recursive: true });
    writeGguf(path.join(models, name, `${name}-F16.gguf`), {
      name,
      layers: 16 + (index % 4) * 8,
      width: 1024 + (index % 3) * 512,
      vocabulary: 32_000,
    });
  }
}

/** The simulator in a process of its own, so that it takes no time from what is measured. */
function startSimulator() {
  const child = spawn(process.execPath, [simulatorBin, '--port', '0'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    let output = '';
    const listen = (chunk) => {
      output += chunk;
      const url = /(?:ws|http):\/\/[\d.]+:\d+/.exec(output)?.[0];
      if (url !== undefined) resolve({ child, url });
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('exit', (code) => reject(new Error(`The simulator ended (${code}): ${output}`)));
  });
}

/** Rounds over all cases, so that a slow moment of the machine hits every case alike. */
function measure(cases, rounds) {
  for (const one of cases) start(one);
  for (let round = 0; round < rounds; round += 1) {
    for (const one of cases) (one.timesMs ??= []).push(start(one));
  }
  return cases.map((one) => ({ ...one, medianMs: median(one.timesMs) }));
}

function start({ name, args, prepare, exitCodes = [0] }) {
  prepare?.();
  const startedMs = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, {
    env,
    cwd: folder,
    encoding: 'utf8',
  });
  const durationMs = performance.now() - startedMs;
  if (!exitCodes.includes(status)) throw new Error(`${name} ended with ${status}: ${stderr}`);
  return durationMs;
}

function report(results) {
  const floorMs = results[0].medianMs;
  console.log(`Node ${process.version}, medians of ${results[0].timesMs.length} rounds in turn\n`);
  console.log(
    `${'case'.padEnd(34)}${'ms'.padStart(8)}${'ratio'.padStart(8)}${'target'.padStart(9)}`,
  );
  for (const { name, medianMs, atMost } of results) {
    const ratio = medianMs / floorMs;
    const target = name === FLOOR ? '' : `<= ${atMost.toFixed(2)}`;
    const verdict = ratio <= atMost ? '' : '  missed';
    console.log(
      `${name.padEnd(34)}${medianMs.toFixed(1).padStart(8)}${ratio.toFixed(2).padStart(8)}${target.padStart(9)}${verdict}`,
    );
  }
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
