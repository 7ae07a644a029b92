import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { types } from 'node:util';
import { observed } from '../../test/footprints.js';
import { openCalibrationStore } from './calibration-store.js';

const PACKAGE = path.join(__dirname, '..', '..', 'dist', 'index.cjs');

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mai calibration '));
  file = path.join(folder, 'deep', 'calibration.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (host = 'here') => openCalibrationStore({ file, host });

test('a store has the observations that an earlier store recorded', async () => {
  const store = open();
  expect(store.observations()).toEqual([]);
  await store.record(observed('a', 100, 120));
  expect(store.observations()).toEqual([observed('a', 100, 120)]);
  expect(open().observations()).toEqual([observed('a', 100, 120)]);
});

test('observations of another machine stay in the file and are not returned', async () => {
  await open('there').record(observed('a', 100, 120, { host: 'there' }));
  const here = open();
  expect(here.observations()).toEqual([]);
  await here.record(observed('b', 100, 120));
  expect(open('there').observations()).toEqual([observed('a', 100, 120, { host: 'there' })]);
});

test('the five newest observations of the same load are kept', async () => {
  const store = open();
  for (let i = 0; i < 7; i += 1) await store.record(observed('a', 100, 100 + i));
  await store.record(observed('b', 100, 100));
  const kept = open().observations();
  expect(kept.map(({ modelKey }) => modelKey)).toEqual(['a', 'a', 'a', 'a', 'a', 'b']);
  expect(kept[0]).toEqual(observed('a', 100, 102));
});

test('processes that record at the same time lose no observation', async () => {
  if (!existsSync(PACKAGE)) throw new Error('Not built: npm run build.');
  const script = `
    const { openCalibrationStore } = require(process.argv[1]);
    const store = openCalibrationStore({ file: process.argv[2], host: 'here' });
    const observation = JSON.parse(process.argv[3]);
    (async () => {
      for (let i = 0; i < 20; i += 1)
        await store.record({ ...observation, modelKey: process.argv[4] + i });
    })();`;
  const observation = JSON.stringify(observed('x', 100, 120));
  const run = (name: string) =>
    new Promise<number | null>((resolve) => {
      const args = ['-e', script, PACKAGE, file, observation, name];
      spawn(process.execPath, args, { stdio: 'inherit' }).once('exit', resolve);
    });
  expect(await Promise.all([run('a'), run('b'), run('c')])).toEqual([0, 0, 0]);
  expect(open().observations()).toHaveLength(60);
  expect(existsSync(`${file}.lock`)).toBe(false);
});

test('the lock of a process that died is taken over', async () => {
  await open().record(observed('a', 100, 120));
  writeFileSync(`${file}.lock`, '1');
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(`${file}.lock`, longAgo, longAgo);
  await open().record(observed('b', 100, 120));
  expect(open().observations()).toHaveLength(2);
});

test.each(['', 'not json', 'null', '[]', '{"format":1}', '{"format":0,"observations":[]}'])(
  'a damaged file (%s) is renamed, and the store starts empty',
  async (content) => {
    await open().record(observed('a', 100, 120));
    writeFileSync(file, content);
    const store = open();
    expect(store.observations()).toEqual([]);
    expect(store.recoveredFrom).toBe(`${file}.damaged`);
    expect(readFileSync(`${file}.damaged`, 'utf8')).toBe(content);
    await store.record(observed('b', 100, 120));
    expect(open()).toMatchObject({ recoveredFrom: null });
    expect(open().observations()).toHaveLength(1);
  },
);

test('a file that is damaged while the store is open is renamed too', async () => {
  const store = open();
  await store.record(observed('a', 100, 120));
  writeFileSync(file, '{"format":1,"observ');
  expect(await store.record(observed('b', 100, 120))).toEqual({ saved: true, error: null });
  expect(store.recoveredFrom).toBe(`${file}.damaged`);
  expect(store.observations()).toEqual([observed('b', 100, 120)]);
});

test('a damaged file does not change while another process holds the lock', async () => {
  await open().record(observed('a', 100, 120));
  writeFileSync(file, '');
  writeFileSync(`${file}.lock`, '1');
  expect(open()).toMatchObject({ recoveredFrom: null, error: null });
  expect(existsSync(`${file}.damaged`)).toBe(false);
});

test('a file of a newer version does not change, and the error gives the reason', async () => {
  await open().record(observed('a', 100, 120));
  const newer = '{"format":2,"observations":{}}';
  writeFileSync(file, newer);
  const store = open();
  expect(store.observations()).toEqual([]);
  expect(store.error?.message).toMatch(/newer version/);
  expect(await store.record(observed('b', 100, 120))).toMatchObject({ saved: false });
  expect(readFileSync(file, 'utf8')).toBe(newer);
});

test('a store that cannot be read or written returns the error', async () => {
  mkdirSync(file, { recursive: true });
  const folderInPlace = open();
  expect(folderInPlace.error).toMatchObject({ code: 'EISDIR' });
  expect((await folderInPlace.record(observed('a', 100, 120))).error).toMatchObject({
    code: 'EISDIR',
  });

  const plain = path.join(folder, 'plain');
  writeFileSync(plain, '');
  const inFile = openCalibrationStore({ file: path.join(plain, 'calibration.json'), host: 'here' });
  const { saved, error } = await inFile.record(observed('a', 100, 120));
  expect([saved, types.isNativeError(error)]).toEqual([false, true]);
  expect(inFile.observations()).toEqual([]);
});

test('if the lock file cannot be created, nothing is recorded and no file is left behind', async () => {
  // With `.lock`, the name is too long. This fails like a read-only folder, also for root.
  const long = path.join(folder, 'c'.repeat(253));
  writeFileSync(long, 'damaged');
  const store = openCalibrationStore({ file: long, host: 'here' });
  expect(store).toMatchObject({ recoveredFrom: null });
  expect(store.error?.message).toMatch(/is damaged and cannot be renamed/);
  const { saved, error } = await store.record(observed('a', 100, 120));
  expect([saved, error?.message]).toEqual([false, expect.stringContaining('ENAMETOOLONG')]);
  expect(readdirSync(folder)).toEqual([path.basename(long)]);
});

test('an entry that is not an observation is left out', async () => {
  await open().record(observed('a', 100, 120));
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('"modelKey":"a"', '"modelKey":7'));
  expect(open()).toMatchObject({ recoveredFrom: null });
  expect(open().observations()).toEqual([]);
});
