import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import {
  adapter,
  gguf,
  openStoreTree,
  projector,
  sha256,
  splitGguf,
  type StoreTree,
} from '../../test/store-tree.js';
import type { StoredModels } from '../downloads/list-stored-models.js';

let tree: StoreTree;
beforeEach(async () => {
  tree = await openStoreTree();
});
afterEach(() => tree[Symbol.asyncDispose]());

const keysIn = ({ models }: StoredModels): readonly string[] =>
  models.map(({ modelKey }) => modelKey);

test('a machine without any store has no models and no complaints', async () => {
  expect(await tree.list()).toEqual({
    models: [],
    unusable: [],
    unreadable: [],
    places: [],
    missingModelFolders: [],
  });
});

describe('Ollama', () => {
  test('a model has the name of its manifest, its blob as its file, and the facts of its header', async () => {
    const weights = gguf('Llama 3.2 3B Instruct', { tools: true });
    const layers = [
      await tree.layer('model', weights),
      await tree.layer('template', '{{ .Tools }}'),
    ];
    await tree.manifest('registry.ollama.ai/library/llama3.2/3b', layers);
    const blob = tree.at(`.ollama/models/blobs/sha256-${sha256(weights)}`);
    const { models, places } = await tree.list();
    expect(models).toEqual([
      expect.objectContaining({
        modelKey: 'llama3.2:3b',
        kind: 'llm',
        displayName: 'Llama 3.2 3B Instruct',
        architecture: 'llama',
        quantization: { name: 'Q4_K_M', bits: 4 },
        sizeBytes: weights.length,
        maxContextLengthTokens: 512,
        vision: false,
        toolUse: true,
        files: [blob],
        projectorPath: null,
        sources: [{ store: 'ollama', name: 'llama3.2:3b', path: blob }],
      }),
    ]);
    expect(places).toEqual([{ store: 'ollama', folder: tree.at('.ollama/models'), models: 1 }]);
  });

  test.each([
    ['registry.ollama.ai/library/qwen3/latest', 'qwen3:latest'],
    ['registry.ollama.ai/me/mine/v1.0', 'me/mine:v1.0'],
    ['ollama.com/library/qwen3/8b', 'qwen3:8b'],
    [
      'hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF/Q4_K_M',
      'hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M',
    ],
  ])('the manifest %s is %s', async (manifest, key) => {
    await tree.manifest(manifest, [await tree.layer('model', gguf(key))]);
    expect(keysIn(await tree.list())).toEqual([key]);
  });

  test('a projector layer gives vision, and is not a model', async () => {
    const [weights, vision] = [gguf('g'), projector()];
    const layers = [await tree.layer('model', weights), await tree.layer('projector', vision)];
    await tree.manifest('registry.ollama.ai/library/gemma3/4b', layers);
    expect((await tree.list()).models).toMatchObject([
      {
        modelKey: 'gemma3:4b',
        vision: true,
        projectorPath: tree.at(`.ollama/models/blobs/sha256-${sha256(vision)}`),
        sizeBytes: weights.length + vision.length,
      },
    ]);
  });

  test('a model with an adapter, an adapter, and a model in the cloud are named with the reason', async () => {
    const model = await tree.layer('model', gguf('base'));
    const lora = await tree.layer('adapter', adapter());
    await tree.manifest('registry.ollama.ai/library/tuned/latest', [model, lora]);
    await tree.manifest('registry.ollama.ai/library/cloud/120b', []);
    await tree.manifest('registry.ollama.ai/library/lora/latest', [
      await tree.layer('model', adapter()),
    ]);
    const { models, unusable } = await tree.list();
    expect(models).toEqual([]);
    expect(unusable.map(({ modelKey, code, why }) => [modelKey, code, why])).toEqual([
      ['cloud:120b', 'NO_GGUF', 'its manifest names no GGUF file'],
      ['lora:latest', 'ADAPTER', 'it is a LoRA adapter, not a model'],
      [
        'tuned:latest',
        'ADAPTER',
        'it needs a LoRA adapter, which the embedded engine does not load',
      ],
    ]);
  });

  test('OLLAMA_MODELS names another store, and the store of the service is searched, too', async () => {
    const weights = gguf('m');
    const digest = sha256(weights);
    const manifest = JSON.stringify({
      layers: [
        { mediaType: 'application/vnd.ollama.image.model', digest: `sha256:${digest}`, size: 1 },
      ],
    });
    for (const [store, name] of [
      ['other', 'own'],
      ['service/models', 'served'],
    ] as const) {
      await tree.put(`${store}/blobs/sha256-${digest}`, weights);
      await tree.put(`${store}/manifests/registry.ollama.ai/library/${name}/1b`, manifest);
    }
    const { models, places } = await tree.list({
      env: { OLLAMA_MODELS: ` "${tree.at('other')}" ` },
    });
    expect(models.map(({ sources }) => sources.map(({ name }) => name))).toEqual([
      ['own:1b', 'served:1b'],
    ]);
    expect(places.map(({ folder, models: count }) => [folder, count])).toEqual([
      [tree.at('other'), 1],
      [tree.at('service/models'), 1],
    ]);
    expect(keysIn(await tree.list({ platform: 'darwin' }))).toEqual([]);
  });

  test('a list of manifests gives the one for llama.cpp, also in the newer folder of links', async () => {
    const layers = [await tree.layer('model', gguf('m'))];
    const child = JSON.stringify({ layers });
    const { digest } = await tree.layer('manifest', child);
    const list = JSON.stringify({
      mediaType: 'application/vnd.ollama.manifest.list.v2+json',
      manifests: [
        { runner: 'mlx', layers: [] },
        { runner: 'llamacpp', digest },
      ],
    });
    const written = await tree.layer('manifest', list);
    const blob = tree.at(`.ollama/models/blobs/${written.digest.replace(':', '-')}`);
    await tree.link(blob, '.ollama/models/manifests-v2/ollama.com/library/both/latest');
    expect(keysIn(await tree.list())).toEqual(['both:latest']);
  });
});

