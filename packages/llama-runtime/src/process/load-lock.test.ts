import { access, mkdir, mkdtemp, rename, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lockLoads } from './load-lock.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a lock that cannot be removed fails no load, and this process takes it again later', async () => {
  const { signal } = new AbortController();
  const [lock, aside] = [path.join(folder, 'loading.lock'), path.join(folder, 'aside')];
  const unlock = await lockLoads(folder, signal);
  // A folder in place of the lock can be neither read nor removed as a file.
  await rename(lock, aside);
  await mkdir(lock);
  await unlock();
  await rmdir(lock);
  await rename(aside, lock);
  const again = await lockLoads(folder, AbortSignal.timeout(10_000));
  await again();
});

test('a lock that cannot be removed is removed later, without a further load of this process', async () => {
  const [lock, aside] = [path.join(folder, 'loading.lock'), path.join(folder, 'aside')];
  const unlock = await lockLoads(folder, new AbortController().signal);
  await rename(lock, aside);
  await mkdir(lock);
  await unlock();
  await rmdir(lock);
  await rename(aside, lock);
  const signal = AbortSignal.timeout(10_000);
  while (await exists(lock)) await delay(20, undefined, { signal });
});

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
