import { mkdir, mkdtemp, readdir, rename, rm, rmdir, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';

import { withRegistryLock } from './registry-lock.js';

const DEAD = `${hostname()} 999999999`;
let folder: string;
let lock: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-lock-'));
  lock = path.join(folder, 'hosts.lock');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test('waiting tasks take over the lock of a killed process, one at a time', async () => {
  for (let round = 0; round < 20; round += 1) {
    await writeFile(lock, DEAD);
    let running = 0;
    const tasks = Array.from({ length: 6 }, async (_, index) => {
      for (let turns = 0; turns < (index * 5 + round) % 11; turns += 1) await turn();
      return await withRegistryLock(folder, async () => {
        running += 1;
        const together = running;
        await turn();
        running -= 1;
        return together;
      });
    });
    expect(await Promise.all(tasks)).toEqual(tasks.map(() => 1));
  }
  expect(await readdir(folder)).toEqual([]);
});

test('the lock of a killed process that had the number of this process is removed', async () => {
  await writeFile(lock, `${hostname()} ${process.pid} of-the-process-before`);
  expect(await withRegistryLock(folder, () => Promise.resolve('done'))).toBe('done');
  expect(await readdir(folder)).toEqual([]);
});

test('a lock that cannot be removed fails no task, and is removed later', async () => {
  const aside = path.join(folder, 'aside');
  const done = await withRegistryLock(folder, async () => {
    // A folder in place of the lock can be neither read nor removed as a file.
    await rename(lock, aside);
    await mkdir(lock);
    return 'done';
  });
  expect(done).toBe('done');
  await rmdir(lock);
  await rename(aside, lock);
  while ((await readdir(folder)).length > 0) await sleep(20);
});

test('the empty lock of a process that was killed before it wrote its id is removed', async () => {
  const longAgo = new Date(Date.now() - 11_000);
  await writeFile(lock, '');
  await utimes(lock, longAgo, longAgo);
  expect(await withRegistryLock(folder, () => Promise.resolve('done'))).toBe('done');
  expect(await readdir(folder)).toEqual([]);
});

test('the guard of a process that was killed while it removed a lock is removed', async () => {
  const longAgo = new Date(Date.now() - 11_000);
  await writeFile(lock, DEAD);
  await writeFile(`${lock}.removing`, '');
  await utimes(`${lock}.removing`, longAgo, longAgo);
  expect(await withRegistryLock(folder, () => Promise.resolve('done'))).toBe('done');
  expect(await readdir(folder)).toEqual([]);
});

test('a folder that cannot be written is told at once', async () => {
  const file = path.join(folder, 'file');
  await writeFile(file, '');
  await expect(withRegistryLock(file, () => Promise.resolve())).rejects.toMatchObject({
    code: 'FILE_UNUSABLE',
    message: expect.stringContaining(path.join(file, 'hosts.lock')),
  });
});
