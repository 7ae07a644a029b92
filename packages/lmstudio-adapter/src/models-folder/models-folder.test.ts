import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { FileJudgement } from './group-files.js';
import { keyOfFile, looksLikeEmbedding, parametersIn, quantizationIn } from './model-key.js';
import { findProjector, scanModelsFolder } from './scan-models-folder.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai models '));
});
afterEach(() => rm(folder, { recursive: true }));

const put = async (file: string, bytes = 10): Promise<void> => {
  await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
  await writeFile(path.join(folder, file), Buffer.alloc(bytes));
};
const scan = async () => (await scanModelsFolder(folder)).models;

test('a folder that does not exist, or is empty, has no models', async () => {
  expect(await scan()).toEqual([]);
  const nothing = { models: [], unusable: [], unreadable: [] };
  expect(await scanModelsFolder(folder)).toEqual({ found: true, ...nothing });
  expect(await scanModelsFolder(path.join(folder, 'nowhere'))).toEqual({
    found: false,
    ...nothing,
  });
});

test('one file is one model', async () => {
  await put('lmstudio-community/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf', 100);
  expect(await scan()).toEqual([
    {
      modelKey: 'qwen3-4b',
      kind: 'llm',
      displayName: 'Qwen3 4B',
      publisher: 'lmstudio-community',
      architecture: null,
      format: 'gguf',
      quantization: { name: 'Q4_K_M', bits: 4 },
      sizeBytes: 100,
      parameters: '4B',
      maxContextLengthTokens: null,
      vision: false,
      toolUse: false,
      reasoning: null,
      variants: [],
      selectedVariant: null,
      path: 'lmstudio-community/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf',
      deviceIdentifier: null,
      filePath: path.join(folder, 'lmstudio-community/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf'),
      files: [path.join(folder, 'lmstudio-community/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf')],
      projectorPath: null,
    },
  ]);
});

test('each quantization in a repository gets its own key', async () => {
  await put('p/M-7B-GGUF/M-7B-Q4_K_M.gguf');
  await put('p/M-7B-GGUF/M-7B-Q8_0.gguf');
  expect((await scan()).map(({ modelKey }) => modelKey)).toEqual(['m-7b@q4_k_m', 'm-7b@q8_0']);
});

test('the parts of a split file are one model, also in a folder of their own', async () => {
  for (const part of [1, 2, 3]) await put(`p/M-GGUF/Q6_K/M-Q6_K-0000${part}-of-00003.gguf`, part);
  const [model, ...others] = await scan();
  expect(others).toEqual([]);
  expect(model).toMatchObject({ modelKey: 'm', sizeBytes: 6 });
  expect(model?.files.map((file) => path.basename(file))).toEqual([
    'M-Q6_K-00001-of-00003.gguf',
    'M-Q6_K-00002-of-00003.gguf',
    'M-Q6_K-00003-of-00003.gguf',
  ]);
  expect(model?.filePath).toBe(model?.files[0]);
});

// unsloth/GLM-4.5-Air-GGUF as in Michael-A-Kuykendall/shimmy #170, and the folders of mikjee/warpdrv #7.
test('quantizations in folders of their own are models of one repository', async () => {
  for (const quantization of ['Q3_K_S', 'Q4_K_M'])
    for (const part of [1, 2])
      await put(
        `unsloth/GLM-4.5-Air-GGUF/${quantization}/GLM-4.5-Air-${quantization}-0000${part}-of-00002.gguf`,
      );
  await put('unsloth/GLM-4.5-Air-GGUF/GLM-4.5-Air-UD-TQ1_0.gguf');
  for (const name of ['one', 'two']) await put(`work/ai/${name}/${name}-7b-Q4_K_M.gguf`);
  expect((await scan()).map(({ modelKey, files }) => [modelKey, files.length])).toEqual([
    ['glm-4.5-air@q3_k_s', 2],
    ['glm-4.5-air@q4_k_m', 2],
    ['glm-4.5-air@ud-tq1_0', 1],
    ['one', 1],
    ['two', 1],
  ]);
});

