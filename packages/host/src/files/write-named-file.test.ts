import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeNamedFile } from './write-named-file.js';

const isRoot = process.getuid?.() === 0;
const onPosix = process.platform === 'win32' ? test.skip : test;

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-named-'));
  file = path.join(folder, 'models.yaml');
});
afterEach(async () => {
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true });
});

test('a new file is written, and an existing one only where it may be replaced', async () => {
  await writeNamedFile(file, 'old', false);
  await expect(writeNamedFile(file, 'new', false)).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
    message: `${file} exists already. Add --force to replace it, or name another file.`,
  });
  expect(await readFile(file, 'utf8')).toBe('old');
  await writeNamedFile(file, 'new', true);
  expect(await readFile(file, 'utf8')).toBe('new');
  expect(await readdir(folder)).toEqual(['models.yaml']);
});

test.each([false, true])(
  'a folder that is a file is named, replaced or not (%s)',
  async (replace) => {
    await writeFile(file, '');
    const below = path.join(file, 'models.yaml');
    await expect(writeNamedFile(below, 'text', replace)).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      message: `${below} cannot be written (EEXIST). Name another place.`,
    });
  },
);

onPosix('a file that is replaced keeps its permissions, and a link stays a link', async () => {
  const target = path.join(folder, 'shared.yaml');
  await writeFile(target, 'old');
  // The usual umask takes the right to write from the group.
  await chmod(target, 0o664);
  await symlink(target, file);
  await writeNamedFile(file, 'new', true);
  expect((await lstat(file)).isSymbolicLink()).toBe(true);
  expect((await stat(target)).mode & 0o777).toBe(0o664);
  expect(await readFile(target, 'utf8')).toBe('new');
});

// Root may write everywhere.
(isRoot ? test.skip : onPosix)(
  'a file in a folder without the right to write is written in place',
  async () => {
    await writeFile(file, 'old');
    await chmod(folder, 0o500);
    await writeNamedFile(file, 'new', true);
    expect(await readFile(file, 'utf8')).toBe('new');
    await expect(writeNamedFile(path.join(folder, 'other'), 'new', true)).rejects.toMatchObject({
      code: 'FILE_FAILED',
    });
  },
);

onPosix('the name of a folder is refused', async () => {
  await mkdir(file);
  await expect(writeNamedFile(file, 'text', true)).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
  });
});
