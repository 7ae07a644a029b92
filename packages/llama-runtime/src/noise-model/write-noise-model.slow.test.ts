import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { noiseModelBytes, noiseModelShape, writeNoiseModel } from './write-noise-model.js';

const MIB = 2 ** 20;

let folder: string;
beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'mai noise '))));
afterEach(() => rm(folder, { recursive: true }));

const fileOf = (name: string): string => path.join(folder, name);

test.each([8, 64, 128, 256, 512])('a shape for %i MiB has nearly that size', (mebibytes) => {
  const bytes = noiseModelBytes(noiseModelShape(mebibytes * MIB));
  expect(Math.abs(bytes / (mebibytes * MIB) - 1)).toBeLessThan(0.1);
});

test('each size from 8 MiB to 24 GiB has a shape within a sixth, and within a tenth from 12 MiB on', () => {
  for (let bytes = 8 * MIB; bytes <= 24 * 1024 * MIB; bytes *= 1.01) {
    expect(Math.abs(noiseModelBytes(noiseModelShape(bytes)) / bytes - 1)).toBeLessThan(
      bytes < 12 * MIB ? 1 / 6 : 1 / 10,
    );
  }
});

test.each([NaN, -1, 0, MIB / 4, 32 * 1024 * MIB, Infinity])('no shape has %d bytes', (bytes) => {
  expect(() => noiseModelShape(bytes)).toThrow(RangeError);
});

test.each([
  [{ width: 320 }, 'width must be a multiple of 256, not 320, because its heads have 64 values'],
  [{ width: 0 }, 'width must be a whole number from 256 to 2147483647, not 0.'],
  [{ width: -256 }, 'width must be a whole number from 256'],
  [{ width: NaN }, 'width must be a whole number from 256'],
  [{ layers: 0 }, 'layers must be a whole number from 1 to 512, not 0.'],
  [{ layers: 1.5 }, 'layers must be a whole number from 1 to 512, not 1.5.'],
  [{ layers: 513 }, 'layers must be a whole number from 1 to 512, not 513.'],
  [{ vocabularySize: 258 }, 'vocabularySize must be a whole number from 259'],
  [{ vocabularySize: 300.5 }, 'vocabularySize must be a whole number from 259'],
  [{ maxContextLengthTokens: 0 }, 'maxContextLengthTokens must be a whole number from 1'],
  [{ maxContextLengthTokens: 2 ** 31 }, 'maxContextLengthTokens must be a whole number from 1'],
  [{ seed: 0.5 }, 'seed must be a whole number from 0 to 4294967295, not 0.5.'],
])('%j is refused with the reason, and no file is written', async (change, message) => {
  const shape = { layers: 1, width: 256, ...change };
  await expect(writeNoiseModel(fileOf('a.gguf'), shape)).rejects.toThrow(RangeError);
  await expect(writeNoiseModel(fileOf('a.gguf'), shape)).rejects.toThrow(message);
  expect(() => noiseModelBytes(shape)).toThrow(message);
  expect(await readdir(folder)).toEqual([]);
});

test.each(['llm', 'embedding'] as const)(
  'the file of an %s has the promised size',
  async (kind) => {
    const shape = { kind, layers: 2, width: 256 };
    const written = await writeNoiseModel(fileOf('a.gguf'), shape);
    expect(written).toBe(noiseModelBytes(shape));
    expect((await stat(fileOf('a.gguf'))).size).toBe(written);
  },
);

test('the same seed gives the same bytes, and another seed gives others', async () => {
  const shape = { layers: 1, width: 256 };
  await writeNoiseModel(fileOf('a.gguf'), shape);
  await writeNoiseModel(fileOf('b.gguf'), shape);
  await writeNoiseModel(fileOf('c.gguf'), { ...shape, seed: 2 });
  const [a, b, c] = await Promise.all(
    ['a.gguf', 'b.gguf', 'c.gguf'].map((name) => readFile(fileOf(name))),
  );
  expect(b?.equals(a ?? Buffer.of())).toBe(true);
  expect(c?.equals(a ?? Buffer.of())).toBe(false);
});

test('writing ends when its signal fires', async () => {
  const reason = new Error('enough');
  const writing = writeNoiseModel(
    fileOf('a.gguf'),
    { layers: 1, width: 256 },
    { signal: AbortSignal.abort(reason) },
  );
  await expect(writing).rejects.toBe(reason);
});

test('the types of the tokens are int32, because newer versions of llama.cpp refuse uint32', async () => {
  await writeNoiseModel(fileOf('a.gguf'), { layers: 1, width: 256 });
  const bytes = await readFile(fileOf('a.gguf'));
  const key = Buffer.from('tokenizer.ggml.token_type');
  const at = bytes.indexOf(key) + key.length;
  // GGUF's numbers: 9 is an array, 5 is int32.
  expect([bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)]).toEqual([9, 5]);
});