describe('the Hugging Face cache', () => {
  const repository = 'bartowski/Llama-3.2-3B-Instruct-GGUF';

  test('the only file of a repository has the key of the repository', async () => {
    const contents = gguf('Llama');
    await tree.hub({ repository, file: 'Llama-3.2-3B-Instruct-Q4_K_M.gguf', contents });
    const link = tree.at(
      `.cache/huggingface/hub/models--bartowski--Llama-3.2-3B-Instruct-GGUF/snapshots/${'a'.repeat(40)}/Llama-3.2-3B-Instruct-Q4_K_M.gguf`,
    );
    expect((await tree.list()).models).toMatchObject([
      {
        modelKey: repository,
        publisher: 'bartowski',
        quantization: { name: 'Q4_K_M', bits: 4 },
        parameters: '3B',
        files: [link],
        sources: [
          {
            store: 'huggingface',
            name: `${repository}/Llama-3.2-3B-Instruct-Q4_K_M.gguf`,
            path: link,
          },
        ],
      },
    ]);
  });

  test('several files of a repository have their quantization in their keys', async () => {
    for (const quantization of ['Q4_K_M', 'Q8_0'])
      await tree.hub({ repository, file: `L-${quantization}.gguf`, contents: gguf(quantization) });
    expect(keysIn(await tree.list())).toEqual([`${repository}@q4_k_m`, `${repository}@q8_0`]);
  });

  test('the parts of a split file are one model, with the projector of the folder above', async () => {
    const repository = 'o/M-GGUF';
    for (const [index, contents] of splitGguf('M').entries()) {
      const file = `UD-Q4_K_XL/M-UD-Q4_K_XL-0000${index + 1}-of-00002.gguf`;
      await tree.hub({ repository, file, contents });
    }
    await tree.hub({ repository, file: 'mmproj-F16.gguf', contents: projector() });
    const { models } = await tree.list();
    expect(models).toMatchObject([{ modelKey: 'o/M-GGUF', vision: true }]);
    expect(models[0]?.files).toHaveLength(2);
    expect(path.basename(models[0]?.projectorPath ?? '')).toBe('mmproj-F16.gguf');
  });

  test('a file of an older download is found, and the newer file of the same name replaces it', async () => {
    const older = { repository, commit: 'b'.repeat(40) };
    await tree.hub({ ...older, file: 'L-Q8_0.gguf', contents: gguf('old only') });
    await tree.hub({ ...older, file: 'L-Q4_K_M.gguf', contents: gguf('replaced') });
    await tree.hub({ repository, file: 'L-Q4_K_M.gguf', contents: gguf('newest') });
    expect((await tree.list()).models.map(({ displayName }) => displayName)).toEqual([
      'newest',
      'old only',
    ]);
  });

  test('models without a GGUF file, data sets and foreign folders are passed over', async () => {
    const root = '.cache/huggingface/hub';
    await tree.hub({ repository: 'o/safe', file: 'model.safetensors', contents: Buffer.alloc(9) });
    await tree.hub({ repository: 'o/safe', file: 'config.json', contents: Buffer.from('{}') });
    await tree.put(`${root}/datasets--o--d/snapshots/${'a'.repeat(40)}/x.gguf`, gguf('x'));
    await tree.put(`${root}/.locks/x.gguf`, gguf('x'));
    expect(await tree.list()).toMatchObject({ models: [], unusable: [], unreadable: [] });
  });

  test.each([
    ['HF_HUB_CACHE', 'elsewhere', 'elsewhere'],
    ['HUGGINGFACE_HUB_CACHE', 'elsewhere', 'elsewhere'],
    ['HF_HOME', 'hf', 'hf/hub'],
    ['XDG_CACHE_HOME', 'xdg', 'xdg/huggingface/hub'],
  ])('%s moves the cache', async (name, value, cache) => {
    await tree.hub({ repository: 'o/r', file: 'r-Q8_0.gguf', contents: gguf('r'), cache });
    expect(keysIn(await tree.list({ env: { [name]: tree.at(value) } }))).toEqual(['o/r']);
    expect(keysIn(await tree.list({ env: { [name]: `~/${value}` } }))).toEqual(['o/r']);
  });
});

