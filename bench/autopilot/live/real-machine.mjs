// Runs `mai watch` on this machine's real memory. The models of a simulated LM Studio take real memory, and
// another program takes gigabytes and frees them again. Build first:
//   node bench/autopilot/live/real-machine.mjs [--live] [--rounds N]
// In every round `mai watch` must step down and up without a flap, and every decision must replay bit for bit. --live
// shows the view of `mai watch`. A round takes about a minute and a half, and at most half of the free memory.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import vm from 'node:vm';
import { listRotated, replayDecisions } from '@mai/autopilot';
import { startSimulator } from '@mai/lmstudio-simulator';

const live = process.argv.includes('--live');
const rounds = Number(process.argv[process.argv.indexOf('--rounds') + 1] || 2) || 2;
const MAI = fileURLToPath(new URL('../../../apps/cli/bin/mai.js', import.meta.url));
const GIB = 1024 ** 3;
const CHUNK_BYTES = GIB / 16;
const GIVE_UP_AFTER_MS = 240_000;
const COOL_DOWN_MS = 15_000;
const say = (text) => live || console.log(text);

// Sizes follow from the free memory. The large model fits alone, but not beside the other program.
const totalBytes = os.totalmem();
const inUseBytes = totalBytes - os.freemem();
const unitBytes = Math.min(GIB, os.freemem() / 22);
const limitPercent = (100 * (inUseBytes + 8.5 * unitBytes)) / totalBytes;
const hardLimitPercent = Math.min(99, limitPercent + (100 * 4 * unitBytes) / totalBytes);
const hogBytes = 3.5 * unitBytes;
const MODELS = { large: 6, medium: 3, small: 1 };

/** A program that takes memory step by step and keeps it. */
const HOG = `
  const bytes = Number(process.argv[1]), held = [];
  const more = setInterval(() => {
    if (held.length * ${CHUNK_BYTES} >= bytes) return clearInterval(more);
    held.push(Buffer.allocUnsafeSlow(${CHUNK_BYTES}).fill(1));
  }, 25);
  setInterval(() => held.length, 1000);`;

const home = mkdtempSync(path.join(os.tmpdir(), 'mai real machine '));
const config = path.join(home, 'models.yaml');
writeFileSync(
  config,
  JSON.stringify({
    version: 1,
    models: Object.keys(MODELS).map((tier) => ({
      key: `real/${tier}`,
      category: tier,
      context_window: 2048,
      capabilities: ['chat'],
    })),
    fallback_chains: { default: Object.keys(MODELS).map((tier) => `real/${tier}`) },
    switching: {
      memory_percent: limitPercent,
      // The run uses no GPU, but this limit must also be below the hard limit.
      vram_percent: limitPercent,
      unified_hard_limit_percent: hardLimitPercent,
      upgrade_below_percent_min: Math.max(1, (limitPercent * 65) / 80),
      hard_limit_percent: hardLimitPercent,
      // A busy CPU would delay the step up, but this run is about memory.
      cpu_percent: 100,
      min_headroom: '64MiB',
      dwell: '5s',
      cool_down: `${COOL_DOWN_MS / 1000}s`,
    },
  }),
);

const simulator = await startSimulator({
  world: {
    machine: {
      ramBytes: totalBytes,
      othersRamBytes: inUseBytes,
      gpus: [],
      loadBytesPerSecond: GIB / 2,
    },
    models: Object.entries(MODELS).map(([tier, units]) => ({
      modelKey: `real/${tier}`,
      sizeBytes: Math.round(units * unitBytes),
      maxContextLength: 2048,
      geometry: {
        layers: 8,
        kvHeads: 4,
        headDimension: 64,
        hiddenSize: 1024,
        vocabularySize: 32000,
      },
    })),
    guardrails: { mode: 'off' },
  },
});

// The exposed gc() frees memory at once, as an unload does. Without it, a later garbage collection would free
// the memory.
v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc');

// Takes as much real memory as the simulated models take.
const ballast = [];
const weigh = setInterval(() => {
  const { mappedBytes, anonymousBytes } = simulator.memoryInUse().ram;
  const chunks = Math.floor((mappedBytes + anonymousBytes) / CHUNK_BYTES);
  if (ballast.length > chunks) {
    ballast.length = chunks;
    collect();
  }
  for (let more = 0; more < 4 && ballast.length < chunks; more += 1) {
    ballast.push(Buffer.allocUnsafeSlow(CHUNK_BYTES).fill(1));
  }
}, 25);

