import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { WatchWorld } from '../test/watch-world.js';
import { environmentOf, openWatchWorld } from '../test/watch-world.js';
import { MAI, requireBuild } from '../test/built-program.js';

// The built program in its own processes: `npm test` builds before it tests.

jest.setTimeout(60_000);

let world: WatchWorld;
beforeAll(requireBuild);
beforeEach(async () => {
  world = await openWatchWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const options = () => ({
  cwd: world.folder,
  env: environmentOf(world),
});

/** Asynchronous, because the simulator in this process has to answer the program. */
async function mai(...argv: string[]) {
  const child = spawn(process.execPath, [MAI, ...argv], options());
  const written = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (written.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (written.stderr += chunk.toString()));
  const status = await new Promise((resolve) => child.once('close', resolve));
  return { status, ...written };
}

function watch() {
  const child = spawn(process.execPath, [MAI, 'watch', '--interval', '20ms'], options());
  let output = '';
  const readers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      for (const read of readers) read();
    });
  }
  const ended = new Promise<{ exitCode: number | null; output: string }>((resolve) => {
    child.once('close', (exitCode) => resolve({ exitCode, output }));
  });
  const said = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const read = () => output.includes(text) && resolve();
      readers.add(read);
      void ended.then(() => reject(new Error(`It ended: ${output}`)));
      read();
    });
  return { child, ended, said };
}

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends `mai watch` with 0, unloads its own models and leaves nothing running',
  async (signal) => {
    const { child, ended, said } = watch();
    await said('"switch-finished"');
    expect(world.residents()).toEqual(['mai/test/large']);
    child.kill(signal);
    const { exitCode, output } = await ended;
    expect(exitCode).toBe(0);
    expect(output).toMatch(/"type":"stopped".*\n$/);
    expect(world.residents()).toEqual([]);
    expect(world.simulator.connections()).toBe(0);
  },
);

test('a closed pipe ends `mai watch` like Ctrl-C', async () => {
  const { child, ended, said } = watch();
  await said('"switch-finished"');
  child.stdout.destroy();
  // A closed pipe is noticed at the next line, and a yield causes a line.
  await mai('yield', '1MiB');
  const { exitCode, output } = await ended;
  expect(exitCode).toBe(0);
  expect(output).not.toMatch(/EPIPE|error:/);
  expect(world.residents()).toEqual([]);
});

// Only Linux has /dev/full.
(process.platform === 'linux' ? test : test.skip)(
  'on a full disk `mai watch` ends with 11 and leaves nothing loaded',
  async () => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [MAI, 'watch'], {
      ...options(),
      stdio: ['ignore', full, 'pipe'],
    });
    let told = '';
    child.stderr?.on('data', (chunk: Buffer) => (told += chunk.toString()));
    const exitCode = await new Promise((resolve) => child.once('close', resolve));
    closeSync(full);
    expect(told).toMatch(/^error: The output cannot be written \(OUTPUT_FAILED, ENOSPC\)\..*\n$/);
    expect(exitCode).toBe(11);
    expect(world.residents()).toEqual([]);
  },
);

test('SIGINT during a load leaves nothing half loaded', async () => {
  world.simulator.fault.stallLoad({ atProgress: 0.3 });
  const { child, ended } = watch();
  await world.simulator.seen('loadModel');
  child.kill('SIGINT');
  expect((await ended).exitCode).toBe(0);
  expect(world.residents()).toEqual([]);
});

test('a second `mai watch` reports the first and ends, and other commands reach the first', async () => {
  const { child, ended, said } = watch();
  await said('"switch-finished"');
  const second = await mai('watch');
  expect(second.stderr).toContain(`process ${String(child.pid)} on `);
  expect([second.status, second.stdout]).toEqual([8, '']);
  const seen = `The running autopilot (process ${String(child.pid)}) has read the change.\n`;
  expect(await mai('pin', 'test/large')).toMatchObject({ status: 0, stderr: seen });
  expect(await mai('yield', '64MiB')).toMatchObject({ status: 0, stderr: seen });
  expect(await mai('yield', '--release')).toMatchObject({ status: 0, stderr: seen });
  expect(await mai('unpin', 'test/large')).toMatchObject({ status: 0, stderr: seen });
  child.kill('SIGKILL');
  await ended;
  // After the kill, the next process adopts the models, and no autopilot counts as running.
  expect((await mai('pin', 'test/large')).stderr).toMatch(
    /^Neither `mai serve` nor `mai watch` is running/,
  );
  const next = watch();
  await next.said('"decision":"keep"');
  next.child.kill('SIGINT');
  expect((await next.ended).exitCode).toBe(0);
});