describe('llama.cpp', () => {
  test('a download of -hf has the key of its repository and the projector of its manifest', async () => {
    const [weights, vision] = [gguf('Gemma'), projector()];
    const cache = '.cache/llama.cpp';
    await tree.put(`${cache}/ggml-org_gemma-3-4b-it-GGUF_gemma-3-4b-it-Q4_K_M.gguf`, weights);
    await tree.put(`${cache}/ggml-org_gemma-3-4b-it-GGUF_mmproj-model-f16.gguf`, vision);
    await tree.put(`${cache}/tinyllama-1.1b-Q4_0.gguf`, gguf('Tiny'));
    await tree.put(
      `${cache}/manifest=ggml-org=gemma-3-4b-it-GGUF=latest.json`,
      JSON.stringify({
        ggufFile: { rfilename: 'gemma-3-4b-it-Q4_K_M.gguf', lfs: { sha256: sha256(weights) } },
        mmprojFile: { rfilename: 'mmproj-model-f16.gguf' },
      }),
    );
    expect((await tree.list()).models).toMatchObject([
      {
        modelKey: 'ggml-org/gemma-3-4b-it-GGUF',
        vision: true,
        quantization: { name: 'Q4_K_M' },
        sources: [
          { store: 'llama.cpp', name: 'ggml-org/gemma-3-4b-it-GGUF/gemma-3-4b-it-Q4_K_M.gguf' },
        ],
      },
      // The cache is one flat folder, so its projectors belong to other models.
      { modelKey: 'tinyllama-1.1b-q4_0', vision: false, projectorPath: null },
    ]);
  });

  test('LLAMA_CACHE holds flat files, and a Hugging Face cache in newer versions', async () => {
    await tree.put('lc/some.gguf', gguf('flat'));
    await tree.hub({ repository: 'o/r', file: 'r-Q8_0.gguf', contents: gguf('hub'), cache: 'lc' });
    const { models, places } = await tree.list({ env: { LLAMA_CACHE: tree.at('lc') } });
    expect(models.map(({ modelKey, sources }) => [modelKey, sources[0]?.store])).toEqual([
      ['o/r', 'llama.cpp'],
      ['some', 'llama.cpp'],
    ]);
    expect(places).toEqual([{ store: 'llama.cpp', folder: tree.at('lc'), models: 2 }]);
  });

  test.each([
    ['linux', '.cache/llama.cpp'],
    ['darwin', 'Library/Caches/llama.cpp'],
  ] as const)('keeps its cache on %s in %s', async (platform, folder) => {
    await tree.put(`${folder}/some.gguf`, gguf('m'));
    expect(keysIn(await tree.list({ platform }))).toEqual(['some']);
  });
});

