import * as fc from 'fast-check';

import { findModel, suggest } from './find-model.js';
import type { DownloadedModel } from './model-types.js';

const model = (part: Partial<DownloadedModel>): DownloadedModel => ({
  modelKey: 'a/b',
  kind: 'llm',
  displayName: 'B',
  publisher: 'a',
  architecture: null,
  format: 'gguf',
  quantization: null,
  sizeBytes: 1,
  parameters: null,
  maxContextLengthTokens: null,
  vision: false,
  toolUse: false,
  reasoning: null,
  variants: [],
  selectedVariant: null,
  path: null,
  deviceIdentifier: null,
  ...part,
});

describe('suggest', () => {
  const known = ['qwen/qwen3-4b', 'qwen/qwen3-8b', 'google/gemma-3-4b', 'openai/gpt-oss-20b'];
  test.each([
    ['qwen/qwen3-4', 'qwen/qwen3-4b'],
    ['Qwen3 4B', 'qwen/qwen3-4b'],
    ['gemma3-4b', 'google/gemma-3-4b'],
    ['gpt-oss', 'openai/gpt-oss-20b'],
    ['openai/gtp-oss-20b', 'openai/gpt-oss-20b'],
  ])('for %s suggests %s first', (typed, meant) => expect(suggest(typed, known)[0]).toBe(meant));

  test('suggests nothing for an unrelated or an empty name', () => {
    expect(suggest('zzzzzzzz', known)).toEqual([]);
    expect(suggest('', known)).toEqual([]);
    expect(suggest('x', [])).toEqual([]);
  });

  test('for a known name, suggests this name first', () => {
    fc.assert(
      fc.property(fc.constantFrom(...known), (name) => {
        expect(suggest(name, known)[0]).toBe(name);
      }),
    );
  });
});

describe('findModel', () => {
  const models = [model({ modelKey: 'a/b', variants: ['a/b@q4'], path: 'p/r/f.gguf' })];
  test.each(['a/b', 'a/b@q4', 'p/r/f.gguf'])('finds a model by %s', (key) => {
    expect(findModel(key, models).model).toBe(models[0]);
  });
  test('suggests close keys for an unknown key', () => {
    expect(findModel('a/bb', models)).toEqual({
      model: null,
      variant: null,
      suggestions: ['a/b'],
    });
  });
});
