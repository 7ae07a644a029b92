import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { types } from 'node:util';
import { itemAt } from '../item-at.js';
import { headerBytes } from '../../test/corpus.js';
import { GgufWriter, smallModel } from '../../test/gguf-writer.js';
import { estimateReport } from '../estimate/estimate-report.js';
import { NO_SETTINGS } from '../settings/estimate-settings.js';
import type { GgufHeader } from '../gguf/gguf-header.js';
import { readGgufHeader } from '../gguf/read-gguf-header.js';
import { openHeaderCache } from './header-cache.js';

const WRITTEN_AT = 1_700_000_000;

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mai cache '));
  file = join(folder, 'deep', 'headers.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function model(name: string, bytes: Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  // Whole seconds, because utimes cannot restore fractions exactly.
  utimesSync(path, WRITTEN_AT, WRITTEN_AT);
  return path;
}

/** Replaces the content of a file by zeros, without changing its size and time. */
function damage(path: string): void {
  writeFileSync(path, Buffer.alloc(statSync(path).size));
  utimesSync(path, WRITTEN_AT, WRITTEN_AT);
}

test('a cached header equals the header that was read, and the file is not read again', async () => {
  const paths = ['tiny-llama-tok', 'gpt-oss-20b-L6-mxfp4', 'deepseek-v2-lite-E16-q4km'].map(
    (name) => model(`${name}.gguf`, headerBytes(name)),
  );
  const first = openHeaderCache({ file });
  const read = await Promise.all(paths.map((path) => first.read(path)));
  expect(first.save()).toEqual({ saved: true, error: null });
  paths.forEach(damage);
  const second = openHeaderCache({ file });
  for (const [i, path] of paths.entries()) {
    const cached = await second.read(path);
    expect({ ...cached, metadata: [...cached.metadata] }).toEqual({
      ...read[i],
      metadata: [...(read[i]?.metadata ?? [])],
    });
    expect(estimateReport(cached, NO_SETTINGS)).toEqual(
      estimateReport(itemAt(read, i), NO_SETTINGS),
    );
  }
  expect(second.save()).toEqual({ saved: false, error: null });
});

test('a file that changed is read again', async () => {
  const path = model('a.gguf', smallModel());
  const first = openHeaderCache({ file });
  await first.read(path);
  first.save();
  writeFileSync(path, headerBytes('tiny-llama-tok'));
  const header = await openHeaderCache({ file }).read(path);
  expect(header.tensors.length).toBeGreaterThan(10);
});

test.each(['', 'not json', '{"format":99}', '{"format":2,"entries":{"x":3}}', 'null'])(
  'a damaged cache (%s) is an empty cache',
  async (content) => {
    const path = model('a.gguf', smallModel());
    file = join(folder, 'headers.json');
    writeFileSync(file, content);
    const cache = openHeaderCache({ file });
    expect((await cache.read(path)).architecture).toBe('llama');
    expect(cache.save().saved).toBe(true);
  },
);

test.each([
  ['tensors that are missing', '{"v":3,"b":"little","m":[],"n":"a","t":[1],"s":0,"c":true,"f":[]}'],
  ['fields that are missing', '{"n":"a","t":[1]}'],
  ['text that is not JSON', '{'],
])('an entry with %s is read again', async (_, value) => {
  const path = model('a.gguf', smallModel());
  const first = openHeaderCache({ file });
  await first.read(path);
  first.save();
  const stored = JSON.parse(readFileSync(file, 'utf8')) as {
    entries: Record<string, { value: string }>;
  };
  for (const entry of Object.values(stored.entries)) entry.value = value;
  writeFileSync(file, JSON.stringify(stored));
  expect((await openHeaderCache({ file }).read(path)).tensors).toHaveLength(2);
});

test('two processes that save keep the entries of both', async () => {
  const [a, b] = [model('a.gguf', smallModel()), model('b.gguf', smallModel())];
  const [one, two] = [openHeaderCache({ file }), openHeaderCache({ file })];
  await one.read(a);
  await two.read(b);
  one.save();
  two.save();
  damage(a);
  damage(b);
  const both = openHeaderCache({ file });
  expect((await both.read(a)).architecture).toBe('llama');
  expect((await both.read(b)).architecture).toBe('llama');
});

test('a cache that cannot be written still reads headers, and returns the error', async () => {
  const path = model('a.gguf', smallModel());
  // The folder of the cache cannot be created, because a file has its path.
  const cache = openHeaderCache({ file: join(path, 'headers.json') });
  expect((await cache.read(path)).architecture).toBe('llama');
  const { saved, error } = cache.save();
  expect(saved).toBe(false);
  expect(types.isNativeError(error)).toBe(true);
});