describe('Jan', () => {
  const model = async (data: string, id: string, settings: string): Promise<string> =>
    tree.put(`${data}/llamacpp/models/${id}/model.yml`, settings);

  test('a model has the name of its folder, and the files that its settings name', async () => {
    const [weights, vision] = [gguf('Qwen'), projector()];
    const data = '.local/share/Jan/data';
    await tree.put(`${data}/llamacpp/models/o/Qwen-Q4/model.gguf`, weights);
    await tree.put(`${data}/llamacpp/models/o/Qwen-Q4/mmproj.gguf`, vision);
    await model(
      data,
      'o/Qwen-Q4',
      `model_path: llamacpp/models/o/Qwen-Q4/model.gguf\nmmproj_path: 'llamacpp/models/o/Qwen-Q4/mmproj.gguf'\nname: Qwen\nsize_bytes: 5\nembedding: false\n`,
    );
    const imported = await tree.put('gguf/my model.gguf', gguf('Mine'));
    await model(data, 'mine', `model_path: ${JSON.stringify(imported)}\nmmproj_path: null\n`);
    expect((await tree.list()).models).toMatchObject([
      { modelKey: 'mine', files: [imported], vision: false },
      { modelKey: 'o/Qwen-Q4', vision: true, sizeBytes: weights.length + vision.length },
    ]);
  });

  // unslothai/unsloth #9748: a settings file that an editor on Windows had saved was not read.
  test('settings may begin with a byte order mark', async () => {
    await tree.put('.local/share/Jan/data/m.gguf', gguf('m'));
    await model('.local/share/Jan/data', 'm', '\uFEFFmodel_path: m.gguf\r\nname: M\r\n');
    expect((await tree.list()).models).toMatchObject([{ modelKey: 'm' }]);
  });

  test.each([
    ['linux', '.local/share/Jan'],
    ['darwin', 'Library/Application Support/Jan'],
    ['win32', 'AppData/Roaming/Jan'],
  ] as const)('its settings on %s name another data folder', async (platform, settings) => {
    await tree.put('big/m.gguf', gguf('m'));
    await model('big', 'm', 'model_path: m.gguf\n');
    await tree.put(`${settings}/settings.json`, JSON.stringify({ data_folder: tree.at('big') }));
    expect(keysIn(await tree.list({ platform }))).toEqual(['m']);
  });
});

