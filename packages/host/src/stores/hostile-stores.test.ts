import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, stat, truncate } from 'node:fs/promises';
import path from 'node:path';
import { gguf, openStoreTree, sha256, type StoreTree } from '../../test/store-tree.js';

let tree: StoreTree;
beforeEach(async () => {
  tree = await openStoreTree();
});
afterEach(() => tree[Symbol.asyncDispose]());

const OLLAMA = '.ollama/models/manifests/registry.ollama.ai/library';
const isRoot = process.getuid?.() === 0;

const reasons = async (options: Parameters<StoreTree['list']>[0] = {}) =>
  (await tree.list(options)).unusable.map(({ modelKey, code }) => `${modelKey ?? ''} ${code}`);

describe('Ollama’s store', () => {
  test('a manifest to a blob that does not exist is named with the blob', async () => {
    const digest = `sha256:${'1'.repeat(64)}`;
    await tree.manifest('registry.ollama.ai/library/gone/1b', [
      { mediaType: 'application/vnd.ollama.image.model', digest, size: 1 },
    ]);
    const { models, unusable } = await tree.list();
    expect(models).toEqual([]);
    expect(unusable).toMatchObject([
      {
        path: 'gone:1b',
        code: 'FILE_NOT_FOUND',
        why: `its file ${tree.at(`.ollama/models/blobs/sha256-${'1'.repeat(64)}`)} does not exist`,
      },
    ]);
  });

  test('a blob that is cut off is an incomplete download', async () => {
    const contents = gguf('m');
    await tree.manifest('registry.ollama.ai/library/cut/1b', [await tree.layer('model', contents)]);
    await truncate(
      tree.at(`.ollama/models/blobs/sha256-${sha256(contents)}`),
      contents.length - 1000,
    );
    expect(await reasons()).toEqual(['cut:1b INCOMPLETE']);
  });

  test('broken manifests are named, and no digest leads out of the folder', async () => {
    await tree.put('secret.gguf', gguf('secret'));
    const model = (digest: unknown): string =>
      JSON.stringify({ layers: [{ mediaType: 'application/vnd.ollama.image.model', digest }] });
    await tree.put(`${OLLAMA}/b/json`, '{');
    await tree.put(`${OLLAMA}/b/list`, '[]');
    await tree.put(`${OLLAMA}/b/null`, 'null');
    await tree.put(`${OLLAMA}/b/layers`, '{"layers":{"0":1}}');
    await tree.put(`${OLLAMA}/b/escape`, model('sha256:../../../../secret.gguf'));
    await tree.put(`${OLLAMA}/b/number`, model(5));
    await tree.put(`${OLLAMA}/b/large`, 'x'.repeat(1024 * 1024 + 1));
    expect(await reasons()).toEqual([
      'b:escape NO_GGUF',
      'b:json MANIFEST_UNREADABLE',
      'b:large MANIFEST_UNREADABLE',
      'b:layers NO_GGUF',
      'b:list NO_GGUF',
      'b:null NO_GGUF',
      'b:number NO_GGUF',
    ]);
  });

  test('names that Ollama would not read are passed over, also with a line break', async () => {
    const layers = [await tree.layer('model', gguf('m'))];
    await tree.manifest('registry.ollama.ai/library/a\nb/1b', layers);
    await tree.manifest('registry.ollama.ai/library/good/1b', layers);
    await tree.put('.ollama/models/manifests/.DS_Store', 'x');
    await tree.put(`${OLLAMA}/good/.hidden`, 'x');
    const { models, unreadable, unusable } = await tree.list();
    expect(models.map(({ modelKey }) => modelKey)).toEqual(['good:1b']);
    expect([...unreadable, ...unusable]).toEqual([]);
  });

  test('a folder, a named pipe and a loop of links in the place of a manifest or a blob do not hang', async () => {
    await mkdir(tree.at(`${OLLAMA}/m/folder`), { recursive: true });
    await tree.link('loop', `${OLLAMA}/m/loop`);
    execFileSync('mkfifo', [tree.at(`${OLLAMA}/m/pipe`)]);
    const digest = 'c'.repeat(64);
    await mkdir(tree.at('.ollama/models/blobs'), { recursive: true });
    execFileSync('mkfifo', [tree.at(`.ollama/models/blobs/sha256-${digest}`)]);
    await tree.manifest('registry.ollama.ai/library/m/blob', [
      { mediaType: 'application/vnd.ollama.image.model', digest: `sha256:${digest}`, size: 1 },
    ]);
    expect(await reasons()).toEqual([
      'm:blob FILE_UNREADABLE',
      'm:folder MANIFEST_UNREADABLE',
      'm:loop MANIFEST_UNREADABLE',
      'm:pipe MANIFEST_UNREADABLE',
    ]);
  });
});

