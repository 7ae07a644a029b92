import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeNoiseModels } from './write-noise-models.js';

const MIB = 2 ** 20;
let home: string;
beforeEach(() => (home = mkdtempSync(path.join(tmpdir(), 'mai noise '))));
afterEach(() => rmSync(home, { recursive: true }));

test('the files have the wanted sizes within a tenth, and go with the object', async () => {
  const progress: number[] = [];
  const models = await writeNoiseModels({
    sizesBytes: [8 * MIB, 16 * MIB],
    folders: [path.join(home, 'new', 'folder')],
    onProgress: (ratio) => progress.push(ratio),
  });
  if (models === null) throw new Error('This disk is full.');
  expect(models.modelKeys).toEqual(['noise-8m', 'noise-16m']);
  const sizes = ['noise-8m.gguf', 'noise-16m.gguf'].map(
    (name) => statSync(path.join(models.folder, name)).size / MIB,
  );
  expect(Math.abs((sizes[0] ?? 0) - 8)).toBeLessThan(0.8);
  expect(Math.abs((sizes[1] ?? 0) - 16)).toBeLessThan(1.6);
  expect(progress).toEqual([8 / 24, 1]);
  await models[Symbol.asyncDispose]();
  expect(existsSync(models.folder)).toBe(false);
});

test('a folder that is a file, or lacks the space, is passed over', async () => {
  const file = path.join(home, 'file');
  writeFileSync(file, '');
  expect(await writeNoiseModels({ sizesBytes: [2 ** 60], folders: [home] })).toBeNull();
  const models = await writeNoiseModels({ sizesBytes: [8 * MIB], folders: [file, home] });
  expect(path.dirname(models?.folder ?? '')).toBe(home);
});

const shared = '/dev/shm';
(existsSync(shared) ? test : test.skip)('a folder in memory is passed over', async () => {
  expect(await writeNoiseModels({ sizesBytes: [8 * MIB], folders: [shared] })).toBeNull();
});

test('a cancelled call rejects with the reason, and leaves no file', async () => {
  const cancelled = new AbortController();
  const writing = writeNoiseModels(
    {
      sizesBytes: [8 * MIB, 8 * MIB],
      folders: [home],
      onProgress: () => cancelled.abort(new Error('Enough.')),
    },
    { signal: cancelled.signal },
  );
  await expect(writing).rejects.toThrow('Enough.');
  expect(readdirSync(home)).toEqual([]);
});
