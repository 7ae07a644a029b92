import { link as hardLink } from 'node:fs/promises';
import { gguf, openStoreTree, projector, sha256, type StoreTree } from '../../test/store-tree.js';

let tree: StoreTree;
beforeEach(async () => {
  tree = await openStoreTree();
});
afterEach(() => tree[Symbol.asyncDispose]());

const REPOSITORY = 'bartowski/Qwen3-4B-GGUF';
const FILE = 'Qwen3-4B-Q4_K_M.gguf';

const storesOf = async (options: Parameters<StoreTree['list']>[0] = {}) =>
  (await tree.list(options)).models.map(({ modelKey, sources }) => [
    modelKey,
    ...sources.map(({ store, name }) => `${store} ${name}`),
  ]);

test('two names of Ollama for one blob are one model, with the name that says more', async () => {
  const layers = [await tree.layer('model', gguf('m'))];
  await tree.manifest('registry.ollama.ai/library/llama3.2/latest', layers);
  await tree.manifest('registry.ollama.ai/library/llama3.2/3b', layers);
  expect(await storesOf()).toEqual([
    ['llama3.2:3b', 'ollama llama3.2:3b', 'ollama llama3.2:latest'],
  ]);
});

test('a file that two stores name with the same SHA-256 is one model', async () => {
  const contents = gguf('m');
  await tree.manifest(`hf.co/${REPOSITORY}/Q4_K_M`, [await tree.layer('model', contents)]);
  await tree.hub({ repository: REPOSITORY, file: FILE, contents });
  await tree.put(`.cache/llama.cpp/bartowski_Qwen3-4B-GGUF_${FILE}`, contents);
  await tree.put(
    '.cache/llama.cpp/manifest=bartowski=Qwen3-4B-GGUF=Q4_K_M.json',
    JSON.stringify({ ggufFile: { rfilename: FILE, lfs: { sha256: sha256(contents) } } }),
  );
  expect(await storesOf()).toEqual([
    [
      `hf.co/${REPOSITORY}:Q4_K_M`,
      `ollama hf.co/${REPOSITORY}:Q4_K_M`,
      `huggingface ${REPOSITORY}/${FILE}`,
      `llama.cpp ${REPOSITORY}/${FILE}`,
    ],
  ]);
});

test('links and hard links to one file are one model, and LM Studio’s key wins', async () => {
  const file = await tree.put('m/Qwen3-4B-Q4_K_M.gguf', gguf('m'));
  await tree.link(file, `.lmstudio/models/p/Qwen3-4B-GGUF/${FILE}`);
  await tree.put('.cache/gpt4all/readme.txt', '');
  await hardLink(file, tree.at('.cache/gpt4all/other-name.gguf'));
  expect(await storesOf({ modelFolders: ['~/m'] })).toEqual([
    ['qwen3-4b', `lmstudio p/Qwen3-4B-GGUF/${FILE}`, 'gpt4all other-name.gguf', `folder ${FILE}`],
  ]);
});

test('a third place can show that two places are one model', async () => {
  const contents = gguf('m');
  // LM Studio's file is a hard link to the blob of the cache, and Ollama has a copy with the same SHA-256.
  await tree.manifest('registry.ollama.ai/library/q/4b', [await tree.layer('model', contents)]);
  const blob = await tree.hub({ repository: REPOSITORY, file: FILE, contents });
  await tree.put('.lmstudio/models/p/Qwen3-4B-GGUF/readme.txt', '');
  await hardLink(blob, tree.at(`.lmstudio/models/p/Qwen3-4B-GGUF/${FILE}`));
  expect(await storesOf()).toEqual([
    [
      'qwen3-4b',
      `lmstudio p/Qwen3-4B-GGUF/${FILE}`,
      'ollama q:4b',
      `huggingface ${REPOSITORY}/${FILE}`,
    ],
  ]);
});

test('a projector that only one store has belongs to the model, and to its size', async () => {
  const [contents, vision] = [gguf('m'), projector()];
  const layers = [await tree.layer('model', contents), await tree.layer('projector', vision)];
  await tree.manifest('registry.ollama.ai/library/v/4b', layers);
  const file = tree.at(`.ollama/models/blobs/sha256-${sha256(contents)}`);
  await tree.link(file, `.lmstudio/models/p/V-4B-GGUF/V-4B-Q4_K_M.gguf`);
  expect((await tree.list()).models).toMatchObject([
    { modelKey: 'v-4b', vision: true, sizeBytes: contents.length + vision.length },
  ]);
});

test('equal content without a stated SHA-256 stays two models, with keys that tell them apart', async () => {
  await tree.put('m/a/x.gguf', gguf('m'));
  await tree.put('n/x.gguf', gguf('m'));
  const [first, second] = await storesOf({ modelFolders: ['~/m', '~/n'] });
  expect(first?.[0]).toBe('x');
  expect(second?.[0]).toMatch(/^x@q4_k_m$/);
});

test('files of one name in several folders have the folder in their key', async () => {
  await tree.put('m/a/x.gguf', gguf('a'));
  await tree.put('m/b/x.gguf', gguf('b'));
  expect((await storesOf({ modelFolders: ['~/m'] })).map(([key]) => key)).toEqual(['b/x', 'x']);
});

test('a SHA-256 of another size joins nothing', async () => {
  const contents = gguf('m');
  await tree.manifest('registry.ollama.ai/library/q/4b', [await tree.layer('model', contents)]);
  await tree.put('.cache/llama.cpp/o_r_x.gguf', gguf('another'.repeat(50)));
  await tree.put(
    '.cache/llama.cpp/manifest=o=r=latest.json',
    JSON.stringify({ ggufFile: { rfilename: 'x.gguf', lfs: { sha256: sha256(contents) } } }),
  );
  expect((await storesOf()).map(([key]) => key)).toEqual(['o/r', 'q:4b']);
});

test('three files with one wished key have three keys, which do not depend on each other’s contents', async () => {
  for (const folder of ['m', 'n', 'o']) await tree.put(`${folder}/x.gguf`, gguf(folder));
  const modelFolders = ['~/m', '~/n', '~/o'];
  const keys = (await storesOf({ modelFolders })).map(([key]) => key);
  expect(keys).toEqual(['x', 'x@q4_k_m', expect.stringMatching(/^x@q4_k_m-[0-9a-f]{6}$/)]);
  await tree.put('m/x.gguf', gguf('changed'));
  expect((await storesOf({ modelFolders })).map(([key]) => key)).toEqual(keys);
});

test('files of one repository in two caches have their quantization in their keys', async () => {
  await tree.hub({ repository: REPOSITORY, file: FILE, contents: gguf('a') });
  await tree.put(`.cache/llama.cpp/bartowski_Qwen3-4B-GGUF_Qwen3-4B-Q8_0.gguf`, gguf('b'));
  await tree.put(
    '.cache/llama.cpp/manifest=bartowski=Qwen3-4B-GGUF=Q8_0.json',
    JSON.stringify({ ggufFile: { rfilename: 'Qwen3-4B-Q8_0.gguf' } }),
  );
  expect((await storesOf()).map(([key]) => key)).toEqual([
    `${REPOSITORY}@q4_k_m`,
    `${REPOSITORY}@q8_0`,
  ]);
});
