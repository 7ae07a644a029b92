import { openHeaderCache } from '@mai/memory-estimator';
import { gguf, openStoreTree, projector, sha256, type StoreTree } from '../../test/store-tree.js';
import { contextOf } from '../host-options.js';
import { describeModelSource, describeOrigin } from './describe-origin.js';
import { leftOutByKey } from './left-out-models.js';
import { leftOutNotes } from './left-out-notes.js';
import { listStoredDownloads } from './stored-downloads.js';

let tree: StoreTree;
beforeEach(async () => {
  tree = await openStoreTree();
});
afterEach(() => tree[Symbol.asyncDispose]());

const list = (modelFolders: readonly string[]) =>
  listStoredDownloads(
    contextOf(
      { userHome: tree.home, env: {}, cwd: tree.home, platform: 'darwin' },
      new AbortController().signal,
    ),
    modelFolders,
    openHeaderCache({ file: tree.at('cache/headers.json') }),
  );

test('a key finds the files, the projector and the header of its model', async () => {
  const [weights, vision] = [gguf('v'), projector()];
  const layers = [await tree.layer('model', weights), await tree.layer('projector', vision)];
  await tree.manifest('registry.ollama.ai/library/v/4b', layers);
  const { models, listed, find } = await list([]);
  expect(listed).toEqual(models);
  const found = await find('v:4b');
  expect(found?.model).toBe(models[0]);
  const blob = (contents: Buffer): string =>
    tree.at(`.ollama/models/blobs/sha256-${sha256(contents)}`);
  expect(found?.files?.files).toEqual([blob(weights)]);
  expect(await found?.files?.findProjector()).toBe(blob(vision));
  expect(await found?.files?.facts()).toMatchObject({ architecture: 'llama' });
  expect(await find('v')).toBeNull();
});

test('the places of each model and of all models are named', async () => {
  const layers = [await tree.layer('model', gguf('v'))];
  await tree.manifest('registry.ollama.ai/library/v/4b', layers);
  await tree.put('m/x.gguf', gguf('x'));
  const { sources, origin } = await list(['~/m']);
  expect([...sources].map(([key, places]) => [key, ...places.map(describeModelSource)])).toEqual([
    ['v:4b', 'Ollama: v:4b'],
    ['x', 'your folder: x.gguf'],
  ]);
  expect(describeOrigin(origin)).toBe(
    `GGUF models on this machine: 1 from Ollama (${tree.at('.ollama/models')}), 1 from your folder (${tree.at('m')}).`,
  );
});

test('without any model, the answer names the programs that were looked for', async () => {
  const { origin } = await list([]);
  expect(describeOrigin(origin)).toBe(
    'No GGUF model was found in the folders of LM Studio, Ollama, the Hugging Face cache, llama.cpp, Jan and GPT4All, or in those of --models and model_folders.',
  );
});

test('a folder of the configuration without a model is named, because its drive may not be mounted', async () => {
  await tree.put('m/readme.txt', 'x');
  await tree.put('n/x.gguf', gguf('x'));
  const { origin } = await list(['~/m', '~/n']);
  expect(describeOrigin(origin)).toBe(
    `GGUF models on this machine: 1 from your folder (${tree.at('n')}). No usable GGUF model is in ${tree.at('m')}. Where that is on another drive, check that the drive is mounted.`,
  );
});

test('each folder and file that is left out has a sentence', async () => {
  await tree.put('m/bad.gguf', 'x');
  await tree.put('.lmstudio/settings.json', JSON.stringify({ downloadsFolder: tree.at('gone') }));
  expect(leftOutNotes(await list(['~/m', '~/missing']))).toEqual([
    `LM Studio's models folder ${tree.at('gone')} does not exist, so its models cannot be found. Mount its drive, or change the folder in LM Studio's settings.`,
    `The folder ${tree.at('missing')} does not exist, so its models cannot be found. Mount its drive, or correct --models or model_folders.`,
    `${tree.at('m/bad.gguf')} is not offered: it is not a GGUF file.`,
  ]);
});

test('a client on another machine reads the model and its fault, and no folder', async () => {
  await tree.put('m/bad.gguf', 'x');
  await tree.manifest('registry.ollama.ai/library/v/4b', [
    {
      mediaType: 'application/vnd.ollama.image.model',
      digest: `sha256:${'1'.repeat(64)}`,
      size: 1,
    },
  ]);
  const notes = leftOutByKey(await list(['~/m']));
  const [gone, bad] = [notes.get('v:4b'), notes.get('bad')];
  expect(gone?.noteForClients).toBe(
    `v:4b is not offered: its file sha256-${'1'.repeat(64)} does not exist.`,
  );
  expect(gone?.note).toContain(tree.at('.ollama/models/blobs'));
  expect(bad?.noteForClients).toBe('bad is not offered: it is not a GGUF file.');
  expect(bad?.note).toContain(tree.at('m/bad.gguf'));
});
