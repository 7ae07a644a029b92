import { caught, fakeWorld } from '../../test/fake-world.js';
import type { LocalModel } from '../index.js';

const LLAMA = { 'general.architecture': 'llama', 'general.file_type': '15' };

test('names files by their repository, and keeps parts and projectors with their model', async () => {
  await using world = await fakeWorld();
  const header = { ...LLAMA, 'llama.context_length': '4096', 'general.size_label': '7B' };
  await world.write('pub/Big-7B-GGUF/big-Q4_K_M-00001-of-00002.gguf', {}, header);
  await world.write('pub/Big-7B-GGUF/big-Q4_K_M-00002-of-00002.gguf', {}, header);
  await world.write('pub/Big-7B-GGUF/mmproj-big-f16.gguf', {}, { 'general.architecture': 'clip' });
  await world.write('pub/Two-GGUF/two-a.gguf', {}, { ...LLAMA, 'general.file_type': '7' });
  await world.write('pub/Two-GGUF/two-b.gguf', {}, LLAMA);
  await world.write('Alone.gguf', {}, LLAMA);
  await using runtime = await world.open();
  const { models, leftOut } = await runtime.listDownloaded();
  expect(leftOut).toEqual([]);
  expect(models.map(({ modelKey }) => modelKey).sort()).toEqual([
    'alone',
    'big-7b',
    'two@q4_k_m',
    'two@q8_0',
  ]);
  const big = models.find(({ modelKey }) => modelKey === 'big-7b');
  expect(big).toMatchObject({
    kind: 'llm',
    publisher: 'pub',
    architecture: 'llama',
    quantization: { name: 'Q4_K_M', bits: 4 },
    parameters: '7B',
    maxContextLengthTokens: 4096,
    vision: true,
    path: 'pub/Big-7B-GGUF/big-Q4_K_M-00001-of-00002.gguf',
    files: [expect.stringContaining('00001-of'), expect.stringContaining('00002-of')],
    projectorFile: expect.stringContaining('mmproj-big-f16.gguf'),
  });
});

test('leaves out projectors, and names the rerankers, broken files and incomplete models that it leaves out', async () => {
  await using world = await fakeWorld();
  await world.write('a/mmproj-x.gguf', {}, { 'general.architecture': 'clip' });
  await world.write(
    'b/rank.gguf',
    {},
    { 'general.architecture': 'bert', 'bert.pooling_type': '4' },
  );
  await world.write('c/broken.gguf', {}, null);
  await world.write('d/half-00001-of-00002.gguf', {}, LLAMA);
  await world.writeRaw('e/crash.gguf', { crashInspection: true });
  await world.write('f/good.gguf', {}, LLAMA);
  await using runtime = await world.open();
  const { models, leftOut } = await runtime.listDownloaded();
  expect(models.map(({ modelKey }) => modelKey)).toEqual(['good']);
  expect([...leftOut].sort((a, b) => ((a.modelKey ?? '') < (b.modelKey ?? '') ? -1 : 1))).toEqual([
    { modelKey: 'broken', type: null, reason: 'unreadable' },
    { modelKey: 'crash', type: null, reason: 'unreadable' },
    { modelKey: 'half', type: null, reason: 'unreadable' },
    { modelKey: 'rank', type: 'bert', reason: 'other-kind' },
  ]);
});

test.each([
  ['nomic-bert', {}, 'embedding'],
  ['qwen3', { 'qwen3.pooling_type': '3' }, 'embedding'],
  ['qwen3', { 'qwen3.pooling_type': '0' }, 'llm'],
  ['gemma-embedding', {}, 'embedding'],
])('%s with %p is an %s', async (architecture, more, kind) => {
  await using world = await fakeWorld();
  await world.write('x.gguf', {}, { 'general.architecture': architecture, ...more });
  await using runtime = await world.open();
  const { model, capabilities } = await runtime.modelInfo('x');
  expect(model.kind).toBe(kind);
  expect(capabilities).toEqual(kind === 'llm' ? ['chat'] : ['embedding']);
});

test('models of the port come first, and a file that both name is one model', async () => {
  await using world = await fakeWorld();
  await world.write('x.gguf', {}, LLAMA);
  await using listing = await world.open();
  const [found] = (await listing.listDownloaded()).models;
  const supplied: LocalModel = { ...(found ?? fail()), modelKey: 'from-the-host' };
  await using runtime = await world.open({ models: () => Promise.resolve([supplied]) });
  const { models } = await runtime.listDownloaded();
  expect(models.map(({ modelKey }) => modelKey)).toEqual(['from-the-host']);
});

test('an absent folder has no models, and an unknown key says so', async () => {
  await using world = await fakeWorld();
  await using runtime = await world.open({ modelFolders: ['/nowhere'] });
  expect(await runtime.listDownloaded()).toEqual({ models: [], leftOut: [] });
  expect(await caught(runtime.modelInfo('x'))).toMatchObject({
    code: 'MODEL_NOT_FOUND',
    message: expect.stringContaining('No GGUF file was found'),
  });
});

function fail(): never {
  throw new Error('no model was found');
}