// lmstudio-bug-tracker #1316: a user sorts the folders of publishers into folders of their own.
test.each([
  [
    'models-vision/lmstudio-community/gemma-4-12b-it-GGUF/gemma-4-12b-it-Q8_0.gguf',
    'gemma-4-12b-it',
  ],
  ['archive/2025/pub/Deep-7B-GGUF/Deep-7B-Q8_0.gguf', 'deep-7b'],
  ['big/unsloth/Next-GGUF/Q6_K/Next-Q6_K-00001-of-00001.gguf', 'next'],
  ['big/unsloth/Next-GGUF/Next-Q6_K/Next-Q6_K-00001-of-00001.gguf', 'next'],
  ['unsloth/Next-GGUF/gguf/next-q4_0.gguf', 'next'],
  ['work/ai/llms/foo-7b-Q4_K_M.gguf', 'foo-7b-q4_k_m'],
])('%s is the model %s', async (file, modelKey) => {
  await put(file);
  expect((await scan()).map((model) => model.modelKey)).toEqual([modelKey]);
});

// `hf download unsloth/Next-GGUF --local-dir Next-GGUF` writes no folder of a publisher.
test.each(['free', 'lmstudio'] as const)(
  'a folder that is named only like a quantization is no name of a model in the layout %s',
  async (layout) => {
    for (const quantization of ['Q4_K_M', 'UD-Q8_K_XL'])
      await put(`Next-GGUF/${quantization}/Next-${quantization}.gguf`);
    const { models } = await scanModelsFolder(folder, { layout });
    expect(models.map(({ modelKey }) => modelKey)).toEqual(['next@q4_k_m', 'next@ud-q8_k_xl']);
  },
);

test('models in folders for one quantization each, or in no folder of their own, keep the names of their files', async () => {
  await put('gguf/Q4_K_M/a-7b-Q4_K_M.gguf');
  await put('gguf/Q4_K_M/b-7b-Q4_K_M.gguf');
  await put('gguf/Q8_0/a-7b-Q8_0.gguf');
  for (const part of [1, 2]) await put(`mine/gguf/BF16/c-7b-BF16-0000${part}-of-00002.gguf`);
  await put('d-7b-Q4_K_M.gguf');
  await put('e-7b-Q4_K_M.gguf');
  for (const file of ['config.json', 'model.safetensors']) await put(`pub/F-7B/4bit/${file}`);
  expect((await scan()).map(({ modelKey }) => modelKey)).toEqual([
    'a-7b-q4_k_m',
    'a-7b-q8_0',
    'b-7b-q4_k_m',
    'c-7b-bf16',
    'd-7b-q4_k_m',
    'e-7b-q4_k_m',
    'f-7b',
  ]);
});

test('a folder with a name and a quantization is a model of its own below a folder for several models', async () => {
  for (const name of ['mistral-7b-Q4_K_M', 'mistral-7b-Q8_0', 'mistral-nemo-12b-Q8_0'])
    await put(`mistral/${name}/${name}.gguf`);
  // bartowski names the folders of split files so.
  for (const name of ['Large-Q4_K_M', 'Large-Q8_0']) await put(`Large-GGUF/${name}/${name}.gguf`);
  const { models } = await scanModelsFolder(folder, { layout: 'free' });
  expect(models.map(({ modelKey }) => modelKey)).toEqual([
    'large@q4_k_m',
    'large@q8_0',
    'mistral-7b-q4_k_m',
    'mistral-7b-q8_0',
    'mistral-nemo-12b-q8_0',
  ]);
});

test('a publisher below the user’s own folder is that publisher, also of an MLX model', async () => {
  await put('mine/pub/A-GGUF/A-Q8_0.gguf');
  for (const file of ['config.json', 'model.safetensors']) await put(`mine/mlx-pub/B-4bit/${file}`);
  expect(await scan()).toMatchObject([
    { modelKey: 'a', publisher: 'pub' },
    { modelKey: 'b-4bit', publisher: 'mlx-pub' },
  ]);
});

