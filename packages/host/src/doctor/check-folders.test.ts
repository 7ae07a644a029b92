import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { checkFolders } from './check-folders.js';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'mai-data-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

const checkBoth = (data: string, cache: string) =>
  checkFolders({ folders: { config: '', cache, data } });
const check = async (data: string) => (await checkBoth(data, folder))[0];

test('a folder that does not exist yet is judged by the one above it, and is not made', async () => {
  expect(await check(path.join(folder, 'a', 'b'))).toMatchObject({
    name: 'Data folder',
    state: 'ok',
    message: expect.stringMatching(/a.b, [\d.,]+ [KMGT]iB free on its disk\.$/),
  });
  expect(await readdir(folder)).toEqual([]);
});

test('a place where nothing can be written is a fault with the next step', async () => {
  const file = path.join(folder, 'file');
  await writeFile(file, '');
  const found = await check(path.join(file, 'mai'));
  expect(found).toMatchObject({ state: 'fault', mend: expect.stringContaining('XDG_DATA_HOME') });
  expect(found?.message).toContain('cannot be written');
});

test('a cache that cannot be written is a warning, because Mai only starts more slowly', async () => {
  const file = path.join(folder, 'file');
  await writeFile(file, '');
  expect(await checkBoth(folder, path.join(file, 'mai'))).toMatchObject([
    { name: 'Data folder', state: 'ok' },
    {
      name: 'Cache folder',
      state: 'warning',
      message: expect.stringMatching(/cannot be written: .* read again at each start\.$/),
      mend: expect.stringContaining('XDG_CACHE_HOME'),
    },
  ]);
});

// The kernel's own read-only file system; root may write everywhere else.
(process.platform === 'linux' ? test : test.skip)('a read-only disk is a fault', async () => {
  expect(await checkBoth('/proc/mai', '/proc/mai')).toMatchObject([
    { state: 'fault' },
    { state: 'warning' },
  ]);
});
