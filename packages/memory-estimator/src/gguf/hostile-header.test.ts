import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GgufWriter, TENSOR_TYPES } from '../../test/gguf-writer.js';
import { readGgufHeader } from './read-gguf-header.js';

// The cost of reading a model's header has a bound that does not depend on the number and size of its
// files.

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mai hostile '));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const partName = (number: number, of: number) =>
  join(folder, `m-${String(number).padStart(5, '0')}-of-${String(of).padStart(5, '0')}.gguf`);

/** A part of a split model. */
function tensors(count: number, prefix: string, part: number, parts: number): Buffer {
  const writer = new GgufWriter()
    .counts(count, 2)
    .pair('split.no', { type: 'u16', value: part - 1 })
    .pair('split.count', { type: 'u16', value: parts });
  for (let i = 0; i < count; i += 1)
    writer.tensor({ name: `${prefix}${i}`, shape: [32], type: TENSOR_TYPES.F32, offset: i * 128 });
  return writer.bytes();
}

test('the files of a split model share one budget', async () => {
  const count = 40_000;
  writeFileSync(partName(1, 4), tensors(count, 'first.', 1, 4));
  const alone = await readGgufHeader(partName(1, 4));
  expect(alone.tensors).toHaveLength(count);
  for (const part of [2, 3, 4])
    writeFileSync(partName(part, 4), tensors(count, `part${part}.`, part, 4));
  await expect(readGgufHeader(partName(1, 4))).rejects.toMatchObject({
    code: 'CORRUPT',
    path: expect.stringContaining('m-0000') as string,
    message: expect.stringContaining('more than any model needs') as string,
  });
});

test('a tensor in two files of a split model is corrupt', async () => {
  for (const part of [1, 2]) writeFileSync(partName(part, 2), tensors(2, 'same.', part, 2));
  await expect(readGgufHeader(partName(1, 2))).rejects.toMatchObject({
    code: 'CORRUPT',
    path: partName(2, 2),
    message: expect.stringContaining('"same.0" occurs twice') as string,
  });
});

test('a split model without its first file is not found', async () => {
  writeFileSync(partName(2, 2), tensors(1, 'second.', 2, 2));
  await expect(readGgufHeader(partName(2, 2))).rejects.toMatchObject({
    code: 'FILE_NOT_FOUND',
    path: partName(1, 2),
  });
});

/** A file with an array of this length. Its elements are zeros, which take no space in a sparse file. */
function zeros(type: 'string' | 'array', length: number): string {
  const file = join(folder, 'zeros.gguf');
  writeFileSync(file, new GgufWriter().counts(0, 1).text('a').arrayHead(type, length).bytes());
  truncateSync(file, 2 ** 34);
  return file;
}

test.each([
  ['strings', 'string'],
  ['arrays', 'array'],
] as const)('too many %s are refused before they are read', async (_, type) => {
  await expect(readGgufHeader(zeros(type, 2 ** 30))).rejects.toMatchObject({ code: 'CORRUPT' });
});

test('reading a long header is cancelled by the signal', async () => {
  const controller = new AbortController();
  const reading = readGgufHeader(zeros('string', 2 ** 24), { signal: controller.signal });
  const reason = new Error('enough');
  setImmediate(() => controller.abort(reason));
  await expect(reading).rejects.toBe(reason);
});

test('a tensor with a huge offset after a tensor of an unknown type is corrupt', async () => {
  const header = new GgufWriter()
    .counts(2, 0)
    .tensor({ name: 'a', shape: [32], type: TENSOR_TYPES.undefined, offset: 0 })
    .tensor({ name: 'b', shape: [32], type: TENSOR_TYPES.F32, offset: 2 ** 53 - 32 });
  await expect(readGgufHeader(header.bytes())).rejects.toMatchObject({
    code: 'CORRUPT',
    message: expect.stringContaining('"b" lies at an impossible offset') as string,
  });
});