describe('a Hugging Face cache', () => {
  test('a link to a removed blob is named, and the other files are listed', async () => {
    const root = '.cache/huggingface/hub/models--o--r';
    await tree.hub({ repository: 'o/r', file: 'good-Q8_0.gguf', contents: gguf('m') });
    await tree.link('../../blobs/gone', `${root}/snapshots/${'a'.repeat(40)}/gone-Q4_0.gguf`);
    const { models, unreadable } = await tree.list();
    expect(models.map(({ modelKey }) => modelKey)).toEqual(['o/r']);
    expect(unreadable).toEqual([
      { path: tree.at(`${root}/snapshots/${'a'.repeat(40)}/gone-Q4_0.gguf`), code: 'ENOENT' },
    ]);
  });

  test('a repository that cannot be read is named', async () => {
    const root = '.cache/huggingface/hub';
    await tree.hub({ repository: 'o/r', file: 'good-Q8_0.gguf', contents: gguf('m') });
    await tree.link('models--o--loop', `${root}/models--o--loop`);
    const { models, unreadable } = await tree.list();
    expect(models.map(({ modelKey }) => modelKey)).toEqual(['o/r']);
    expect(unreadable).toEqual([
      { path: tree.at(`${root}/models--o--loop/snapshots`), code: 'ELOOP' },
    ]);
  });

  // huggingface/huggingface_hub #2110 and #4357: the cache was called corrupted because of these files.
  test('files that a file manager writes beside the snapshots are passed over', async () => {
    const root = '.cache/huggingface/hub';
    await tree.hub({ repository: 'o/r', file: 'good-Q8_0.gguf', contents: gguf('m') });
    for (const folder of ['', 'models--o--r/', 'models--o--r/snapshots/', 'models--o--r/refs/'])
      for (const name of ['.DS_Store', 'desktop.ini', 'Thumbs.db'])
        await tree.put(`${root}/${folder}${name}`, 'x');
    const { models, unreadable } = await tree.list();
    expect(models.map(({ modelKey }) => modelKey)).toEqual(['o/r']);
    expect(unreadable).toEqual([]);
  });

  test('a broken reference, loops of links and names that are no repository do no harm', async () => {
    const root = '.cache/huggingface/hub';
    await tree.hub({ repository: 'o/r', file: 'good-Q8_0.gguf', contents: gguf('m') });
    await tree.put(`${root}/models--o--r/refs/main`, '../../../../etc');
    await tree.link('..', `${root}/models--o--r/snapshots/${'a'.repeat(40)}/up`);
    await tree.link(tree.at(root), `${root}/models--o--r/snapshots/${'a'.repeat(40)}/all`);
    await tree.put(`${root}/models--a b--c/snapshots/x/y.gguf`, gguf('y'));
    await tree.put(`${root}/models--o--empty`, 'a file');
    const { models, unreadable } = await tree.list();
    expect(models.map(({ modelKey, sources }) => [modelKey, sources.length])).toEqual([['o/r', 1]]);
    expect(unreadable).toEqual([]);
  });
});

