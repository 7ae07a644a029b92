import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  GEMMA_1B,
  KIMI_LINEAR,
  LLAMA_8B,
  modelFolder,
  publishedFolder,
  QWEN_NEXT,
  safetensorsHeader,
  writeSafetensors,
} from '../../test/mlx-models.js';
import { readMlxModel } from './read-mlx-model.js';

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

function folderWith(files: Parameters<typeof modelFolder>[0]): string {
  const folder = modelFolder(files);
  folders.push(folder);
  return folder;
}

const config = JSON.stringify(LLAMA_8B.config);
const index = (total: unknown, ...files: string[]) =>
  JSON.stringify({
    metadata: { total_size: total },
    weight_map: Object.fromEntries(files.map((file, i) => [`tensor.${i}`, file])),
  });

test.each([LLAMA_8B, GEMMA_1B, QWEN_NEXT])(
  '$name: the weights are the tensors of the header, and nothing is guessed',
  async (published) => {
    const folder = publishedFolder(published);
    folders.push(folder);
    const model = await readMlxModel(folder);
    expect(model).toMatchObject({
      architecture: published.config['model_type'],
      layers: published.config['num_hidden_layers'],
      maxContextTokens: published.config['max_position_embeddings'],
      weightsBytes: published.weightsBytes,
      complete: true,
      cache: { isKnown: true },
    });
  },
);

test('the longest context of Kimi Linear is 1,048,576 tokens, by the name that its config has for it', async () => {
  const folder = folderWith({ 'config.json': JSON.stringify(KIMI_LINEAR) });
  writeSafetensors(path.join(folder, 'model.safetensors'), 1000);
  expect(await readMlxModel(folder)).toMatchObject({ maxContextTokens: 1_048_576 });
});

test('the tensors of several files are added up, and the index is not needed', async () => {
  const folder = folderWith({ 'config.json': config });
  writeSafetensors(path.join(folder, 'model-00001-of-00002.safetensors'), 5000);
  writeSafetensors(path.join(folder, 'model-00002-of-00002.safetensors'), 300);
  expect(await readMlxModel(folder)).toMatchObject({ weightsBytes: 5300, complete: true });
});

test('a file that does not belong to the model (an adapter, another layout) is not counted', async () => {
  const folder = folderWith({ 'config.json': config });
  for (const name of ['model.safetensors', 'adapters.safetensors', 'consolidated.safetensors'])
    writeSafetensors(path.join(folder, name), 1000);
  expect(await readMlxModel(folder)).toMatchObject({ weightsBytes: 1000 });
});

test('the size that an index states is not trusted where all files are there', async () => {
  const folder = folderWith({
    'config.json': config,
    'model.safetensors.index.json': index(7, 'model.safetensors'),
  });
  writeSafetensors(path.join(folder, 'model.safetensors'), 1000);
  expect(await readMlxModel(folder)).toMatchObject({ weightsBytes: 1000, complete: true });
});

test('an index alone gives the size of a model that is not downloaded', async () => {
  const folder = folderWith({
    'config.json': config,
    'model.safetensors.index.json': index(4_517_404_672, 'model.safetensors'),
  });
  expect(await readMlxModel(folder)).toMatchObject({
    weightsBytes: 4_517_404_672,
    complete: false,
  });
});

test('a missing file of several makes the model incomplete, with the size of the index', async () => {
  const folder = folderWith({
    'config.json': config,
    'model.safetensors.index.json': index(9000, 'model-1.safetensors', 'model-2.safetensors'),
  });
  writeSafetensors(path.join(folder, 'model-1.safetensors'), 1000);
  expect(await readMlxModel(folder)).toMatchObject({ weightsBytes: 9000, complete: false });
});

const part = (number: number, count: number) =>
  `model-${String(number).padStart(5, '0')}-of-${String(count).padStart(5, '0')}.safetensors`;
const parts = (count: number) => Array.from({ length: count }, (_, i) => part(i + 1, count));