test('errors of model files are thrown unchanged', async () => {
  const cache = openHeaderCache({ file });
  await expect(cache.read(join(folder, 'nowhere.gguf'))).rejects.toMatchObject({
    code: 'FILE_NOT_FOUND',
  });
  await expect(cache.read(model('bad.gguf', Buffer.from('GGUF')))).rejects.toMatchObject({
    code: 'CORRUPT',
  });
});

test('a cached header has all metadata except long strings', async () => {
  const path = model('a.gguf', headerBytes('tinyllama-1.1b-q8'));
  const cache = openHeaderCache({ file });
  await cache.read(path);
  cache.save();
  damage(path);
  const cached = await openHeaderCache({ file }).read(path);
  const fresh = await readGgufHeader(headerBytes('tinyllama-1.1b-q8'));
  for (const [key, value] of fresh.metadata)
    if (typeof value !== 'string' || value.length <= 65_536)
      expect(cached.metadata.get(key)).toEqual(value);
});

describe('derive', () => {
  const count = (header: GgufHeader) => ({ tensors: header.tensors.length });

  test('returns a cached result without reading the header or the file', async () => {
    const path = model('a.gguf', smallModel());
    const first = openHeaderCache({ file });
    expect(await first.derive(path, 'count', count)).toEqual({ tensors: 2 });
    first.save();
    damage(path);
    rmSync(file);
    const compute = jest.fn(count);
    const second = openHeaderCache({ file });
    expect(await second.derive(path, 'count', compute)).toEqual({ tensors: 2 });
    expect(compute).not.toHaveBeenCalled();
    await expect(second.derive(path, 'another key', compute)).rejects.toMatchObject({
      code: 'NOT_GGUF',
    });
  });

  test('computes again for another key and for a file that changed', async () => {
    const path = model('a.gguf', smallModel());
    const first = openHeaderCache({ file });
    await first.derive(path, 'count', count);
    expect(await first.derive(path, 'names', ({ tensors }) => tensors.length * 2)).toBe(4);
    first.save();
    writeFileSync(path, headerBytes('tiny-llama-tok'));
    const { tensors } = await openHeaderCache({ file }).derive(path, 'count', count);
    expect(tensors).toBeGreaterThan(10);
  });

  test('keeps the newest 64 results of a model', async () => {
    const path = model('a.gguf', smallModel());
    const cache = openHeaderCache({ file });
    for (let i = 0; i < 70; i += 1) await cache.derive(path, `key ${i}`, () => i);
    cache.save();
    const compute = jest.fn(() => -1);
    const second = openHeaderCache({ file });
    expect(await second.derive(path, 'key 69', compute)).toBe(69);
    expect(await second.derive(path, 'key 6', compute)).toBe(6);
    expect(await second.derive(path, 'key 5', compute)).toBe(-1);
  });
});

test('a stored header of another format, or with a tensor without elements, is read from the file again', async () => {
  const path = model('m.gguf', smallModel());
  const read = await openHeaderCache({ file }).read(path);
  const cached = openHeaderCache({ file });
  await cached.read(path);
  cached.save();
  const stored = readFileSync(file, 'utf8');
  const { format } = JSON.parse(stored);
  const [shape] = read.tensors.map((tensor) => tensor.shape.join(','));
  const changes = [
    stored.replace(`"format":${format}`, `"format":${format - 1}`),
    stored.replaceAll(`,${shape}`, `,${shape?.replace(/\d+$/, '0')}`),
  ];
  for (const changed of changes) {
    expect(changed).not.toBe(stored);
    writeFileSync(file, changed);
    expect((await openHeaderCache({ file }).read(path)).tensors).toEqual(read.tensors);
  }
});

test('figures that JSON does not have, and types, are kept', async () => {
  const writer = new GgufWriter().counts(0, 3);
  writer.pair('a.nan', { type: 'f32', value: Number.NaN });
  writer.pair('a.minus', { type: 'f64', value: -Infinity });
  writer.pair('a.list', { type: 'f32s', value: [Infinity, 1] });
  const path = model('odd.gguf', writer.bytes());
  const first = openHeaderCache({ file });
  const read = await first.read(path);
  first.save();
  damage(path);
  const cached = await openHeaderCache({ file }).read(path);
  expect([...cached.metadata]).toEqual([...read.metadata]);
  expect([...cached.valueTypes]).toEqual([
    ['a.nan', 'float32'],
    ['a.minus', 'float64'],
    ['a.list', 'float32'],
  ]);
});