test('a split file with a part missing is named, and does not take the key of a model', async () => {
  await put('p/M-GGUF/M-Q6_K-00002-of-00003.gguf');
  await put('p/M-GGUF/M-Q4_K_M.gguf');
  const { models, unusable } = await scanModelsFolder(folder);
  expect(models.map(({ modelKey }) => modelKey)).toEqual(['m']);
  expect(unusable).toEqual([
    {
      path: 'p/M-GGUF/M-Q6_K-00002-of-00003.gguf',
      filePath: path.join(folder, 'p/M-GGUF/M-Q6_K-00002-of-00003.gguf'),
      modelKey: 'm@q6_k',
      code: 'INCOMPLETE',
      why: 'parts are missing',
    },
  ]);
});

// oobabooga/textgen #6187 (mradermacher's parts), openinterpreter #691 (TheBloke's).
test.each([
  ['Q8_0.gguf.part1of2', 'Q8_0.gguf.part2of2'],
  ['Q8_0.gguf-split-a', 'Q8_0.gguf-split-b'],
])(
  'a file that was cut into %s and so on is named once, and takes no key of a model',
  async (...ends) => {
    for (const end of ends) await put(`p/M-7B-GGUF/M-7B.${end}`);
    await put('p/M-7B-GGUF/M-7B.Q4_K_M.gguf');
    const { models, unusable } = await scanModelsFolder(folder);
    expect(models.map(({ modelKey }) => modelKey)).toEqual(['m-7b']);
    expect(unusable).toMatchObject([{ path: `p/M-7B-GGUF/M-7B.${ends[0]}`, code: 'CUT' }]);
  },
);

test('files that the judge refuses are named, and take no key', async () => {
  await put('p/M-GGUF/M-Q8_0.gguf', 100);
  await put('p/M-GGUF/imatrix.gguf');
  await put('p/Matrix-GGUF/imatrix.gguf');
  await put('p/M-GGUF/encoder-f16.gguf', 7);
  await put('p/M-GGUF/M-Q4_0.gguf', 30);
  const judge = (file: string): Promise<FileJudgement> =>
    Promise.resolve(
      /imatrix/.test(file)
        ? { kind: 'unusable', code: 'IMPORTANCE_MATRIX', why: 'it is an importance matrix' }
        : { kind: /encoder/.test(file) ? 'projector' : 'model' },
    );
  const { models, unusable } = await scanModelsFolder(folder, { judge });
  expect(models).toMatchObject([
    { modelKey: 'm@q4_0', sizeBytes: 37 },
    { modelKey: 'm@q8_0', sizeBytes: 107 },
  ]);
  const refused = { code: 'IMPORTANCE_MATRIX', why: 'it is an importance matrix' };
  expect(unusable).toMatchObject([
    { path: 'p/M-GGUF/imatrix.gguf', modelKey: null, ...refused },
    { path: 'p/Matrix-GGUF/imatrix.gguf', modelKey: 'matrix', ...refused },
  ]);
});

test('two incomplete files of one repository get different keys', async () => {
  await put('p/M-GGUF/M-Q8_0-00001-of-00002.gguf');
  await put('p/M-GGUF/M-Q4_0-00002-of-00002.gguf');
  await put('p/M-GGUF/imatrix.gguf-00001-of-00002.gguf');
  const { unusable } = await scanModelsFolder(folder);
  expect(unusable.map(({ modelKey }) => modelKey)).toEqual(['m@q4_0', 'm@q8_0', null]);
});

