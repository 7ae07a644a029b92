import { baseKeyOf, refersTo } from './model-key.js';

test.each([
  // The instance reports the key of its model, with the variant that is loaded.
  ['K', { modelKey: 'K', variant: 'K@q4' }, true],
  ['K@q4', { modelKey: 'K', variant: 'K@q4' }, true],
  ['K@q8', { modelKey: 'K', variant: 'K@q4' }, false],
  // Another variant than the selected one is loaded by its own key.
  ['K', { modelKey: 'K@q8', variant: 'K@q8' }, true],
  ['K@q4', { modelKey: 'K@q8', variant: 'K@q8' }, false],
  // Each quantization is a model of its own.
  ['K', { modelKey: 'K@q8', variant: null }, true],
  ['K@q8', { modelKey: 'K@q8', variant: null }, true],
  ['K@q4', { modelKey: 'K@q8', variant: null }, false],
  ['J', { modelKey: 'K@q8', variant: null }, false],
  // The variant is not reported.
  ['K@q4', { modelKey: 'K', variant: null }, true],
  ['J@q4', { modelKey: 'K', variant: null }, false],
])('%j names an instance that reports %j: %j', (key, reported, expected) => {
  expect(refersTo(key, reported)).toBe(expected);
});

test.each([
  ['qwen/qwen3-4b@q8_0', 'qwen/qwen3-4b'],
  ['qwen/qwen3-4b', 'qwen/qwen3-4b'],
  // The first '@' ends the key, because the rest may be the path of a file.
  ['qwen/qwen3-4b@me/qwen@home/qwen.gguf', 'qwen/qwen3-4b'],
  ['K@q4@2', 'K'],
  ['@K', '@K'],
  ['', ''],
])('the base key of %j is %j', (key, base) => {
  expect(baseKeyOf(key)).toBe(base);
});
