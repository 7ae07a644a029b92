import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GgufWriter, smallModel, TENSOR_TYPES, VALUE_TYPES } from '../../test/gguf-writer.js';
import { headerBytes } from '../../test/corpus.js';
import { isModelFileError, type ModelFileError } from './model-file-error.js';
import { readGgufHeader } from './read-gguf-header.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mai gguf '));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, bytes: Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

async function failure(reading: Promise<unknown>): Promise<ModelFileError> {
  const error: unknown = await reading.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!isModelFileError(error)) throw new Error(`expected a ModelFileError, got ${String(error)}`);
  return error;
}

describe('a header', () => {
  test.each([
    ['version 3', {}],
    ['version 2', { version: 2 }],
    ['big-endian', { bigEndian: true }],
    ['big-endian, version 2', { bigEndian: true, version: 2 }],
  ])('is read: %s', async (_name, options) => {
    const header = await readGgufHeader(smallModel(options));
    expect(header.architecture).toBe('llama');
    expect(header.metadata.get('llama.block_count')).toBe(1);
    expect(header.metadata.get('llama.rope.freq_base')).toBe(10_000);
    expect(header.metadata.get('general.big')).toBe(2 ** 40);
    expect(header.metadata.get('llama.flag')).toBe(true);
    expect(header.metadata.get('llama.list')).toEqual({ length: 3, values: [3, -1, 2] });
    expect(header.tensors).toEqual([
      expect.objectContaining({ name: 'token_embd.weight', typeName: 'Q8_0', sizeBytes: 136 }),
      expect.objectContaining({ name: 'output_norm.weight', typeName: 'F32', sizeBytes: 128 }),
    ]);
    expect(header.tensorBytes).toBe(264);
    expect(header.complete).toBe(true);
    expect(header.byteOrder).toBe('bigEndian' in options ? 'big' : 'little');
  });

  test('is the same from a file, a buffer and a byte-range reader', async () => {
    const bytes = headerBytes('tiny-llama-tok');
    const fromFile = await readGgufHeader(write('tiny.gguf', bytes));
    const fromBuffer = await readGgufHeader(bytes);
    const reads: number[] = [];
    const fromRange = await readGgufHeader({
      sizeBytes: null,
      read: (offset, length) => {
        reads.push(length);
        return Promise.resolve(bytes.subarray(offset, offset + length));
      },
    });
    expect(fromBuffer.tensors).toEqual(fromFile.tensors);
    expect(fromRange.tensors).toEqual(fromFile.tensors);
    expect([...fromRange.metadata]).toEqual([...fromFile.metadata]);
    expect(Math.max(...reads)).toBeLessThanOrEqual(128 * 1024);
  });

  test('without its tensor data is read, and marked as incomplete', async () => {
    const bytes = headerBytes('llama-3.2-1b-q4km');
    const path = write('alone.gguf', bytes);
    const header = await readGgufHeader(path);
    expect(header.complete).toBe(false);
    expect(header.fileSizeBytes).toBe(bytes.length);
    expect(header.files).toEqual([path]);
  });

  test('has the length of a vocabulary, but keeps the tokens only if the caller asks for them', async () => {
    const bytes = headerBytes('tiny-llama-tok');
    const key = 'tokenizer.ggml.tokens';
    const counted = (await readGgufHeader(bytes)).metadata.get(key);
    expect(counted).toEqual({ length: 4096, values: null });
    const kept = (await readGgufHeader(bytes, { keepArrays: [key] })).metadata.get(key);
    expect(kept).toMatchObject({ length: 4096 });
    expect(kept).toHaveProperty('values.length', 4096);
  });

  test('with 262,144 tokens is read in small windows', async () => {
    const bytes = headerBytes('bighdr-gemma3-262144');
    let largest = 0;
    const header = await readGgufHeader({
      sizeBytes: bytes.length,
      read: (offset, length) => {
        largest = Math.max(largest, length);
        return bytes.subarray(offset, offset + length);
      },
    });
    expect(header.metadata.get('tokenizer.ggml.tokens')).toEqual({ length: 262_144, values: null });
    expect(largest).toBeLessThanOrEqual(256 * 1024);
  });

  test.each([
    ['little-endian', 2 ** 29 + 1, {}],
    ['little-endian', 2 ** 31 + 7, {}],
    ['little-endian', 2 ** 33 + 7, {}],
    ['big-endian', 2 ** 29 + 1, { bigEndian: true }],
    ['big-endian', 2 ** 33 + 7, { bigEndian: true }],
  ])('is read after a token of a huge length: %s, %d bytes', async (_, long, options) => {
    const before = new GgufWriter(options)
      .counts(0, 2)
      .text('tokens')
      .arrayHead('string', 4)
      .text('a')
      .text('b')
      .u64(long)
      .bytes();
    // Drop the magic and the version, which every writer begins with.
    const after = new GgufWriter(options)
      .text('d')
      .pair('last', { type: 'u32', value: 5 })
      .bytes()
      .subarray(8);
    const header = await readGgufHeader({
      sizeBytes: null,
      read: (offset, length) => {
        const bytes = Buffer.alloc(length);
        if (offset < before.length) before.copy(bytes, 0, offset);
        const behind = offset - before.length - long;
        if (behind >= 0) after.copy(bytes, 0, behind);
        else if (behind > -length) after.copy(bytes, -behind);
        return bytes;
      },
    });
    expect([...header.metadata]).toEqual([
      ['tokens', { length: 4, values: null }],
      ['last', 5],
    ]);
  });

  test.each([65_490, 65_504, 65_520, 65_536])(
    'is read where a value of %d bytes needs more than the first read',
    async (length) => {
      const value = 'x'.repeat(length);
      const writer = new GgufWriter().counts(0, 2).pair('a', { type: 'string', value });
      const header = await readGgufHeader(writer.pair('b', { type: 'u32', value: 7 }).bytes());
      expect(header.metadata.get('a')).toBe(value);
      expect(header.metadata.get('b')).toBe(7);
    },
  );

  test('is read while other headers are read, and after a damaged one', async () => {
    const vocabulary = (prefix: string, repeats: boolean) => {
      const tokens = Array.from({ length: 20_000 }, (_, i) => `${prefix}${i}`);
      if (repeats) tokens[19_999] = `${prefix}7`;
      return new GgufWriter()
        .counts(0, 2)
        .pair('tokenizer.ggml.tokens', { type: 'strings', value: tokens })
        .pair('last', { type: 'string', value: prefix })
        .bytes();
    };
    const files = [...'abcdef'].map((prefix, i) => {
      const repeats = i % 2 === 0;
      return { prefix, repeats, bytes: vocabulary(prefix, repeats) };
    });
    // All reads wait for the same time, so the bytes of all files arrive before one of them is parsed.
    const reads: number[] = [];
    const slowly = (bytes: Buffer, i: number) => ({
      sizeBytes: bytes.length,
      read: async (offset: number, length: number) => {
        reads[i] = (reads[i] ?? 0) + 1;
        await Promise.resolve();
        return bytes.subarray(offset, offset + length);
      },
    });
    let first: readonly number[] | null = null;
    for (let round = 0; round < 2; round += 1) {
      const damaged = vocabulary('cut', true).subarray(0, 150_000);
      await expect(readGgufHeader(damaged)).rejects.toMatchObject({ code: 'CORRUPT' });
      reads.length = 0;
      const headers = await Promise.all(
        files.map(({ bytes }, i) => readGgufHeader(slowly(bytes, i))),
      );
      for (const [i, { prefix, repeats }] of files.entries()) {
        expect(headers[i]?.metadata.get('last')).toBe(prefix);
        expect(headers[i]?.tokens).toEqual({ repeats, byteTokens: 0 });
      }
      // Tokens of another file in the table would look like repeated ones, and the file would be read again.
      first ??= [...reads];
      expect(reads).toEqual(first);
      for (const [i, { bytes }] of files.entries()) await readGgufHeader(slowly(bytes, i));
      expect(reads).toEqual(first.map((count) => 2 * count));
    }
  });

  test('has the facts of its own vocabulary after one that begins with the same tokens', async () => {
    const tokens = Array.from({ length: 20_000 }, (_, i) => `token ${i}`);
    const named = (changes: Readonly<Record<number, string>>) =>
      new GgufWriter()
        .counts(0, 2)
        .pair('tokenizer.ggml.tokens', {
          type: 'strings',
          value: tokens.map((token, i) => changes[i] ?? token),
        })
        .pair('last', { type: 'string', value: 'end' })
        .bytes();
    const facts = async (changes: Readonly<Record<number, string>>) => {
      const header = await readGgufHeader(named(changes));
      expect(header.metadata.get('last')).toBe('end');
      return header.tokens;
    };
    const plain = { repeats: false, byteTokens: 0 };
    expect(await facts({})).toEqual(plain);
    expect(await facts({})).toEqual(plain);
    // The last token lies beyond the first part of the file that is in memory.
    expect(await facts({ 19_999: 'token 0' })).toEqual({ repeats: true, byteTokens: 0 });
    expect(await facts({ 19_999: '<0x0A>' })).toEqual({ repeats: false, byteTokens: 1 });
    expect(await facts({ 0: '<0x0A>' })).toEqual({ repeats: false, byteTokens: 1 });
    expect(await facts({})).toEqual(plain);
  });

  /** A file with one tensor. The numbers are those that gguf-split writes; `null` leaves both out. */
  const part = (name: string, number: number | null, count = 2) => {
    const writer = new GgufWriter()
      .counts(1, number === null ? 2 : 4)
      .pair('general.architecture', { type: 'string', value: 'llama' })
      .pair('split.tensors.count', { type: 'i32', value: 2 });
    if (number !== null)
      writer
        .pair('split.no', { type: 'u16', value: number })
        .pair('split.count', { type: 'u16', value: count });
    const header = writer.tensor({ name, shape: [8], type: TENSOR_TYPES.F32, offset: 0 }).bytes();
    return Buffer.concat([header, Buffer.alloc(128)]);
  };

  test('of a split model is joined from its files', async () => {
    const first = write('model-00001-of-00002.gguf', part('a.weight', 0));
    const alone = await readGgufHeader(first);
    expect(alone.complete).toBe(false);
    const second = write('model-00002-of-00002.gguf', part('b.weight', 1));
    for (const path of [first, second]) {
      const header = await readGgufHeader(path);
      expect(header.tensors.map(({ name, fileIndex }) => [name, fileIndex])).toEqual([
        ['a.weight', 0],
        ['b.weight', 1],
      ]);
      expect(header.complete).toBe(true);
      expect(header.files).toEqual([first, second]);
    }
  });

  test('of a whole model is complete, although its name states two parts', async () => {
    const path = write('whole-00001-of-00002.gguf', part('a.weight', null));
    expect(await readGgufHeader(path)).toMatchObject({ complete: true, files: [path] });
  });

  test.each([
    [
      'another number of parts',
      part('a.weight', 0, 3),
      part('b.weight', 1),
      'split.count is 3, not 2',
    ],
    [
      'another number of the second part',
      part('a.weight', 0),
      part('b.weight', 5),
      'split.no is 5, not 1',
    ],
    [
      'no number of the second part',
      part('a.weight', 0),
      part('b.weight', null),
      'it lacks split.no',
    ],
  ])('is refused where the files state %s', async (_, first, second, reason) => {
    const path = write('other-00001-of-00002.gguf', first);
    write('other-00002-of-00002.gguf', second);
    await expect(readGgufHeader(path)).rejects.toMatchObject({
      code: 'CORRUPT',
      reason: expect.stringContaining(reason),
    });
  });

  test('says that a file has its size and no data', async () => {
    const written = write('written.gguf', Buffer.concat([smallModel(), Buffer.alloc(2 ** 20, 1)]));
    expect((await readGgufHeader(written)).hasData).toBe(true);
    const hole = write('hole.gguf', smallModel());
    truncateSync(hole, 2 ** 30);
    expect((await readGgufHeader(hole)).hasData).toBe(false);
  });

  test('whose data does not begin at a multiple of 32 bytes is damaged', async () => {
    const readings = [0, 8, 16, 24].map((length) => {
      const header = new GgufWriter()
        .counts(1, 2)
        .pair('general.alignment', { type: 'u32', value: 8 })
        .pair('general.name', { type: 'string', value: 'x'.repeat(length) })
        .tensor({ name: 'a', shape: [8], type: TENSOR_TYPES.F32, offset: 0 })
        .bytes();
      const isAligned = (header.length + 7) % 32 < 8;
      return { isAligned, reading: readGgufHeader(Buffer.concat([header, Buffer.alloc(256)])) };
    });
    expect(readings.filter(({ isAligned }) => isAligned)).toHaveLength(1);
    for (const { isAligned, reading } of readings) {
      if (isAligned) expect((await reading).complete).toBe(true);
      else await expect(reading).rejects.toThrow('does not begin at a multiple of 32 bytes');
    }
  });

  test('gives a tensor of an unknown type the size up to its neighbour', async () => {
    const header = new GgufWriter()
      .counts(2, 0)
      .tensor({ name: 'new', shape: [64], type: TENSOR_TYPES.undefined, offset: 0 })
      .tensor({ name: 'old', shape: [8], type: TENSOR_TYPES.F32, offset: 96 })
      .bytes();
    const read = await readGgufHeader(Buffer.concat([header, Buffer.alloc(256)]));
    expect(read.tensors[0]).toMatchObject({
      typeName: `type-${TENSOR_TYPES.undefined}`,
      sizeBytes: 96,
    });
  });
});