describe('GPT4All', () => {
  test.each([
    ['linux', '.local/share/nomic.ai/GPT4All'],
    ['darwin', 'Library/Application Support/nomic.ai/GPT4All'],
    ['win32', 'AppData/Local/nomic.ai/GPT4All'],
    ['linux', '.cache/gpt4all'],
  ] as const)('keeps its models on %s in %s', async (platform, folder) => {
    await tree.put(`${folder}/Phi-3-mini-4k-instruct.Q4_0.gguf`, gguf('Phi'));
    const { models } = await tree.list({ platform });
    expect(models).toMatchObject([
      { modelKey: 'phi-3-mini-4k-instruct.q4_0', sources: [{ store: 'gpt4all' }] },
    ]);
  });

  test.each([
    ['linux', '.config/nomic.ai/GPT4All.ini'],
    ['darwin', '.config/nomic.ai/GPT4All.ini'],
    ['win32', 'AppData/Roaming/nomic.ai/GPT4All.ini'],
  ] as const)('its settings on %s name another folder', async (platform, settings) => {
    await tree.put('gpt/x.gguf', gguf('x'));
    await tree.put(settings, `[General]\r\ndevice=CPU\r\nmodelPath=${tree.at('gpt')}/\r\n`);
    expect(keysIn(await tree.list({ platform }))).toEqual(['x']);
  });
});