const startedMs = Date.now();
const at = () => `${((Date.now() - startedMs) / 1000).toFixed(1).padStart(6)} s`;
const resident = () =>
  simulator
    .residents()
    .map(({ modelKey }) => modelKey)
    .join(', ') || 'nothing';
async function until(what, holds) {
  for (const giveUpAtMs = Date.now() + GIVE_UP_AFTER_MS; !holds(); await sleep(100)) {
    if (Date.now() > giveUpAtMs) throw new Error(`This did not happen in time: ${what}.`);
    if (mai.exitCode !== null) throw new Error(`mai watch ended with ${mai.exitCode}.`);
  }
  say(`${at()}  ${what}; ${(os.freemem() / GIB).toFixed(1)} GiB free`);
}

const mai = spawn(
  process.execPath,
  [MAI, 'watch', '--url', simulator.httpUrl, '--config', config],
  {
    env: { ...process.env, HOME: home, XDG_DATA_HOME: home, LOCALAPPDATA: home, APPDATA: home },
    stdio: ['ignore', live ? 'inherit' : 'ignore', 'inherit'],
  },
);
const ended = new Promise((resolve) => mai.once('exit', resolve));
let hog = null;
try {
  await until('the large model is loaded', () => resident() === 'real/large');
  for (let round = 1; round <= rounds; round += 1) {
    hog = spawn(process.execPath, ['-e', HOG, String(hogBytes)], { stdio: 'ignore' });
    say(`${at()}  another program takes ${(hogBytes / GIB).toFixed(1)} GiB`);
    await until('stepped down to the medium model', () => resident() === 'real/medium');
    await sleep(10_000);
    hog.kill();
    say(`${at()}  the other program has ended`);
    await until('stepped up to the large model', () => resident() === 'real/large');
    await sleep(10_000);
  }
} finally {
  hog?.kill();
  mai.kill('SIGINT');
  await ended;
  clearInterval(weigh);
  await simulator.stop();
}
console.log(`mai watch ended with ${mai.exitCode}, leaving ${resident()} loaded.`);

const folder = findLog(home);
const files = await listRotated(folder, 4);
const lines = files.flatMap((file) => readFileSync(file, 'utf8').split('\n').filter(Boolean));
const records = lines.map((line) => JSON.parse(line));
const outcomes = records.filter(({ type }) => type === 'outcome');
const replay = await replayDecisions(lines);
for (const { reason, outcome, loaded, unloaded, tookMs } of outcomes) {
  console.log(
    `  ${reason.padEnd(17)} ${outcome.padEnd(9)} -${unloaded.join(' ')} +${loaded.join(' ')} in ${(tookMs / 1000).toFixed(1)} s`,
  );
}
// A flap is a step in the opposite direction within the cool-down, unless memory was over the hard limit.
const ORDER = Object.keys(MODELS);
const steps = outcomes
  .filter(({ loaded, unloaded }) => loaded.length > 0 && unloaded.length > 0)
  .map(({ atMs, reason, loaded, unloaded }) => ({
    atMs,
    reason,
    down: rank(loaded[0]) > rank(unloaded[0]),
  }));
const flaps = steps.filter(
  ({ atMs, reason, down }, index) =>
    index > 0 &&
    reason !== 'EMERGENCY' &&
    down !== steps[index - 1].down &&
    atMs - steps[index - 1].atMs < COOL_DOWN_MS,
);
console.log(`${rounds} rounds, ${steps.length} switches, ${flaps.length} flaps.`);
console.log(
  `${replay.reproduced} decisions replayed, ${replay.difference === null ? 'all the same bit for bit' : `the decision in line ${replay.difference.line} differs`}; ${replay.unreadable.length} lines unreadable.`,
);
const sound =
  mai.exitCode === 0 &&
  steps.length >= 2 * rounds &&
  flaps.length === 0 &&
  replay.difference === null &&
  replay.unreadable.length === 0;
process.exitCode = sound ? 0 : 1;
if (sound) rmSync(home, { recursive: true, force: true });
else console.log(`The log is kept in ${folder}.`);

function rank(modelKey) {
  return ORDER.findIndex((tier) => modelKey.endsWith(`/${tier}`));
}

function findLog(root) {
  const found = readdirSync(root, { recursive: true }).find((name) =>
    name.endsWith('decisions.jsonl'),
  );
  if (found === undefined) throw new Error('There is no decision log.');
  return path.join(root, found);
}