describe('folders', () => {
  test('names with line breaks give keys of one line, and never a reference of a chain', async () => {
    await tree.put('m/a\nb.gguf', gguf('1'));
    await tree.put('m/chain:x.gguf', gguf('2'));
    const { models } = await tree.list({ modelFolders: ['~/m'] });
    expect(models.map(({ modelKey }) => modelKey)).toEqual(['-chain:x', 'a-b']);
  });

  test('names with invisible characters, and in either form of Unicode, give keys that can be typed', async () => {
    await tree.put('m/a\u202eb\u200b.gguf', gguf('1'));
    await tree.put('m/cafe\u0301.gguf', gguf('2'));
    await tree.put('n/caf\u00e9.gguf', gguf('3'));
    const { models } = await tree.list({ modelFolders: ['~/m', '~/n'] });
    expect(models.map(({ modelKey }) => modelKey)).toEqual([
      'a-b-',
      'caf\u00e9',
      'caf\u00e9@q4_k_m',
    ]);
  });

  test('a model in a deep folder is found, with the key of its file', async () => {
    await tree.put('m/a/b/c/d/e/f/deep-Q8_0.gguf', gguf('1'));
    await tree.put('m/a/b/c/d/e/f/deep-Q4_0.gguf', gguf('2'));
    const { models } = await tree.list({ modelFolders: ['~/m'] });
    expect(models.map(({ modelKey }) => modelKey)).toEqual(['deep-q4_0', 'deep-q8_0']);
  });

  test('a projector that is empty gives no vision, and is named', async () => {
    await tree.put('m/x.gguf', gguf('1'));
    await tree.put('m/mmproj-x.gguf', '');
    const { models, unusable } = await tree.list({ modelFolders: ['~/m'] });
    expect(models).toMatchObject([{ modelKey: 'x', vision: false, projectorPath: null }]);
    expect(unusable).toMatchObject([{ modelKey: null, code: 'NOT_GGUF', why: 'it is empty' }]);
  });

  test('a file in the place of a folder is named once', async () => {
    await tree.put('m/x.gguf', gguf('1'));
    const { unreadable } = await tree.list({ modelFolders: ['~/m/x.gguf'] });
    expect(unreadable).toEqual([{ path: tree.at('m/x.gguf'), code: 'ENOTDIR' }]);
  });

  test('links that lead to each other end', async () => {
    await tree.put('m/a/x.gguf', gguf('x'));
    await tree.put('m/b/y.gguf', gguf('y'));
    await tree.link('../b', 'm/a/to-b');
    await tree.link('../a', 'm/b/to-a');
    const { models } = await tree.list({ modelFolders: ['~/m'] });
    expect(models.map(({ modelKey }) => modelKey)).toEqual(['x', 'y']);
  });

  test('files that are not models are named with the reason', async () => {
    await tree.put('m/text.gguf', 'hello');
    await tree.put('m/empty.gguf', '');
    await tree.put('m/part-00001-of-00002.gguf', gguf('part'));
    expect(await reasons({ modelFolders: ['~/m'] })).toEqual([
      'empty NOT_GGUF',
      'part INCOMPLETE',
      'text NOT_GGUF',
    ]);
  });

  (isRoot ? test.skip : test)('a folder that cannot be read is named', async () => {
    await tree.put('m/closed/x.gguf', gguf('x'));
    await tree.put(`${OLLAMA}/closed/1b`, '{}');
    const closed = [tree.at(`${OLLAMA}/closed`), tree.at('m/closed')];
    for (const folder of closed) await chmod(folder, 0);
    const { unreadable } = await tree.list({ modelFolders: ['~/m'] });
    for (const folder of closed) await chmod(folder, 0o700);
    expect(unreadable).toEqual(closed.map((folder) => ({ path: folder, code: 'EACCES' })));
  });
});

test('settings of Jan and GPT4All that are broken leave the default folders', async () => {
  await tree.put('.local/share/Jan/settings.json', '{');
  await mkdir(tree.at('.config/nomic.ai/GPT4All.ini'), { recursive: true });
  await tree.put('.local/share/Jan/data/llamacpp/models/no-path/model.yml', 'name: x\n');
  await tree.put('.local/share/Jan/data/llamacpp/models/gone/model.yml', 'model_path: x.gguf\n');
  await tree.put('.local/share/nomic.ai/GPT4All/x.gguf', gguf('x'));
  const { models } = await tree.list();
  expect(models.map(({ modelKey }) => modelKey)).toEqual(['x']);
  expect(await reasons()).toEqual(['gone FILE_NOT_FOUND', 'no-path MANIFEST_UNREADABLE']);
});

test('a list only reads', async () => {
  const layers = [await tree.layer('model', gguf('m'))];
  await tree.manifest('registry.ollama.ai/library/m/1b', layers);
  await tree.hub({ repository: 'o/r', file: 'r-Q8_0.gguf', contents: gguf('r') });
  await tree.put('.lmstudio/models/p/q/q.gguf', gguf('q'));
  const before = await snapshot(tree.home);
  await tree.list({ modelFolders: ['~/m'] });
  expect(await snapshot(tree.home)).toEqual(before);
});

test('a list rejects with the signal’s reason', async () => {
  await tree.put('m/x.gguf', gguf('x'));
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(tree.list({ modelFolders: ['~/m'], signal })).rejects.toThrow('enough');
});

/** Every entry below a folder with its size and its time of change. */
async function snapshot(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true });
  return Promise.all(
    entries.sort().map(async (entry) => {
      const { size, mtimeMs, ctimeMs } = await stat(path.join(folder, entry));
      return `${entry} ${size} ${mtimeMs} ${ctimeMs}`;
    }),
  );
}