test('a file that is named as a projector is one, unless the judge refuses it', async () => {
  await put('p/M-GGUF/M-Q8_0.gguf', 100);
  await put('p/M-GGUF/mmproj-F16.gguf');
  await put('p/N-GGUF/N-Q8_0.gguf', 100);
  await put('p/N-GGUF/mmproj-Q8_0.gguf', 7);
  const judge = (file: string): Promise<FileJudgement> =>
    Promise.resolve(
      /F16/.test(file)
        ? { kind: 'unusable', code: 'NOT_GGUF', why: 'it is empty' }
        : { kind: 'model' },
    );
  const { models, unusable } = await scanModelsFolder(folder, { judge });
  expect(models).toMatchObject([
    { modelKey: 'm', sizeBytes: 100, vision: false, projectorPath: null },
    { modelKey: 'n', sizeBytes: 107, vision: true },
  ]);
  expect(unusable).toMatchObject([
    { path: 'p/M-GGUF/mmproj-F16.gguf', modelKey: null, code: 'NOT_GGUF' },
    // No model disappears without a word.
    { path: 'p/N-GGUF/mmproj-Q8_0.gguf', modelKey: null, code: 'NAMED_PROJECTOR' },
  ]);
});

test.each([
  ['two publishers', 'a/M-7B-GGUF/M-7B-Q4_K_M.gguf', 'b/M-7B-GGUF/M-7B-Q4_K_M.gguf', 'm-7b'],
  ['one repository', 'p/M-GGUF/M-Q4_0.gguf', 'p/M-GGUF/M-v2-Q4_0.gguf', 'm@q4_0'],
  ['no quantization', 'p/M-GGUF/one.gguf', 'p/M-GGUF/two.gguf', 'm'],
])('two models that would get the same key get different keys: %s', async (_, one, two, key) => {
  await put(one, 1);
  await put(two, 2);
  expect(await scan()).toMatchObject(
    [
      { modelKey: key, sizeBytes: 1 },
      { modelKey: two, sizeBytes: 2 },
    ].sort((a, b) => (a.modelKey < b.modelKey ? -1 : 1)),
  );
});

test('lists a model whose name has a line break', async () => {
  await put('p/M\n7B-GGUF/M-Q4_0.gguf');
  expect(await scan()).toMatchObject([{ modelKey: 'm\n7b' }]);
});

(process.platform === 'linux' ? test : test.skip)(
  'names each file and each folder whose name is not UTF-8',
  async () => {
    await put('p/M-GGUF/M-Q4_0.gguf');
    const bytes = (text: string) =>
      Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(text, 'latin1')]);
    await writeFile(bytes('p/M-GGUF/b\xfcro.gguf'), 'GGUF');
    await mkdir(bytes('p/b\xfccher'));
    await mkdir(bytes('p/b\xe4cher'));
    const { models, unreadable } = await scanModelsFolder(folder);
    expect(models).toHaveLength(1);
    expect(unreadable).toEqual([
      { path: path.join(folder, 'p/M-GGUF/b\\xfcro.gguf'), code: 'NAME_NOT_UTF8' },
      { path: path.join(folder, 'p/b\\xe4cher'), code: 'NAME_NOT_UTF8' },
      { path: path.join(folder, 'p/b\\xfccher'), code: 'NAME_NOT_UTF8' },
    ]);
  },
);

test('a model with a projector has vision, and its size includes the projector', async () => {
  await put('p/gemma-3-4b-it-GGUF/gemma-3-4b-it-Q4_K_M.gguf', 100);
  await put('p/gemma-3-4b-it-GGUF/mmproj-model-f16.gguf', 20);
  expect(await scan()).toMatchObject([
    {
      vision: true,
      sizeBytes: 120,
      projectorPath: path.join(folder, 'p/gemma-3-4b-it-GGUF/mmproj-model-f16.gguf'),
    },
  ]);
});

