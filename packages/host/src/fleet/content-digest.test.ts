import { mkdtemp, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createContentDigests } from './content-digest.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-digest-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const BYTES = Buffer.alloc(2_000_000, 'weights ');

async function fileOf(name: string, change?: { at: number; text: string }): Promise<string> {
  const file = path.join(folder, name);
  const bytes = Buffer.from(BYTES);
  if (change !== undefined) bytes.write(change.text, change.at);
  await writeFile(file, bytes);
  return file;
}

test('copies have the same digest; another header, other last weights or another size have another', async () => {
  const { digestOf } = createContentDigests();
  const original = await digestOf([await fileOf('a')]);
  expect(original).toMatch(/^[0-9a-f]{64}$/);
  expect(await digestOf([await fileOf('copy')])).toBe(original);
  expect(await digestOf([await fileOf('b', { at: 100, text: 'X' })])).not.toBe(original);
  expect(await digestOf([await fileOf('c', { at: 1_999_000, text: 'X' })])).not.toBe(original);
  const short = await fileOf('d');
  await truncate(short, 1_999_999);
  expect(await digestOf([short])).not.toBe(original);
});

test('a file that was replaced gets a new digest, and a missing file has none', async () => {
  const { digestOf } = createContentDigests();
  const file = await fileOf('a');
  const before = await digestOf([file]);
  await fileOf('a', { at: 0, text: 'X' });
  await utimes(file, new Date(), new Date(Date.now() + 10_000));
  expect(await digestOf([file])).not.toBe(before);
  expect(await digestOf([path.join(folder, 'missing')])).toBeNull();
});
