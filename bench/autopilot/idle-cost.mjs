// What `mai watch` costs while nothing happens, beside a bare Node process, both at the same time.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startSimulator } from '@mai/lmstudio-simulator';

const MAI = fileURLToPath(new URL('../../apps/cli/bin/mai.js', import.meta.url));
const MIB = 1024 * 1024;
const TICKS_PER_SECOND = 100;

/**
 * Shares of one core, and memory: `{ maiPercent, nodePercent, maiMib, nodeMib }`. Linux only: null
 * elsewhere, where no process tells of another what it has used.
 */
export async function measureIdleCost(seconds) {
  if (process.platform !== 'linux') return null;
  const home = mkdtempSync(path.join(os.tmpdir(), 'mai idle '));
  const config = path.join(home, 'models.yaml');
  const keys = ['idle/large', 'idle/medium', 'idle/small'];
  const models = keys.map((key) => ({
    ...{ key, category: key.slice(5), context_window: 4096, capabilities: ['chat'] },
  }));
  writeFileSync(
    config,
    JSON.stringify({
      ...{ version: 1, models, fallback_chains: { default: keys } },
      // Whatever this machine is busy with, nothing is switched.
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
  const node = start(['-e', 'setInterval(() => undefined, 1000)']);
  try {
    // Long enough for the load, and for what the engine compiles while it warms up.
    for (let waited = 0; simulator.residents().length === 0 && waited < 60; waited += 1) {
      await sleep(500);
    }
    if (simulator.residents().length === 0) throw new Error('mai watch has loaded nothing.');
    await sleep(15_000);
    const before = [mai, node].map(ticksOf);
    await sleep(seconds * 1000);
    const after = [mai, node].map(ticksOf);
    const [maiPercent, nodePercent] = after.map(
      (ticks, at) => (100 * (ticks - before[at])) / TICKS_PER_SECOND / seconds,
    );
    const [maiMib, nodeMib] = [mai, node].map(residentMib);
    return { maiPercent, nodePercent, maiMib, nodeMib };
  } finally {
    const ended = new Promise((resolve) => mai.once('exit', resolve));
    mai.kill('SIGINT');
    node.kill();
    await ended;
    await simulator.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

/** User and system time of a process with its children that have ended, in ticks. */
function ticksOf({ pid }) {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
}

function residentMib({ pid }) {
  const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(kib) / 1024;
}