describe('a file that is not a model', () => {
  test('that does not exist is not found', async () => {
    const error = await failure(readGgufHeader(join(folder, 'nowhere.gguf')));
    expect(error).toMatchObject({ code: 'FILE_NOT_FOUND', path: join(folder, 'nowhere.gguf') });
  });

  test('that is a folder is unreadable', async () => {
    mkdirSync(join(folder, 'folder.gguf'), { recursive: true });
    const error = await failure(readGgufHeader(join(folder, 'folder.gguf')));
    expect(error.code).toBe('FILE_UNREADABLE');
  });

  const withPipes = process.platform === 'win32' ? test.skip : test;
  withPipes('that is a named pipe is unreadable, without waiting for a writer', async () => {
    const pipe = join(folder, 'pipe.gguf');
    execFileSync('mkfifo', [pipe]);
    expect((await failure(readGgufHeader(pipe))).code).toBe('FILE_UNREADABLE');
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['three bytes', Buffer.from('GGU')],
    ['a picture', Buffer.from('\x89PNG\r\n\x1a\n and more')],
  ])('that holds %s is not a GGUF file', async (_name, bytes) => {
    expect((await failure(readGgufHeader(bytes))).code).toBe('NOT_GGUF');
  });

  test.each([
    [Buffer.alloc(0), 'it is empty'],
    [
      Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:1f\nsize 5\n'),
      'it is a pointer of Git LFS, not the model itself',
    ],
    [
      Buffer.from('tjgg\u0003\0\0\0'),
      'it is in a format from before GGUF, which llama.cpp no longer reads',
    ],
    [Buffer.from('<!doctype html>'), 'it is not a GGUF file'],
    [Buffer.from('GGUF\u0003\0\0\0'), /^it is damaged: the file ends in the middle of its header/],
    [
      new GgufWriter({ version: 1 }).counts(0, 0).bytes(),
      'it is GGUF version 1, but Mai reads only versions 2 and 3',
    ],
  ])('has a reason that is a clause about the file (%#)', async (bytes, reason) => {
    const error = await failure(readGgufHeader(bytes));
    expect(error.reason).toMatch(reason);
  });

  test('that is a part of a split model without the first part says so', async () => {
    const second = join(folder, 'alone-00002-of-00002.gguf');
    writeFileSync(second, smallModel());
    const error = await failure(readGgufHeader(second));
    expect(error).toMatchObject({
      code: 'FILE_NOT_FOUND',
      reason: 'the first part of the split model is missing',
      path: join(folder, 'alone-00001-of-00002.gguf'),
    });
  });

  test.each([1, 4, 77])('of version %d is not supported', async (version) => {
    const bytes = new GgufWriter({ version }).counts(0, 0).bytes();
    expect((await failure(readGgufHeader(bytes))).code).toBe('UNSUPPORTED_VERSION');
  });
});

