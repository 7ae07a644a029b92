import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { addKey, readKeyFile, removeKey } from './key-file.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-keys-'));
  file = path.join(folder, 'sub', 'keys.json');
});
afterEach(() => rm(folder, { recursive: true }));

test('a key has 256 random bits, and its text is stored nowhere', async () => {
  const key = await addKey(file, { name: 'laptop', scopes: ['inference'] }, 7);
  expect(key).toMatch(/^mai-[\w-]{43}$/);
  const text = await readFile(file, 'utf8');
  expect(text).not.toContain(key.slice(4));
  expect(JSON.parse(text).keys).toEqual([
    {
      name: 'laptop',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      scopes: ['inference'],
      priority: 0,
      createdMs: 7,
    },
  ]);
});

test('only this user may read the file, and nothing else is left in its folder', async () => {
  await addKey(file, { name: 'one', scopes: ['read'] }, 1);
  await addKey(file, { name: 'two', scopes: ['read'] }, 2);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(path.dirname(file))).toEqual(['keys.json']);
});

test('a file that others may read is refused', async () => {
  await addKey(file, { name: 'one', scopes: ['read'] }, 1);
  await chmod(file, 0o640);
  await expect(readKeyFile(file)).rejects.toMatchObject({
    code: 'FILE_UNUSABLE',
    message: expect.stringContaining('chmod 600'),
  });
});

test('where the file cannot be written, the error names the reason of the system', async () => {
  // A file name has 255 bytes at most, so the longer name of the draft is refused.
  const long = path.join(folder, `${'k'.repeat(245)}.json`);
  await expect(addKey(long, { name: 'one', scopes: ['read'] }, 1)).rejects.toMatchObject({
    code: 'FILE_UNUSABLE',
    message: expect.stringMatching(/cannot be written: ENAMETOOLONG.*Check its permissions/),
    cause: { code: 'ENAMETOOLONG' },
  });
});

test.each([
  ['{', 'broken JSON'],
  ['[]', 'a list'],
  [
    '{"version":1,"keys":[{"name":"a","sha256":"plain","scopes":["read"],"priority":0,"createdMs":1}]}',
    'no hash',
  ],
  ['{"version":1,"keys":[],"__proto__":{"admin":true}}', 'a prototype key'],
  ['{"version":2,"keys":[]}', 'another version'],
])('a file with %j (%s) is refused', async (text) => {
  const odd = path.join(folder, 'odd.json');
  await writeFile(odd, text, { mode: 0o600 });
  await expect(readKeyFile(odd)).rejects.toMatchObject({ code: 'FILE_UNUSABLE' });
});

test.each(['', 'a'.repeat(65), 'a\nb', 'a\r\nset-cookie: x', '<b>', '../x'])(
  'the name %j is refused',
  async (name) => {
    await expect(addKey(file, { name, scopes: ['read'] }, 1)).rejects.toMatchObject({
      code: 'KEY_INVALID',
    });
  },
);

test('a name is taken once, and is free again after its key was removed', async () => {
  await addKey(file, { name: 'one', scopes: ['read'] }, 1);
  await expect(addKey(file, { name: 'one', scopes: ['read'] }, 1)).rejects.toMatchObject({
    code: 'KEY_INVALID',
  });
  expect(await removeKey(file, 'one')).toBe(true);
  expect(await removeKey(file, 'one')).toBe(false);
  await expect(addKey(file, { name: 'one', scopes: ['read'] }, 1)).resolves.toMatch(/^mai-/);
});
