import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import type { RuntimeLink } from '../runtime/connect-runtime.js';
import { openMonitor } from '../machine/open-monitor.js';
import { BUSY_CPU_RATIO, readOthersCpu } from './others-cpu.js';

const LOCAL = { kind: 'on', runtime: 'embedded', client: { host: { isLocal: true } } };
const REMOTE = { kind: 'on', runtime: 'lmstudio', client: { host: { isLocal: false } } };
const linkOf = (link: object): RuntimeLink => link as RuntimeLink;
const { signal } = new AbortController();

const monitorHere = () => openMonitor({ monitor: null, env: {}, platform: process.platform });

test('programs that use all cores are seen', async () => {
  await using monitor = monitorHere();
  const programs = Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ['-e', 'console.log("runs"); for (;;);'], { stdio: 'pipe' }),
  );
  try {
    await Promise.all(programs.map(({ stdout }) => once(stdout, 'data')));
    const ratio = await readOthersCpu(monitor.port, linkOf(LOCAL), signal);
    expect(ratio).toBeGreaterThan(BUSY_CPU_RATIO);
    expect(ratio).toBeLessThanOrEqual(1);
  } finally {
    for (const program of programs) program.kill('SIGKILL');
  }
});

test.each([
  ['a runtime on another machine', linkOf(REMOTE)],
  ['a runtime that is off', linkOf({ kind: 'off' })],
])('the load of this machine says nothing about %s', async (_, link) => {
  await using monitor = monitorHere();
  expect(await readOthersCpu(monitor.port, link, signal)).toBeNull();
});

test('a load that cannot be read is not known', async () => {
  const port = { readRam: null, settled: null, snapshot: () => Promise.reject(new Error('no')) };
  expect(await readOthersCpu(port, linkOf(LOCAL), signal)).toBeNull();
});