test('finds the projector whose name is closest to the name of the model file', async () => {
  const at = (name: string) => path.join(folder, 'p/gemma-3-GGUF', name);
  await put('p/gemma-3-GGUF/gemma-3-4b-it-Q4_K_M.gguf');
  await put('p/gemma-3-GGUF/gemma-3-12b-it-Q4_K_M.gguf');
  expect(await findProjector(at('gemma-3-12b-it-Q4_K_M.gguf'))).toBeNull();
  await put('p/gemma-3-GGUF/mmproj-gemma-3-12b-it-f16.gguf');
  await put('p/gemma-3-GGUF/mmproj-gemma-3-4b-it-f16.gguf');
  for (const size of ['4b', '12b'])
    expect(await findProjector(at(`gemma-3-${size}-it-Q4_K_M.gguf`))).toBe(
      at(`mmproj-gemma-3-${size}-it-f16.gguf`),
    );
  expect(await findProjector(path.join(folder, 'nowhere', 'x.gguf'))).toBeNull();
});

// unslothai/unsloth #8566, lmstudio-ai/lmstudio-bug-tracker #451: the files `._NAME` of macOS were taken for models.
test('files that macOS writes beside the files of a model are no files of it', async () => {
  await put('p/gemma-3-GGUF/gemma-3-4b-it-Q4_K_M.gguf', 5);
  await put('p/gemma-3-GGUF/mmproj-gemma-3-4b-it-f16.gguf', 6);
  await put('p/gemma-3-GGUF/._gemma-3-4b-it-Q4_K_M.gguf');
  await put('p/gemma-3-GGUF/._mmproj-gemma-3-4b-it-f16.gguf');
  await put('p/gemma-3-GGUF/.DS_Store');
  expect(await scan()).toMatchObject([
    { path: 'p/gemma-3-GGUF/gemma-3-4b-it-Q4_K_M.gguf', sizeBytes: 11 },
  ]);
  expect(await findProjector(path.join(folder, 'p/gemma-3-GGUF/gemma-3-4b-it-Q4_K_M.gguf'))).toBe(
    path.join(folder, 'p/gemma-3-GGUF/mmproj-gemma-3-4b-it-f16.gguf'),
  );
});

test('a model gets no projector of another width, but the closest of its own', async () => {
  const widths: Readonly<Record<string, number>> = { 'a-4b.gguf': 64, 'mmproj-a-4b.gguf': 96 };
  const judge = (file: string): Promise<FileJudgement> => {
    const name = path.basename(file);
    const kind = name.startsWith('mmproj') ? 'projector' : 'model';
    return Promise.resolve({ kind, width: widths[name] ?? null });
  };
  const projector = async () =>
    (await scanModelsFolder(folder, { judge })).models[0]?.projectorPath;
  await put('p/a/a-4b.gguf');
  await put('p/a/mmproj-a-4b.gguf');
  expect(await projector()).toBeNull();
  await put('p/a/mmproj-x.gguf');
  expect(await projector()).toBe(path.join(folder, 'p/a/mmproj-x.gguf'));
});

test('an MLX folder is one model, and a folder of other files is not a model', async () => {
  await put('mlx-community/Qwen3-4B-4bit/config.json');
  await put('mlx-community/Qwen3-4B-4bit/model-00001-of-00002.safetensors', 5);
  await put('mlx-community/Qwen3-4B-4bit/model-00002-of-00002.safetensors', 6);
  await put('p/docs/README.md');
  await put('p/half/model.gguf.part');
  expect(await scan()).toMatchObject([
    {
      format: 'mlx',
      sizeBytes: 11,
      path: 'mlx-community/Qwen3-4B-4bit',
      quantization: { name: '4BIT', bits: 4 },
    },
  ]);
});

// JustVugg/colibri #1317: a file of another kind was counted as the missing part.
test('a file beside the parts of an MLX model does not replace a missing part', async () => {
  await put('mine/M/config.json');
  await put('mine/M/model-00001-of-00002.safetensors');
  await put('mine/M/mtp.safetensors');
  expect(await scan()).toEqual([]);
  await put('mine/M/model-00002-of-00002.safetensors');
  expect((await scan()).map(({ modelKey, files }) => [modelKey, files.length])).toEqual([['m', 3]]);
});

