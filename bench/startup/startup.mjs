// Measures how long `mai` takes to start, in turns with the yardstick `node -e 0`.
//
//   node bench/startup/startup.mjs [--rounds N]
//
// Build first (`npm run build`). Prints a table and judges the medians of the ratios.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { judge, printTable } from '../yardstick/report.mjs';
import { takeTurns } from '../yardstick/take-turns.mjs';
import { writeLlamaModel } from './llama-model.mjs';

const MODELS = 40;
/** An address where nothing listens: the discard port on loopback. */
const NOBODY = 'ws://127.0.0.1:9';
const BARE = { name: 'node -e 0', args: ['-e', '0'] };

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '21' } } });
const mai = fileURLToPath(new URL('../../apps/cli/bin/mai.js', import.meta.url));
const simulatorBin = fileURLToPath(
  new URL('../../packages/lmstudio-simulator/bin/lmstudio-simulator.js', import.meta.url),
);
const folder = mkdtempSync(path.join(tmpdir(), 'mai-startup-'));
const cache = path.join(folder, 'cache');
const coldCache = path.join(folder, 'cold-cache');
const home = path.join(folder, 'home');
const env = { ...process.env, HOME: home, USERPROFILE: home, XDG_CACHE_HOME: cache, NO_COLOR: '1' };
// With this variable every start of Node 20 takes about 45 ms more.
delete env.NODE_EXTRA_CA_CERTS;
for (const name of ['MAI_CONFIG', 'MAI_LMSTUDIO_URL', 'LM_API_TOKEN']) delete env[name];
// The PATH contains no GPU tool, because the targets are for a machine without a GPU.
env.PATH = path.dirname(process.execPath);

let simulator = null;
try {
  writeModels();
  simulator = await startSimulator();
  const off = ['--url', NOBODY];
  const cases = [
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
      // This case has its own cache folder, because the other cases keep their caches from round to round.
      // The whole folder is removed, so that no cache is left.
      env: { ...env, XDG_CACHE_HOME: coldCache },
      prepare: () => rmSync(coldCache, { recursive: true, force: true }),
    },
  ];
  await measure(cases, Number(values.rounds));
} finally {
  simulator?.child.kill();
  rmSync(folder, { recursive: true, force: true });
}

function writeModels() {
  const models = path.join(home, '.lmstudio', 'models', 'bench');
  for (let index = 0; index < MODELS; index += 1) {
    const name = `model-${index}`;
    mkdirSync(path.join(models, name), { recursive: true });
    writeLlamaModel(path.join(models, name, `${name}-F16.gguf`), {
      name,
      layers: 16 + (index % 4) * 8,
      width: 1024 + (index % 3) * 512,
      vocabulary: 32_000,
    });
  }
}

/** Starts the simulator in a process of its own, so that its work is not part of a measurement. */
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

async function measure(cases, rounds) {
  const results = await takeTurns(
    cases.map((one) => ({ ...one, run: () => start(one) })),
    { rounds, yardstick: () => start(BARE) },
  );
  console.log(`Node ${process.version}, medians of ${rounds} rounds in turns with ${BARE.name}\n`);
  printTable(
    ['case', 'ms', 'ratio'],
    results.map(({ name, medianMs, ratio }) => [name, medianMs.toFixed(1), ratio.toFixed(2)]),
  );
  for (const { name, ratio, atMost } of results) judge(name, ratio, atMost);
}

/** Runs a program to its end and returns the time in milliseconds. */
function start({ name, args, exitCodes = [0], env: environment = env }) {
  const startedMs = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, {
    env: environment,
    cwd: folder,
    encoding: 'utf8',
  });
  const durationMs = performance.now() - startedMs;
  if (!exitCodes.includes(status)) throw new Error(`${name} ended with ${status}: ${stderr}`);
  return durationMs;
}
