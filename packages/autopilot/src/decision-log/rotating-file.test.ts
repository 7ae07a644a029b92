import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createRotatingFile, listRotated } from './rotating-file.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'mai log '));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const linesOf = async (files: readonly string[]): Promise<string[]> =>
  (await Promise.all(files.map((file) => readFile(file, 'utf8')))).flatMap((text) =>
    text.split('\n').slice(0, -1),
  );

describe('createRotatingFile', () => {
  it('keeps the newest lines in order, in a bounded number of files of a bounded size', async () => {
    const file = path.join(folder, 'logs', 'decisions.jsonl');
    const log = createRotatingFile({ file, maxBytes: 100, keep: 2 });
    const lines = Array.from(
      { length: 40 },
      (_, index) => `line ${String(index).padStart(3, '0')}`,
    );
    await Promise.all(lines.map((line) => log.append(line)));
    const files = await listRotated(file, 2);
    expect(files.map((name) => path.basename(name))).toEqual([
      'decisions.jsonl.2',
      'decisions.jsonl.1',
      'decisions.jsonl',
    ]);
    for (const name of files) expect((await stat(name)).size).toBeLessThanOrEqual(100);
    const kept = await linesOf(files);
    expect(kept).toEqual(lines.slice(-kept.length));
    expect(kept.length).toBeGreaterThan(20);
  });

  it('appends to the same file after a restart', async () => {
    const file = path.join(folder, 'decisions.jsonl');
    await createRotatingFile({ file, maxBytes: 20, keep: 1 }).append('0123456789');
    const log = createRotatingFile({ file, maxBytes: 20, keep: 1 });
    await log.append('abcdefghij');
    await log.flushed();
    expect(await linesOf([`${file}.1`, file])).toEqual(['0123456789', 'abcdefghij']);
  });

  it('writes a line that is longer than `maxBytes` into a file of its own', async () => {
    const file = path.join(folder, 'decisions.jsonl');
    const log = createRotatingFile({ file, maxBytes: 5, keep: 1 });
    await log.append('a long line');
    await log.append('another');
    expect(await linesOf([`${file}.1`, file])).toEqual(['a long line', 'another']);
  });

  it('keeps no old file where `keep` is 0', async () => {
    const file = path.join(folder, 'decisions.jsonl');
    const log = createRotatingFile({ file, maxBytes: 5, keep: 0 });
    await log.append('one');
    await log.append('two');
    expect(await readdir(folder)).toEqual(['decisions.jsonl']);
    expect(await linesOf([file])).toEqual(['two']);
  });
});