describe('a damaged header', () => {
  test('that is cut off is corrupt at the byte where it ends', async () => {
    const whole = smallModel();
    for (const length of [4, 7, 20, 50, 150, 250]) {
      const cut = whole.subarray(0, length);
      const unsized = {
        sizeBytes: null,
        read: (from: number, n: number) => cut.subarray(from, from + n),
      };
      for (const source of [cut, unsized]) {
        const error = await failure(readGgufHeader(source));
        expect(error.code).toBe('CORRUPT');
        expect(error.offsetBytes).not.toBeNull();
        expect(error.offsetBytes).toBeLessThanOrEqual(length);
        expect(error.message).toContain('at byte');
      }
    }
  });

  test.each([10_000n, 2n ** 63n])(
    'with a skipped string of %d bytes is corrupt at the offset of the string',
    async (length) => {
      const before = new GgufWriter().counts(0, 1).text('a').arrayHead('string', 2).text('x');
      const at = before.bytes().length;
      const bytes = before.u64(length).raw(Buffer.from('abc')).bytes();
      expect(await failure(readGgufHeader(bytes))).toMatchObject({
        code: 'CORRUPT',
        offsetBytes: at,
      });
    },
  );

  const bomb = 2n ** 60n;
  test.each([
    ['tensors', new GgufWriter().counts(bomb, 0).bytes()],
    ['pairs', new GgufWriter().counts(0, bomb).bytes()],
    ['a key', new GgufWriter().counts(0, 1).u64(bomb).bytes()],
    [
      'a string',
      new GgufWriter().counts(0, 1).text('general.name').u32(VALUE_TYPES.string).u64(bomb).bytes(),
    ],
    ['an array of numbers', new GgufWriter().counts(0, 1).text('a').arrayHead('u32', bomb).bytes()],
    [
      'an array of strings',
      new GgufWriter().counts(0, 1).text('a').arrayHead('string', bomb).bytes(),
    ],
    [
      'a string in an array',
      new GgufWriter().counts(0, 1).text('a').arrayHead('string', 1).u64(bomb).bytes(),
    ],
    [
      'a shape',
      new GgufWriter()
        .counts(1, 0)
        .text('t')
        .u32(2)
        .u64(bomb)
        .u64(bomb)
        .u32(TENSOR_TYPES.F32)
        .u64(0)
        .bytes(),
    ],
    ['a number of dimensions', new GgufWriter().counts(1, 0).text('t').u32(0xffff_ffff).bytes()],
  ])('that claims an impossible size is corrupt: %s', async (_name, bytes) => {
    expect((await failure(readGgufHeader(bytes))).code).toBe('CORRUPT');
    // A source of unknown size: only the limits apply.
    const endless = { sizeBytes: null, read: (offset: number) => bytes.subarray(offset) };
    expect((await failure(readGgufHeader(endless))).code).toBe('CORRUPT');
  });

  test('with arrays that are nested too deeply is corrupt', async () => {
    const writer = new GgufWriter().counts(0, 1).text('a').u32(VALUE_TYPES.array);
    for (let i = 0; i < 100; i += 1) writer.u32(VALUE_TYPES.array).u64(1);
    expect((await failure(readGgufHeader(writer.u32(VALUE_TYPES.u32).u64(0).bytes()))).code).toBe(
      'CORRUPT',
    );
  });

  test.each([
    [
      'a key twice',
      new GgufWriter()
        .counts(0, 2)
        .pair('k', { type: 'u8', value: 1 })
        .pair('k', { type: 'u8', value: 1 }),
    ],
    ['a key without a name', new GgufWriter().counts(0, 1).pair('', { type: 'u8', value: 1 })],
    ['an unknown type', new GgufWriter().counts(0, 1).text('k').u32(VALUE_TYPES.undefined)],
    [
      'an alignment that is not a power of two',
      new GgufWriter().counts(0, 1).pair('general.alignment', { type: 'u32', value: 24 }),
    ],
    [
      'a row that does not fill its blocks',
      new GgufWriter()
        .counts(1, 0)
        .tensor({ name: 't', shape: [31], type: TENSOR_TYPES.Q8_0, offset: 0 }),
    ],
    [
      'a tensor in the wrong place',
      new GgufWriter()
        .counts(1, 0)
        .tensor({ name: 't', shape: [32], type: TENSOR_TYPES.Q8_0, offset: 32 }),
    ],
  ])('with %s is corrupt', async (_name, writer) => {
    expect((await failure(readGgufHeader(writer.bytes()))).code).toBe('CORRUPT');
  });

  test('has a message without control characters', async () => {
    const writer = new GgufWriter().counts(0, 2);
    for (let i = 0; i < 2; i += 1) writer.pair('\u001b[31mred', { type: 'u8', value: 1 });
    const { message } = await failure(readGgufHeader(writer.bytes()));
    expect(message).not.toContain('\u001b');
  });
});

test('reading is cancelled by the signal, with its reason', async () => {
  const reason = new Error('enough');
  await expect(readGgufHeader(smallModel(), { signal: AbortSignal.abort(reason) })).rejects.toBe(
    reason,
  );
});
