import path from 'node:path';
import type { DownloadedModel } from '@mai/lmstudio-adapter';
import type { FoundModel } from './model-files.js';
import { filesIn, finderOf } from './model-files.js';

const model = {
  model: {
    modelKey: 'acme/chat',
    variants: ['acme/chat@q4', 'acme/chat@q8'],
    selectedVariant: 'acme/chat@q4',
  },
  files: null,
} as unknown as FoundModel;
const other = { model: { modelKey: 'acme/chat@q8' }, files: null } as unknown as FoundModel;

it('finds a variant once, and tries again after a failure', async () => {
  let calls = 0;
  const find = finderOf([model], async () => {
    calls += 1;
    if (calls === 1) throw new Error('LM Studio does not answer');
    return other;
  });
  await expect(find('acme/chat@q8')).rejects.toThrow('LM Studio does not answer');
  expect(await find('acme/chat@q8')).toBe(other);
  expect(await find('acme/chat@q8')).toBe(other);
  expect(calls).toBe(2);
});

it('finds a model by its own key and by the key of its selected variant, without a look-up', async () => {
  const find = finderOf([model], () => Promise.reject(new Error('not asked')));
  expect(await find('acme/chat')).toBe(model);
  expect(await find('acme/chat@q4')).toBe(model);
  expect(await find('acme/none')).toBeNull();
});

it.each([
  ['a/b/c-00001-of-00002.gguf', ['c-00001-of-00002.gguf', 'c-00002-of-00002.gguf']],
  ['a/b/c.gguf', ['c.gguf']],
])('names all parts of %s, which LM Studio lists', (listed, parts) => {
  const listing = { path: listed, format: 'gguf', vision: false } as DownloadedModel;
  const files = filesIn('models', listing, () => Promise.reject(new Error('not asked')));
  expect(files?.files).toEqual(parts.map((part) => path.join('models', 'a', 'b', part)));
});