describe('an index of the weights before they were quantized', () => {
  // Blaizzy/mlx-vlm #624: mlx-vlm copies this index over its own. Both mlx-vlm and mlx-lm load the model.
  test.each([
    // ml-explore/mlx-swift-lm #554: the index states the 8.9 GB of two parts; the model has one file of 3.1 GB.
    ['Qwen3-VL-4B-Instruct-4bit', parts(2), ['model.safetensors'], 8_900_000_000, true],
    // The same report: four parts in the index, and two files.
    ['Qwen3-VL-8B-Instruct-4bit', parts(4), parts(2), 17_500_000_000, true],
    // #624: ten parts in the index, and four files.
    ['Mistral-Small-3.1-24B-Instruct-2503-6bit', parts(10), parts(4), 48_000_000_000, true],
    ['one of two parts', parts(4), parts(2).slice(0, 1), 17_500_000_000, false],
    ['three of four parts', parts(4), parts(4).slice(1), 17_500_000_000, false],
    [
      'a vision file',
      ['model.safetensors', 'model-vision.safetensors'],
      ['model.safetensors'],
      9000,
      false,
    ],
  ])(
    '%s: complete only where the files are a whole of their own',
    async (_, named, files, total, complete) => {
      const folder = folderWith({
        'config.json': config,
        'model.safetensors.index.json': index(total, ...named),
      });
      for (const file of files) writeSafetensors(path.join(folder, file), 1000);
      const weightsBytes = complete ? files.length * 1000 : total;
      expect(await readMlxModel(folder)).toMatchObject({ weightsBytes, complete });
    },
  );
});

test.each([
  [0, true],
  [1, false],
])('a file that lacks %i bytes: complete is %s', async (missing, complete) => {
  const folder = folderWith({ 'config.json': config });
  writeSafetensors(path.join(folder, 'model.safetensors'), 1000, missing);
  expect(await readMlxModel(folder)).toMatchObject({ weightsBytes: 1000, complete });
});

test('a config.json with numbers that only Python writes is read', async () => {
  const written = config.replace(
    /}$/,
    ', "time_step_limit": [0.0, Infinity], "a": "NaN, -Infinity"}',
  );
  const folder = folderWith({ 'config.json': written.replace('131072', 'NaN') });
  writeSafetensors(path.join(folder, 'model.safetensors'), 1000);
  expect(await readMlxModel(folder)).toMatchObject({ layers: 32, maxContextTokens: null });
});

test('a vision model is read by the config of its language model', async () => {
  const folder = folderWith({
    'config.json': JSON.stringify({ model_type: 'gemma3', text_config: GEMMA_1B.config }),
    'model.safetensors': Buffer.concat([safetensorsHeader(0)]),
  });
  expect(await readMlxModel(folder)).toMatchObject({ architecture: 'gemma3_text', layers: 26 });
});

test.each([
  ['has no heads', { model_type: 'llama', num_hidden_layers: 32, hidden_size: 4096 }],
  ['has figures of other types', { ...LLAMA_8B.config, num_attention_heads: '32' }],
  ['has a figure that no model has', { ...LLAMA_8B.config, num_hidden_layers: 1e9 }],
])('a config that %s gives known weights and an unknown cache', async (_, fields) => {
  const folder = folderWith({ 'config.json': JSON.stringify(fields) });
  writeSafetensors(path.join(folder, 'model.safetensors'), 1000);
  expect(await readMlxModel(folder)).toMatchObject({ weightsBytes: 1000, cache: null });
});

const tensors = (...offsets: unknown[]) =>
  JSON.stringify(Object.fromEntries(offsets.map((at, i) => [`t${i}`, { data_offsets: at }])));
const longHeader = Buffer.alloc(8);
longHeader.writeBigUInt64LE(2n ** 63n);

