// Measures the cost of watching a machine, and the error of the forecast. Linux only. Build first (`npm run build`):
//   node bench/monitor/monitor.mjs [--seconds 60]
// The ways to watch run at the same time, each in a process of its own, beside a process that does the
// yardstick's fixed work once a second. 'Fake' is a program that prints the lines of nvidia-smi.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createResourceMonitor, openRecording } from '@mai/resource-monitor';
import { judge } from '../yardstick/report.mjs';
import { median, quantile } from '../yardstick/statistics.mjs';
import { takeTurns } from '../yardstick/take-turns.mjs';
import { rampRecording } from './ramps.mjs';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
const MIB = 1024 ** 2;
const [DELAY_ROUNDS, DELAY_PHASE_MS] = [5, 3000];
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
  const [idle, yardstick, mai, gpu, other, psutil] = await Promise.all([
    arm('idle', withoutGpu),
    arm('yardstick', withoutGpu),
    arm('mai', withoutGpu),
    arm('mai-gpu', { ...withoutGpu, PATH: `${fakeTool('fine')}:${withoutGpu.PATH}` }),
    arm('systeminformation', process.env),
    python === undefined
      ? null
      : run(python, [path.join(here, 'psutil_arm.py'), values.seconds], process.env),
  ]);
  const above = ({ ownPercent }) => ownPercent - idle.ownPercent;
  const heavier = ({ residentBytes }) => (residentBytes - idle.residentBytes) / MIB;
  console.log(
    `One sample a second for ${values.seconds} s, the use of an idle Node process is subtracted\n`,
  );
  console.log('                                   % of a core   children   MiB over idle');
  const row = (name, one) =>
    console.log(
      `${name.padEnd(34)}${above(one).toFixed(3).padStart(12)}${one.childPercent.toFixed(3).padStart(11)}${heavier(one).toFixed(1).padStart(16)}`,
    );
  row('a unit of fixed work a second', yardstick);
  row('monitor, no GPU', mai);
  row('monitor, fake nvidia-smi', gpu);
  row('systeminformation', other);
  if (psutil === null)
    console.log('psutil                            skipped: python3 has no psutil here');
  else
    console.log(
      `${"Python's psutil (not subtracted)".padEnd(34)}${psutil.ownPercent.toFixed(3).padStart(12)}${''.padStart(11)}${(psutil.residentBytes / MIB).toFixed(1).padStart(12)} all`,
    );
  const total = (one) => above(one) + one.childPercent;
  const unit = total(yardstick);
  console.log('');
  judge('CPU of a sample, in units of fixed work', total(mai) / unit, 1.5);
  judge(
    'CPU of a sample while nvidia-smi runs, without the CPU of nvidia-smi',
    above(gpu) / unit,
    2,
  );
  judge('CPU of a sample against systeminformation', total(mai) / total(other), 0.1);
  judge('MiB over an idle process', heavier(mai), 12);
}

async function timeSnapshots() {
  const monitor = createResourceMonitor({ env: withoutGpu });
  for (let i = 0; i < 200; i += 1) await monitor.snapshot();
  const [snapshot] = await takeTurns([{ run: () => monitor.snapshot() }], { rounds: 400 });
  await monitor[Symbol.asyncDispose]();
  console.log(
    `\nA warm snapshot: ${snapshot.medianMs.toFixed(3)} ms in the median, ${snapshot.p95Ms.toFixed(3)} ms at p95`,
  );
  judge('a warm snapshot, in units of fixed work', snapshot.ratio, 0.75);
}

async function hangingTool() {
  const monitor = createResourceMonitor({
    env: { ...withoutGpu, PATH: `${fakeTool('hangs')}:${withoutGpu.PATH}` },
  });
  const watch = async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), DELAY_PHASE_MS);
    try {
      for await (const snapshot of monitor.watch({ intervalMs: 250, signal: stop.signal }))
        void snapshot;
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
  };
  const phases = [];
  for (let round = 0; round < DELAY_ROUNDS; round += 1) {
    const idleMs = await loopDelayP99(() => sleep(DELAY_PHASE_MS));
    const hangsMs = await loopDelayP99(watch);
    phases.push({ idleMs, hangsMs, ratio: hangsMs / idleMs });
  }
  await monitor[Symbol.asyncDispose]();
  const middle = (key) => median(phases.map((one) => one[key]));
  console.log(
    `Period of a 1 ms timer at p99: ${middle('hangsMs').toFixed(2)} ms while nvidia-smi hangs and four samples a second are taken, ${middle('idleMs').toFixed(2)} ms idle`,
  );
  judge('the timer period while nvidia-smi hangs, against idle', middle('ratio'), 2);
}

async function loopDelayP99(work) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await work();
  delay.disable();
  return delay.percentile(99) / 1e6;
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
  console.log(
    `\nForecast of the time to a limit on 200 noisy ramps of five minutes: at p90 off by ${(quantile(errors, 0.9) * 100).toFixed(1)} %; inside its interval ${((inside / 200) * 100).toFixed(0)} %`,
  );
  judge('the median error of the forecast', median(errors), 0.1);
}

/** Writes an `nvidia-smi` that runs the fake program in a mode, and returns its folder. */
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