test('takes keys from the catalogue in LM Studio’s folder', async () => {
  await put('models/lmstudio-community/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf');
  const manifest = {
    type: 'model',
    dependencies: [
      {
        type: 'model',
        purpose: 'baseModel',
        modelKeys: ['lmstudio-community/qwen3-4b-gguf'],
        sources: [{ type: 'huggingface', user: 'lmstudio-community', repo: 'Qwen3-4B-GGUF' }],
      },
    ],
  };
  await put('hub/models/qwen/qwen3-4b/manifest.json');
  await writeFile(
    path.join(folder, 'hub/models/qwen/qwen3-4b/manifest.json'),
    JSON.stringify(manifest),
  );
  await put('hub/models/broken/one/manifest.json', 3);
  const { models } = await scanModelsFolder(path.join(folder, 'models'), { home: folder });
  expect(models.map(({ modelKey }) => modelKey)).toEqual(['qwen/qwen3-4b']);
});

test('follows links to another drive, and names broken links', async () => {
  await put('drive/M-Q8_0.gguf', 7);
  await mkdir(path.join(folder, 'models/p/M-GGUF'), { recursive: true });
  await symlink(
    path.join(folder, 'drive/M-Q8_0.gguf'),
    path.join(folder, 'models/p/M-GGUF/M-Q8_0.gguf'),
  );
  await symlink(path.join(folder, 'gone'), path.join(folder, 'models/p/M-GGUF/N-Q8_0.gguf'));
  const { models, unreadable } = await scanModelsFolder(path.join(folder, 'models'));
  expect(models).toMatchObject([{ sizeBytes: 7 }]);
  expect(unreadable).toEqual([
    { path: path.join(folder, 'models/p/M-GGUF/N-Q8_0.gguf'), code: 'ENOENT' },
  ]);
});

test('lists nothing twice where a link leads to a parent folder', async () => {
  await put('models/p/M-GGUF/M-Q8_0.gguf', 7);
  await put('models-of-old/p/N-GGUF/N-Q8_0.gguf', 8);
  await symlink(path.join(folder, 'models'), path.join(folder, 'models/p/again'));
  await symlink('.', path.join(folder, 'models/p/here'));
  await symlink(path.join(folder, 'models-of-old'), path.join(folder, 'models/old'));
  const { models } = await scanModelsFolder(path.join(folder, 'models'));
  expect(models.map((model) => model.path)).toEqual([
    'p/M-GGUF/M-Q8_0.gguf',
    'old/p/N-GGUF/N-Q8_0.gguf',
  ]);
});

test('lists the files of folders that link to each other, once for each link', async () => {
  await put('a/M-Q8_0.gguf');
  await put('b/N-Q8_0.gguf');
  await symlink('../b', path.join(folder, 'a/to-b'));
  await symlink('../a', path.join(folder, 'b/to-a'));
  const { models } = await scanModelsFolder(folder, { maxDepth: 20 });
  expect(models.map((model) => model.path).sort()).toEqual([
    'a/M-Q8_0.gguf',
    'a/to-b/N-Q8_0.gguf',
    'b/N-Q8_0.gguf',
    'b/to-a/M-Q8_0.gguf',
  ]);
});

test('names a folder that cannot be read', async () => {
  await put('p/ok/M-Q8_0.gguf');
  await put('p/closed/M-Q8_0.gguf');
  await chmod(path.join(folder, 'p/closed'), 0o000);
  const { models, unreadable } = await scanModelsFolder(folder);
  await chmod(path.join(folder, 'p/closed'), 0o755);
  // The superuser, and every user of Windows, can read the folder nevertheless.
  expect(models.length + unreadable.length).toBe(2);
});

test('rejects with the signal’s reason', async () => {
  const reason = new Error('stop');
  const signal = AbortSignal.abort(reason);
  await expect(scanModelsFolder(folder, { signal })).rejects.toBe(reason);
});

