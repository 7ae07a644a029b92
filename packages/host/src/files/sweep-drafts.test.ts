import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { replaceFile } from './replace-file.js';
import { sweepDrafts } from './sweep-drafts.js';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mai-drafts-'));
});

afterEach(() => rm(root, { recursive: true, force: true }));

async function put(name: string, ageMs: number): Promise<void> {
  const file = path.join(root, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, '');
  const then = new Date(Date.now() - ageMs);
  await utimes(file, then, then);
}

async function files(): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();
}

test('drafts of killed processes are removed, and neither fresh drafts nor other files', async () => {
  const longAgo = 2 * 3_600_000;
  await put('cache/model-config-1.json.7.tmp', longAgo);
  await put('data/autopilot/127.0.0.1%3A1234/journal.json.x.tmp', longAgo);
  await put('data/fleet/nats/.x.tmp', longAgo);
  await put('data/fleet/nats/jetstream/store/block.tmp', longAgo);
  await put('data/fleet/.y.tmp', 60_000);
  await put('config/models.yaml', longAgo);
  await sweepDrafts({
    config: path.join(root, 'config'),
    data: path.join(root, 'data'),
    cache: path.join(root, 'cache'),
  });
  expect(await files()).toEqual([
    'config/models.yaml',
    'data/fleet/.y.tmp',
    // nats-server's own files.
    'data/fleet/nats/jetstream/store/block.tmp',
  ]);
});

test('folders that do not exist are nothing to sweep', async () => {
  const none = path.join(root, 'none');
  await expect(sweepDrafts({ config: none, data: none, cache: none })).resolves.toBeUndefined();
});

test('a write that fails leaves no draft', async () => {
  await mkdir(path.join(root, 'taken', 'inside'), { recursive: true });
  await expect(replaceFile(path.join(root, 'taken'), 'text')).rejects.toThrow();
  expect(await readdir(root)).toEqual(['taken']);
});
