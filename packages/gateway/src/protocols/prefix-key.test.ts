import { prefixKeyOf } from './prefix-key.js';

const system = { role: 'system', content: 'You help.' };
const first = { role: 'user', content: 'Hello' };
const later = [
  { role: 'assistant', content: 'Hi' },
  { role: 'user', content: 'And now?' },
];

test.each([
  ['OpenAI', { messages: [system, first] }, { messages: [system, first, ...later] }],
  ['Anthropic', { system: 'S', messages: [first] }, { system: 'S', messages: [first, ...later] }],
  [
    'Responses',
    { instructions: 'S', input: [first] },
    { instructions: 'S', input: [first, ...later] },
  ],
])('%s: all requests of a conversation have the same key', (_name, begin, next) => {
  expect(prefixKeyOf(begin)).toMatch(/^[\w-]{16}$/);
  expect(prefixKeyOf(next)).toBe(prefixKeyOf(begin));
});

test('conversations with another system prompt or another first question differ', () => {
  const keys = [
    { messages: [system, first] },
    { messages: [first] },
    { messages: [system, { role: 'user', content: 'Hello!' }] },
    { system: 'S', messages: [first] },
    { prompt: 'Hello' },
    { input: 'Hello' },
  ].map(prefixKeyOf);
  expect(new Set(keys).size).toBe(5);
  expect(prefixKeyOf({ prompt: 'Hello' })).toBe(prefixKeyOf({ input: 'Hello' }));
});

test('a body without a text has no key', () => {
  expect(prefixKeyOf({ model: 'auto' })).toBeNull();
});

test('a body of any depth and length has a key', () => {
  const depth = 200_000;
  const deep: unknown = JSON.parse('['.repeat(depth) + ']'.repeat(depth));
  const wide = Array.from({ length: depth }, () => ({ a: 1 }));
  expect(prefixKeyOf({ messages: [{ role: 'user', content: deep }] })).toMatch(/^[\w-]{16}$/);
  expect(prefixKeyOf({ messages: [{ role: 'user', content: wide }] })).toMatch(/^[\w-]{16}$/);
});