describe('LM Studio and folders of the configuration', () => {
  // unslothai/unsloth #5347, EricLBuehler/mistral.rs #2421: a text model failed with the only projector of its folder.
  test('a projector in a folder of several models belongs only to the model whose name it has', async () => {
    await tree.put('.lmstudio/models/flat/all/Qwen2.5-0.5B-Q8_0.gguf', gguf('Qwen2.5'));
    await tree.put('.lmstudio/models/flat/all/gemma-4-12b-Q8_0.gguf', gguf('gemma-4'));
    await tree.put('.lmstudio/models/flat/all/mmproj-gemma-4-12b-f16.gguf', projector());
    const { models } = await tree.list();
    expect(
      models.map(({ files, vision }) => [path.basename(files[0] ?? ''), vision]).sort(),
    ).toEqual([
      ['Qwen2.5-0.5B-Q8_0.gguf', false],
      ['gemma-4-12b-Q8_0.gguf', true],
    ]);
  });

  // LostRuins/koboldcpp #1662: a projector of another width ended the load of the model. gguf() writes models of 64.
  test.each([
    [64, true],
    [96, false],
  ])('a projector of width %i beside a model of width 64 gives vision: %s', async (width, has) => {
    await tree.put('.lmstudio/models/p/gemma/gemma-3-4b-it-Q8_0.gguf', gguf('gemma'));
    await tree.put('.lmstudio/models/p/gemma/mmproj-F16.gguf', projector(width));
    const [model, vision] = await Promise.all([
      tree.layer('model', gguf('q')),
      tree.layer('projector', projector(width)),
    ]);
    await tree.manifest('registry.ollama.ai/library/q/4b', [model, vision]);
    const { models } = await tree.list();
    expect(models.map(({ vision }) => vision)).toEqual([has, has]);
  });

  test('a projector of any name belongs to the model that is alone in its folder', async () => {
    await tree.put('.lmstudio/models/p/llava/ggml-model-Q4_K_M.gguf', gguf('a'));
    await tree.put('.lmstudio/models/p/llava/ggml-model-Q8_0.gguf', gguf('b'));
    await tree.put('.lmstudio/models/p/llava/llava-v1.5-7b-mmproj-f16.gguf', projector());
    const { models } = await tree.list();
    expect(models.map(({ vision }) => vision)).toEqual([true, true]);
  });

  test('LM Studio’s models keep LM Studio’s keys, and its MLX models are named as unusable', async () => {
    await tree.put('.lmstudio/models/p/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf', gguf('Qwen3'));
    await tree.put('.lmstudio/models/p/Gemma-MLX/model.safetensors', 'x');
    await tree.put('.lmstudio/models/p/Gemma-MLX/config.json', '{}');
    const { models, unusable } = await tree.list();
    expect(models).toMatchObject([{ modelKey: 'qwen3-4b', sources: [{ store: 'lmstudio' }] }]);
    expect(unusable).toMatchObject([{ modelKey: 'gemma-mlx', code: 'NO_ENGINE' }]);
  });

  // mikjee/warpdrv #7: `hf download --local-dir` keeps the folders of the repository.
  test('a projector beside the folders of the quantizations belongs to each of them, and to no other model', async () => {
    for (const quantization of ['Q4_K_M', 'Q8_0'])
      await tree.put(
        `m/eyes-GGUF/${quantization}/eyes-${quantization}.gguf`,
        gguf(`Eyes ${quantization}`),
      );
    await tree.put('m/eyes-GGUF/mmproj-F16.gguf', projector());
    await tree.put('m/llama/llama-Q8_0.gguf', gguf('Llama'));
    const { models } = await tree.list({ modelFolders: ['~/m'] });
    expect(models.map(({ modelKey, vision }) => [modelKey, vision])).toEqual([
      ['eyes@q4_k_m', true],
      ['eyes@q8_0', true],
      ['llama-q8_0', false],
    ]);
  });

  test('a projector in a folder of several models belongs to the model whose name it repeats', async () => {
    await tree.put('m/gemma-3-4b-it-Q4_K_M.gguf', gguf('Gemma'));
    await tree.put('m/llama-3.2-3b-Q4_K_M.gguf', gguf('Llama'));
    await tree.put('m/mmproj-gemma-3-4b-it-f16.gguf', projector());
    await tree.put('n/one-Q4_K_M.gguf', gguf('One'));
    await tree.put('n/one-Q8_0.gguf', gguf('One, larger'));
    await tree.put('n/mmproj-F16.gguf', projector());
    const { models } = await tree.list({ modelFolders: ['~/m', tree.at('n')] });
    expect(models.map(({ modelKey, vision }) => [modelKey, vision])).toEqual([
      ['gemma-3-4b-it-q4_k_m', true],
      ['llama-3.2-3b-q4_k_m', false],
      ['one-q4_k_m', true],
      ['one-q8_0', true],
    ]);
    const [, llama] = models;
    expect(llama?.sizeBytes).toBe(gguf('Llama').length);
  });

  // The names of ggml-org/Llama-macOS #97 (in the cache of Hugging Face) and of unslothai/unsloth #6084 (an export in two parts).
  test.each([
    ['gemma-4-12B-it-qat-UD-Q4_K_XL', 'mmproj-BF16'],
    ['Gemma4_26B.BF16', 'Gemma4_26B.BF16-mmproj'],
    ['test_BF16', 'mmproj-test-BF16'],
    ['gpt-MXFP4', 'mmproj-MXFP4'],
  ])('the model %s has the projector %s', async (name, vision) => {
    const repository = 'o/R-GGUF';
    for (const [index, contents] of splitGguf(name).entries()) {
      const file = `${name}-0000${index + 1}-of-00002.gguf`;
      await tree.put(`m/${file}`, contents);
      await tree.hub({ repository, file, contents });
    }
    await tree.put(`m/${vision}.gguf`, projector());
    await tree.hub({ repository, file: `${vision}.gguf`, contents: projector() });
    const stored = async (modelFolders: readonly string[]) =>
      (await tree.list({ modelFolders })).models.map((model) => model.vision);
    expect(await stored([])).toEqual([true]);
    await rm(tree.at('.cache'), { recursive: true });
    expect(await stored(['~/m'])).toEqual([true]);
  });

  test('a folder can be a Hugging Face cache or a store of Ollama', async () => {
    const hub = { repository: 'o/R-GGUF', file: 'R-Q8_0.gguf', contents: gguf('r'), cache: 'hub' };
    await tree.hub(hub);
    await tree.manifest('registry.ollama.ai/library/q/4b', [await tree.layer('model', gguf('q'))]);
    await rename(tree.at('.ollama/models'), tree.at('moved'));
    const list = await tree.list({ modelFolders: ['~/hub', '~/moved'] });
    expect(keysIn(list)).toEqual(['o/R-GGUF', 'q:4b']);
    expect(list.missingModelFolders).toEqual([]);
  });

  test('a folder that does not exist is named', async () => {
    const { missingModelFolders } = await tree.list({ modelFolders: ['~/gone', tree.home] });
    expect(missingModelFolders).toEqual([tree.at('gone')]);
  });
});