describe('damaged files', () => {
  test.each<[string, Buffer]>([
    ['is empty', Buffer.alloc(0)],
    ['ends in the length of its header', Buffer.alloc(7)],
    ['states no header', Buffer.alloc(64)],
    ['states a header of an impossible length', Buffer.concat([longHeader, Buffer.alloc(64)])],
    ['ends in its header', safetensorsHeader(10).subarray(0, 20)],
    ['has a header that is not JSON', safetensorsHeader(0, 'not JSON')],
    ['has a list as its header', safetensorsHeader(0, '[1, 2]')],
    ['has a header with invalid UTF-8', Buffer.concat([safetensorsHeader(0, '{"\xff":1}')])],
    ['has a header that is nested too deep', safetensorsHeader(0, '['.repeat(500_000))],
    ['has a tensor without offsets', safetensorsHeader(0, '{"t": {}}')],
    ['has a tensor that ends before it begins', safetensorsHeader(0, tensors([10, 5]))],
    ['has a negative offset', safetensorsHeader(0, tensors([-10, 5]))],
    ['has an offset that is not whole', safetensorsHeader(0, tensors([0, 5.5]))],
    ['has an offset beyond any file', safetensorsHeader(0, tensors([0, 2 ** 60]))],
    ['has tensors that overlap', safetensorsHeader(0, tensors([0, 10], [0, 10]))],
    ['has a hole between its tensors', safetensorsHeader(0, tensors([0, 10], [20, 30]))],
  ])('a safetensors file that %s is CORRUPT', async (_, bytes) => {
    const folder = folderWith({ 'config.json': config, 'model.safetensors': bytes });
    await expect(readMlxModel(folder)).rejects.toMatchObject({
      name: 'ModelFileError',
      code: 'CORRUPT',
      path: path.join(folder, 'model.safetensors'),
    });
  });

  test.each([
    ['config.json', '{"model_type": '],
    ['config.json', 'null'],
    ['config.json', ' '.repeat(4 * 1024 * 1024 + 1)],
    ['model.safetensors.index.json', '[]'],
    ['model.safetensors.index.json', index('many', 'model-2.safetensors')],
  ])('%s with %.20s is CORRUPT', async (name, content) => {
    const folder = folderWith({ 'config.json': config, [name]: content });
    writeSafetensors(path.join(folder, 'model.safetensors'), 1000);
    await expect(readMlxModel(folder)).rejects.toMatchObject({
      code: 'CORRUPT',
      path: path.join(folder, name),
    });
  });

  test('tensors that add up to more than a number can hold are CORRUPT', async () => {
    const folder = folderWith({ 'config.json': config });
    for (const name of ['model-1.safetensors', 'model-2.safetensors'])
      writeFileSync(path.join(folder, name), safetensorsHeader(Number.MAX_SAFE_INTEGER));
    await expect(readMlxModel(folder)).rejects.toMatchObject({ code: 'CORRUPT' });
  });
});

describe('a path that is not a model', () => {
  test('a folder that does not exist is FILE_NOT_FOUND', async () => {
    const folder = path.join(folderWith({}), 'missing');
    await expect(readMlxModel(folder)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });

  test.each([
    ['config.json', { 'model.safetensors': safetensorsHeader(0) }],
    ['safetensors files', { 'config.json': config }],
  ])('a folder without %s is FILE_NOT_FOUND', async (_, files) => {
    await expect(readMlxModel(folderWith(files))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });

  test('a folder or a named pipe in place of a file is FILE_UNREADABLE', async () => {
    const withFolder = folderWith({ 'config.json': config });
    mkdirSync(path.join(withFolder, 'model.safetensors'));
    await expect(readMlxModel(withFolder)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    if (process.platform === 'win32') return;
    const withPipe = folderWith({ 'config.json': config });
    execFileSync('mkfifo', [path.join(withPipe, 'model.safetensors')]);
    await expect(readMlxModel(withPipe)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});

test('a cancelled reading throws the reason of its signal', async () => {
  const reason = new Error('cancelled');
  const folder = publishedFolder(GEMMA_1B);
  folders.push(folder);
  await expect(readMlxModel(folder, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const controller = new AbortController();
  const reading = readMlxModel(folder, { signal: controller.signal });
  controller.abort(reason);
  await expect(reading).rejects.toBe(reason);
});