test.each([
  ['Qwen3-4B-Q4_K_M.gguf', 'Q4_K_M', 4],
  ['x-UD-IQ3_XXS.gguf', 'UD-IQ3_XXS', 3],
  ['gpt-oss-20b-MXFP4.gguf', 'MXFP4', 4],
  ['Qwen3.6-35B-A3B-NVFP4.gguf', 'NVFP4', 4],
  // lmstudio-ai/mlx-engine #282
  ['Ministral-3-14B-Reasoning-2512-mlx-mxfp8', 'MXFP8', 8],
  ['nomic-embed-text-v1.5.f16.gguf', 'F16', 16],
  ['Qwen3-4B-4bit', '4BIT', 4],
  // Names of Hugging Face: inferencerlabs and prism-ml.
  ['GLM-4.6-MLX-6.5bit', '6.5BIT', 6.5],
  ['Bonsai-8B-mlx-1bit', '1BIT', 1],
])('reads the quantization of %s', (name, quantization, bits) => {
  expect(quantizationIn(name)).toEqual({ name: quantization, bits });
});

test('reads names without a quantization, names with parameters, and names of embedding models', () => {
  expect(quantizationIn('llama-3.2-3b-instruct.gguf')).toBeNull();
  expect(parametersIn('Qwen3-30B-A3B-GGUF')).toBe('30B-A3B');
  expect(parametersIn('Mixtral-8x7B-Instruct')).toBe('8x7B');
  expect(parametersIn('phi-4')).toBeNull();
  expect(looksLikeEmbedding('nomic-ai/nomic-embed-text-v1.5-GGUF/x.gguf')).toBe(true);
  expect(looksLikeEmbedding('p/llama/x.gguf')).toBe(false);
  expect(looksLikeEmbedding('p/openPangu-Embedded-7B-GGUF/x.gguf')).toBe(false);
  const options = { embedding: true, onlyOne: true };
  expect(keyOfFile('nomic-embed-text-v1.5-GGUF', 'Q4_K_M', options)).toBe(
    'text-embedding-nomic-embed-text-v1.5',
  );
});

describe('the bounds of a scan', () => {
  test('folders below the greatest depth are not read', async () => {
    await put('a.gguf');
    await put('b/c.gguf');
    const { models } = await scanModelsFolder(folder, { maxDepth: 1 });
    expect(models.map(({ path: file }) => file)).toEqual(['a.gguf']);
  });

  test.each([
    [4, ['a.gguf', 'b/c.gguf', 'b/d.gguf'], []],
    [3, ['a.gguf'], ['TOO_MANY_ENTRIES']],
    [1, [], ['TOO_MANY_ENTRIES']],
  ])(
    'with at most %i entries, the rest is left out and named',
    async (maxEntries, files, codes) => {
      for (const file of ['a.gguf', 'b/c.gguf', 'b/d.gguf']) await put(file);
      const { models, unreadable } = await scanModelsFolder(folder, { maxEntries });
      expect(models.map(({ path: file }) => file).sort()).toEqual(files);
      expect(unreadable).toEqual(codes.map((code) => ({ path: folder, code })));
    },
  );
});

// mikjee/warpdrv #7: a projector beside the folders of the quantizations belongs to each of them.
test('a projector above the folder of a model belongs to it only where the caller says so', async () => {
  await put('p/Gem-GGUF/mmproj-F16.gguf');
  await put('p/Gem-GGUF/Q8_0/Gem-Q8_0.gguf');
  await put('p/Gem-GGUF/other/other-Q8_0.gguf');
  const projectors = async (layout: 'lmstudio' | 'free' | 'snapshot') =>
    (await scanModelsFolder(folder, { layout })).models.map(({ modelKey, vision }) => [
      modelKey,
      vision,
    ]);
  expect(await projectors('lmstudio')).toEqual([
    ['gem', false],
    ['other', false],
  ]);
  // The other model has a folder that is named like it.
  expect(await projectors('free')).toEqual([
    ['gem', true],
    ['other', false],
  ]);
  expect(await projectors('snapshot')).toEqual([
    ['gem', true],
    ['other', true],
  ]);
});
