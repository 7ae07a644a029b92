import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { replaceFile } from './replace-file.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-replace-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('the new text takes the place of the old one, and no draft is left', async () => {
  const file = path.join(folder, 'a.json');
  await replaceFile(file, 'old');
  await replaceFile(file, 'new');
  expect(await readFile(file, 'utf8')).toBe('new');
  expect(await readdir(folder)).toEqual(['a.json']);
});

test('a draft is removed where the file cannot be replaced', async () => {
  // A file does not take the place of a folder.
  await expect(replaceFile(folder, 'text')).rejects.toMatchObject({ syscall: 'rename' });
  expect((await stat(folder)).isDirectory()).toBe(true);
  const beside = await readdir(path.dirname(folder));
  expect(beside.filter((name) => name.startsWith(`${path.basename(folder)}.`))).toEqual([]);
});

test('where the draft cannot be removed, the error is still the one of the write', async () => {
  // The part before is a file and not a folder, so the write and the removal of the draft fail.
  const file = path.join(folder, 'a.json');
  await replaceFile(file, 'text');
  await expect(replaceFile(path.join(file, 'b.json'), 'text')).rejects.toMatchObject({
    syscall: 'open',
  });
});
