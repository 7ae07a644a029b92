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

test("Claude Code's first block, which changes with every request, does not change the key", () => {
  // The blocks of ggml-org/llama.cpp #19494, sent by Claude Code 2.1.42.
  const keyOf = (cch: string, text = "You are Claude Code, Anthropic's official CLI for Claude.") =>
    prefixKeyOf({
      system: [
        {
          type: 'text',
          text: `x-anthropic-billing-header: cc_version=2.1.42.834; cc_entrypoint=cli; cch=${cch};`,
        },
        { type: 'text', text, cache_control: { type: 'ephemeral' } },
      ],
      messages: [{ role: 'user', content: 'hey' }],
    });
  expect(keyOf('65abc')).toMatch(/^[\w-]{16}$/);
  expect(keyOf('fa690')).toBe(keyOf('65abc'));
  expect(keyOf('65abc', 'Another agent.')).not.toBe(keyOf('65abc'));
});

test.each(['a text', 'a later block'])('the same words in %s are instructions', (place) => {
  const keyOf = (cch: string) => {
    const text = `x-anthropic-billing-header: cch=${cch};`;
    const system =
      place === 'a text'
        ? text
        : [
            { type: 'text', text: 'S' },
            { type: 'text', text },
          ];
    return prefixKeyOf({ system, messages: [first] });
  };
  expect(keyOf('1')).not.toBe(keyOf('2'));
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
