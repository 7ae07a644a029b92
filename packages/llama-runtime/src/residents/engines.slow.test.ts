import { spawn } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { caught, fakeWorld, pidsOf } from '../../test/fake-world.js';
import { enginePids, runs, until } from '../../test/processes.js';
import { findProcess } from '../process/system/process-identity.js';

/** The name and the text of the record of an engine that has ended since. */
async function recordOfEnded(
  world: Awaited<ReturnType<typeof fakeWorld>>,
): Promise<{ readonly name: string; readonly text: string }> {
  await world.write('model.gguf');
  const runtime = await world.open();
  await runtime.load({ modelKey: 'model' });
  const [name = ''] = await readdir(world.state);
  const text = await readFile(path.join(world.state, name), 'utf8');
  await runtime.close();
  return { name, text };
}

test('two runtimes see each other’s residents, and either can unload them', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf');
  await using one = await world.open();
  await using other = await world.open();
  const { instance } = await one.load({ modelKey: 'model', identifier: 'mine', ttlMs: 60_000 });
  expect(await other.listResidents()).toEqual([instance]);
  expect(await other.addressOf('mine')).toEqual(await one.addressOf('mine'));
  expect(await pidsOf(other)).toEqual(await pidsOf(one));
  expect((await other.load({ modelKey: 'model' })).reused).toBe(true);
  const [pid = 0] = await pidsOf(one);
  await other.unload('mine');
  expect(await runs(pid)).toBe(false);
  expect(await one.listResidents()).toEqual([]);
  expect(await readdir(world.state)).toEqual([]);
});

test('the record of an engine is readable by this user only', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf');
  await using runtime = await world.open();
  await runtime.load({ modelKey: 'model' });
  const [name = ''] = await readdir(world.state);
  const { mode } = await stat(path.join(world.state, name));
  expect((mode & 0o777).toString(8)).toBe('600');
  expect((await stat(world.state)).mode & 0o077).toBe(0);
});

test('records of processes that are gone, or whose number another process has, are removed', async () => {
  await using world = await fakeWorld();
  const { name, text } = await recordOfEnded(world);
  const record: object = JSON.parse(text);
  // The number of a process that is gone; this process's number with another start time; a damaged file.
  await writeFile(path.join(world.state, name), text);
  await writeFile(
    path.join(world.state, `${process.pid}.json`),
    JSON.stringify({ ...record, pid: process.pid }),
  );
  await writeFile(path.join(world.state, '4194305.json'), '{"version":');
  await using runtime = await world.open();
  expect(await runtime.listResidents()).toEqual([]);
  expect(await readdir(world.state)).toEqual([]);
});

test('an engine that refuses connections is no resident, although its process has not ended yet', async () => {
  await using world = await fakeWorld();
  const { text } = await recordOfEnded(world);
  const ending = spawn(process.execPath, ['-e', 'setTimeout(() => undefined, 500)']);
  const pid = ending.pid ?? 0;
  const startTime = (await findProcess(pid))?.startTime;
  const record: object = JSON.parse(text);
  await writeFile(
    path.join(world.state, `${pid}.json`),
    JSON.stringify({ ...record, pid, startTime }),
  );
  await using runtime = await world.open();
  expect(await runtime.listResidents()).toEqual([]);
});

test('an engine that does not answer counts as busy', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf', { silentState: true });
  await using runtime = await world.open();
  await runtime.load({ modelKey: 'model' });
  expect(await runtime.listResidents()).toMatchObject([
    { activity: 'processing-prompt', queued: 1, lastUsedAtMs: null },
  ]);
});

test.each(['own', 'foreign'] as const)(
  'an %s engine that is stopped or ignores signals is unloaded, too',
  async (whose) => {
    await using world = await fakeWorld();
    await world.write('stopped.gguf');
    await world.write('deaf.gguf', { hangOnStop: true });
    await using runtime = await world.open();
    await runtime.load({ modelKey: 'stopped' });
    await runtime.load({ modelKey: 'deaf' });
    await using other = await world.open();
    const from = whose === 'own' ? runtime : other;
    const pids = await pidsOf(runtime);
    process.kill(pids[0] ?? 0, 'SIGSTOP');
    await from.unload('stopped');
    await from.unload('deaf');
    expect(await Promise.all(pids.map(runs))).toEqual([false, false]);
    expect(await from.listResidents()).toEqual([]);
  },
);

