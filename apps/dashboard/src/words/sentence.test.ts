import { sentence } from './sentence.js';

test.each([
  ['kept qwen/qwen3-8b', 'Kept qwen/qwen3-8b'],
  ['it was loaded.', 'It was loaded.'],
  ['at once: memory was short.', 'At once: memory was short.'],
  ['qwen/qwen3-8b takes 6 GiB.', 'qwen/qwen3-8b takes 6 GiB.'],
  ['gemma-3-4b fits', 'gemma-3-4b fits'],
  ['RAM 29 % in use', 'RAM 29 % in use'],
  ['', ''],
])('%p begins a sentence as %p', (phrase, text) => {
  expect(sentence(phrase)).toBe(text);
});

test('keeps the spelling of a name that is one plain word', () => {
  expect(sentence('mymodel fits', [null, '', 'mymodel'])).toBe('mymodel fits');
  expect(sentence('my model fits', ['mymodel'])).toBe('My model fits');
});
