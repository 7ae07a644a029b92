// Measures the CPU and memory use of `mai watch` while nothing happens. For comparison, two processes run at
// the same time: bare Node, and a process that does the yardstick's fixed work once a second.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startSimulator } from '@mai/lmstudio-simulator';
import { cpuSecondsOf, residentBytesOf } from '../../yardstick/process-load.mjs';

const MAI = fileURLToPath(new URL('../../../apps/cli/bin/mai.js', import.meta.url));
const MIB = 1024 * 1024;
const WARM_UP_MS = 15_000;
const FIXED_WORK = new URL('../../yardstick/fixed-work.mjs', import.meta.url).href;
const YARDSTICK = `import(${JSON.stringify(FIXED_WORK)}).then(({ fixedWork, warmUpFixedWork }) => {
  warmUpFixedWork();
  setInterval(fixedWork, 1000);
});`;

/**
 * For `mai`, `bare` and `yardstick`: `coreRatio`, the share of one core, and `residentBytes`. Also
 * `requestsPerMinute`: messages to LM Studio per minute. Null on systems other than Linux, because they do not
 * show a process the CPU time of another process.
 */
export async function measureIdleCost(seconds) {
  if (process.platform !== 'linux') return null;
  const home = mkdtempSync(path.join(os.tmpdir(), 'mai idle '));
  const config = path.join(home, 'models.yaml');
  const keys = ['idle/large', 'idle/medium', 'idle/small'];
  const models = keys.map((key) => ({
    key,
    category: key.slice(5),
    context_window: 4096,
    capabilities: ['chat'],
  }));
  writeFileSync(
    config,
    JSON.stringify({
      version: 1,
      models,
      fallback_chains: { default: keys },
      // The limits are high, so that a busy machine causes no switch.
      switching: { memory_percent: 97, hard_limit_percent: 99, unified_hard_limit_percent: 99 },
    }),
  );
  const simulator = await startSimulator({
    speed: 1000,
    world: {
      machine: { ramBytes: os.totalmem(), othersRamBytes: 0, gpus: [] },
      models: keys.map((modelKey, at) => ({ modelKey, sizeBytes: (96 >> at) * MIB })),
      guardrails: { mode: 'off' },
    },
  });
  const env = { ...process.env, HOME: home, XDG_DATA_HOME: home, XDG_CACHE_HOME: home };
  const start = (argv) => spawn(process.execPath, argv, { env, stdio: 'ignore' });
  const mai = start([MAI, 'watch', '--url', simulator.httpUrl, '--config', config]);
  const bare = start(['-e', 'setInterval(() => undefined, 1000)']);
  const yardstick = start(['-e', YARDSTICK]);
  const processes = { mai, bare, yardstick };
  try {
    for (let waited = 0; simulator.residents().length === 0 && waited < 60; waited += 1) {
      await sleep(500);
    }
    if (simulator.residents().length === 0) throw new Error('mai watch has loaded nothing.');
    // After this wait the model is loaded and the code is compiled.
    await sleep(WARM_UP_MS);
    const cpuSeconds = () => Object.values(processes).map(({ pid }) => cpuSecondsOf(pid));
    const before = cpuSeconds();
    const requestsBefore = simulator.requests.length;
    const startedMs = performance.now();
    await sleep(seconds * 1000);
    const elapsedS = (performance.now() - startedMs) / 1000;
    const after = cpuSeconds();
    const figures = Object.entries(processes).map(([name, { pid }], index) => [
      name,
      {
        coreRatio: (after[index] - before[index]) / elapsedS,
        residentBytes: residentBytesOf(pid),
      },
    ]);
    const requests = simulator.requests.length - requestsBefore;
    return { ...Object.fromEntries(figures), requestsPerMinute: (60 * requests) / elapsedS };
  } finally {
    const ended = new Promise((resolve) => mai.once('exit', resolve));
    mai.kill('SIGINT');
    bare.kill();
    yardstick.kill();
    await ended;
    await simulator.stop();
    rmSync(home, { recursive: true, force: true });
  }
}