test('an unknown identifier is INSTANCE_NOT_FOUND with suggestions', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf');
  await using runtime = await world.open();
  await runtime.load({ modelKey: 'model' });
  for (const call of [runtime.unload('modle'), runtime.addressOf('modle')]) {
    expect(await caught(call)).toMatchObject({
      code: 'INSTANCE_NOT_FOUND',
      suggestions: ['model'],
      message: expect.stringContaining('Loaded: model.'),
    });
  }
});

test('an idle instance is unloaded after its TTL', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf');
  await using runtime = await world.open();
  await runtime.load({ modelKey: 'model', ttlMs: 300 });
  expect(await runtime.listResidents()).toHaveLength(1);
  await until('the engine is gone', async () => (await enginePids()).length === 0, 3000);
  expect(await runtime.listResidents()).toEqual([]);
});

test('close ends the engines and the loads, and later calls are CLOSED', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf');
  await world.write('stalls.gguf', { stallAt: 0.5 });
  const runtime = await world.open();
  await runtime.load({ modelKey: 'model' });
  let loading: Promise<unknown> = Promise.resolve();
  await new Promise<void>((resolve) => {
    const onProgress = (): void => resolve();
    loading = caught(runtime.load({ modelKey: 'stalls', onProgress }));
  });
  await runtime.close();
  expect(await loading).toMatchObject({ code: 'CLOSED' });
  expect(await enginePids()).toEqual([]);
  expect(await readdir(world.state)).toEqual([]);
  for (const call of [runtime.listResidents(), runtime.load({ modelKey: 'model' })]) {
    expect(await caught(call)).toMatchObject({ code: 'CLOSED' });
  }
});

test('a request that the engine refuses is REQUEST_FAILED with its message', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf');
  await using runtime = await world.open();
  await runtime.load({ modelKey: 'model' });
  const request = { instanceIdentifier: 'model', prompt: 'hi' };
  expect(await caught(runtime.generate(request))).toMatchObject({
    code: 'REQUEST_FAILED',
    serverMessage: 'the fake engine answers nothing',
  });
});

test('an engine that is killed is reported at once, with how it ended', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf');
  await using runtime = await world.open();
  const told: unknown[] = [];
  const stopListening = runtime.onEnded((ended) => told.push(ended));
  await runtime.load({ modelKey: 'model', identifier: 'one' });
  const [pid = 0] = await pidsOf(runtime);
  process.kill(pid, 'SIGKILL');
  await until('the end is reported', () => told.length > 0);
  expect(told).toEqual([
    { instanceIdentifier: 'one', modelKey: 'model', how: 'signal SIGKILL', crashed: true },
  ]);
  expect(await runtime.listResidents()).toEqual([]);
  stopListening();
  await runtime.load({ modelKey: 'model', identifier: 'two' });
  const [second = 0] = await pidsOf(runtime);
  process.kill(second, 'SIGKILL');
  await until('the engine is gone', async () => !(await runs(second)));
  expect(await runtime.listResidents()).toEqual([]);
  expect(told).toHaveLength(1);
});

test('only an end that this runtime has not asked for is reported', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf');
  const runtime = await world.open();
  await using other = await world.open();
  const told: unknown[] = [];
  runtime.onEnded((ended) => told.push(ended));
  await runtime.load({ modelKey: 'model' });
  await runtime.unload('model');
  await runtime.load({ modelKey: 'model', ttlMs: 100 });
  await until('the idle engine is gone', async () => (await enginePids()).length === 0);
  expect(told).toEqual([]);
  await runtime.load({ modelKey: 'model' });
  await other.listResidents();
  await other.unload('model');
  await until('the unload by another process is reported', () => told.length > 0);
  expect(told).toEqual([
    { instanceIdentifier: 'model', modelKey: 'model', how: 'code 0', crashed: false },
  ]);
  await runtime.load({ modelKey: 'model' });
  await runtime.close();
  expect(told).toHaveLength(1);
});
