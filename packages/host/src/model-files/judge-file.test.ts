import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
// The estimator does not export its test files.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { writeSafetensors } from '../../../memory-estimator/test/mlx-models.js';
import { judgeMlx } from './judge-file.js';

const CONFIG = JSON.stringify({ model_type: 'llama', num_hidden_layers: 2, hidden_size: 64 });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai mlx '));
});
afterEach(() => rm(folder, { recursive: true }));

const judge = () => judgeMlx(folder, new AbortController().signal);
const put = (name: string, contents: string) => writeFile(path.join(folder, name), contents);
const weights = (name = 'model.safetensors') => writeSafetensors(path.join(folder, name), 1000);

test.each(['model.safetensors', 'weights.00.safetensors'])(
  'an MLX model with %s is a model',
  async (name) => {
    await put('config.json', CONFIG);
    weights(name);
    expect(await judge()).toEqual({ kind: 'model' });
  },
);

// Names of Hugging Face. Their config.json is that of Qwen3ForCausalLM (jundot/omlx #165), a chat model.
test.each(['Qwen3-Reranker-0.6B-mxfp8', 'jina-reranker-v3-mlx'])(
  'the MLX model %s is a reranker',
  async (name) => {
    await mkdir(path.join(folder, name));
    await put(`${name}/config.json`, CONFIG);
    weights(`${name}/model.safetensors`);
    const at = path.join(folder, name);
    expect(await judgeMlx(at, new AbortController().signal)).toMatchObject({
      kind: 'unusable',
      code: 'RERANKER',
    });
  },
);

test.each([
  ['{"model_type":', 'CORRUPT', 'its config.json does not contain valid JSON'],
  ['', 'CORRUPT', 'its config.json does not contain valid JSON'],
  ['[]', 'CORRUPT', 'its config.json does not contain a JSON object'],
  ['{}', 'METADATA_MISSING', 'its config.json lacks model_type'],
  [
    '{"model_type":"whisper"}',
    'SPEECH_MODEL',
    'it is a model for speech or sound, not a language model',
  ],
])('an MLX model with the config.json %j is refused: %s', async (config, code, why) => {
  await put('config.json', config);
  weights();
  expect(await judge()).toEqual({ kind: 'unusable', code, why });
});

test.each([
  ['', 'CORRUPT', 'its model.safetensors ends in its header'],
  [
    'version https://git-lfs.github.com/spec/v1',
    'CORRUPT',
    expect.stringMatching(/^its model\.safetensors states a header of \d+ bytes$/),
  ],
])('an MLX model with the weights %j is refused: %s', async (contents, code, why) => {
  await put('config.json', CONFIG);
  await put('model.safetensors', contents);
  expect(await judge()).toEqual({ kind: 'unusable', code, why });
});

test('an MLX model whose download has not ended is incomplete', async () => {
  await put('config.json', CONFIG);
  const header = '{"a":{"dtype":"U8","shape":[1000],"data_offsets":[0,1000]}}';
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  await put('model.safetensors', `${length.toString('latin1')}${header}`);
  expect(await judge()).toMatchObject({ kind: 'unusable', code: 'INCOMPLETE' });
});

test('a folder with an adapter only is refused', async () => {
  await put('config.json', CONFIG);
  weights('adapters.safetensors');
  expect(await judge()).toMatchObject({ kind: 'unusable', code: 'ADAPTER' });
});

// lmstudio-ai/lmstudio-bug-tracker #451, ml-explore/mlx-engine #79: macOS writes `._NAME` on a drive without attributes.
test('a file with the attributes that macOS keeps of an adapter is not a model', async () => {
  await put('config.json', CONFIG);
  weights('adapters.safetensors');
  await put('._adapters.safetensors', 'Mac OS X');
  expect(await judge()).toMatchObject({ kind: 'unusable', code: 'ADAPTER' });
});

test('a folder in the place of config.json is refused, and is not waited for', async () => {
  await mkdir(path.join(folder, 'config.json'));
  weights();
  expect(await judge()).toEqual({
    kind: 'unusable',
    code: 'FILE_UNREADABLE',
    why: 'its config.json is not a regular file',
  });
});

test('a folder that does not exist is not found', async () => {
  await rm(folder, { recursive: true });
  expect(await judge()).toMatchObject({ kind: 'unusable', code: 'FILE_NOT_FOUND' });
  await mkdir(folder);
});
