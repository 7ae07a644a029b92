// What watching a machine costs, and how good its forecast is. Linux; build first (`npm run build`):
//   node bench/monitor/monitor.mjs [--seconds 60]
// The arms run at the same time, each in a process of its own, beside a fake nvidia-smi where one is named.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createResourceMonitor, openRecording } from '@mai/resource-monitor';
import { rampRecording } from './ramps.mjs';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
const MIB = 1024 ** 2;
const here = path.dirname(fileURLToPath(import.meta.url));
const fake = path.join(here, '../../packages/resource-monitor/test/fake-nvidia-smi.mjs');
const folder = mkdtempSync(path.join(tmpdir(), 'mai monitor bench '));
const withoutGpu = { ...process.env, PATH: path.dirname(process.execPath) };

try {
  await compareArms();
  await timeSnapshots();
  await hangingTool();
  await forecasts();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function compareArms() {
  const arm = (name, env) =>
    run(process.execPath, [path.join(here, 'arms.mjs'), name, values.seconds], env);
  const python = ['/usr/bin/python3', 'python3'].find(
    (program) => spawnSync(program, ['-c', 'import psutil']).status === 0,
  );
  const [idle, mai, gpu, other, psutil] = await Promise.all([
    arm('idle', withoutGpu),
    arm('mai', withoutGpu),
    arm('mai-gpu', { ...withoutGpu, PATH: `${fakeTool('fine')}:${withoutGpu.PATH}` }),
    arm('systeminformation', process.env),
    python === undefined
      ? null
      : run(python, [path.join(here, 'psutil_arm.py'), values.seconds], process.env),
  ]);
  const above = ({ ownPercent }) => ownPercent - idle.ownPercent;
  const heavier = ({ residentBytes }) => (residentBytes - idle.residentBytes) / MIB;
  console.log(`One sample a second for ${values.seconds} s, above an idle Node process\n`);
  console.log('                                   % of a core   children   MiB over idle');
  const row = (name, one) =>
    console.log(
      `${name.padEnd(34)}${above(one).toFixed(3).padStart(12)}${one.childPercent.toFixed(3).padStart(11)}${heavier(one).toFixed(1).padStart(16)}`,
    );
  row('monitor, no GPU', mai);
  row('monitor, fake nvidia-smi', gpu);
  row('systeminformation', other);
  if (psutil === null)
    console.log('psutil                            skipped: python3 has no psutil here');
  else
    console.log(
      `${"Python's psutil (of its own)".padEnd(34)}${psutil.ownPercent.toFixed(3).padStart(12)}${''.padStart(11)}${(psutil.residentBytes / MIB).toFixed(1).padStart(12)} all`,
    );
  const total = (one) => above(one) + one.childPercent;
  console.log(
    `\nTargets: at most 0.3 % without a GPU child, 0.6 % with one, 12 MiB. systeminformation takes ${(total(other) / total(mai)).toFixed(1)} times the CPU of the monitor, both without a GPU tool (target: 10 times).`,
  );
}

async function timeSnapshots() {
  const monitor = createResourceMonitor({ env: withoutGpu });
  for (let i = 0; i < 200; i += 1) await monitor.snapshot();
  const times = [];
  for (let i = 0; i < 2000; i += 1) {
    const startedMs = performance.now();
    await monitor.snapshot();
    times.push(performance.now() - startedMs);
  }
  await monitor[Symbol.asyncDispose]();
  times.sort((a, b) => a - b);
  console.log(
    `\nA warm snapshot: median ${times[1000].toFixed(3)} ms, p99 ${times[1980].toFixed(3)} ms (target: median under 1 ms)`,
  );
}

async function hangingTool() {
  const resolution = 1;
  const delayOf = async (work) => {
    const delay = monitorEventLoopDelay({ resolution });
    delay.enable();
    await work();
    delay.disable();
    // The histogram counts the timer's own period, too.
    return Math.max(0, delay.percentile(99) / 1e6 - resolution);
  };
  const idleMs = await delayOf(() => sleep(8000));
  const monitor = createResourceMonitor({
    env: { ...withoutGpu, PATH: `${fakeTool('hangs')}:${withoutGpu.PATH}` },
  });
  const stop = new AbortController();
  const hangsMs = await delayOf(async () => {
    setTimeout(() => stop.abort(), 8000);
    try {
      for await (const snapshot of monitor.watch({ intervalMs: 250, signal: stop.signal }))
        void snapshot;
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
  });
  await monitor[Symbol.asyncDispose]();
  console.log(
    `Event loop delay while nvidia-smi hangs, four samples a second: p99 ${hangsMs.toFixed(2)} ms, idle ${idleMs.toFixed(2)} ms (target: under 2 ms)`,
  );
}

async function forecasts() {
  const errors = [];
  let inside = 0;
  for (let seed = 1; seed <= 200; seed += 1) {
    const file = path.join(folder, 'ramp.jsonl');
    const { text, secondsToLimit, limitRatio } = rampRecording(seed);
    writeFileSync(file, text);
    const recording = await openRecording(file, { speed: Infinity });
    for await (const snapshot of recording.watch()) void snapshot;
    const { timeToLimitMs, timeToLimitInterval } = recording.trend({ series: 'ram', limitRatio });
    errors.push(timeToLimitMs === null ? 1 : Math.abs(timeToLimitMs / 1000 / secondsToLimit - 1));
    const { lowMs = Infinity, highMs = 0 } = timeToLimitInterval ?? {};
    if (lowMs <= secondsToLimit * 1000 && (highMs ?? Infinity) >= secondsToLimit * 1000)
      inside += 1;
    await recording[Symbol.asyncDispose]();
  }
  errors.sort((a, b) => a - b);
  console.log(
    `Forecast of the time to a limit on 200 noisy ramps of five minutes: off by ${(errors[100] * 100).toFixed(1)} % in the median (target 10 %), ${(errors[180] * 100).toFixed(1)} % at p90; inside its interval ${((inside / 200) * 100).toFixed(0)} %`,
  );
}

/** A folder with an `nvidia-smi` that plays a mode of the fake one. */
function fakeTool(mode) {
  const bin = mkdtempSync(path.join(folder, `${mode} `));
  const script = `#!/bin/sh\nexec '${process.execPath}' '${fake}' '${mode}' 1 '${path.join(bin, 'state')}' "$@"\n`;
  writeFileSync(path.join(bin, 'nvidia-smi'), script);
  chmodSync(path.join(bin, 'nvidia-smi'), 0o755);
  return bin;
}

function run(program, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.once('exit', (code) =>
      code === 0 ? resolve(JSON.parse(output)) : reject(new Error(`${args[0]} ended with ${code}`)),
    );
  });
}
