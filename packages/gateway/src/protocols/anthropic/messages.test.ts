import { messages } from './messages.js';

const data = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
const START = data({
  type: 'message_start',
  message: { usage: { input_tokens: 400, cache_read_input_tokens: 0, output_tokens: 0 } },
});
const START_CACHED = data({
  type: 'message_start',
  message: { usage: { input_tokens: 10, cache_read_input_tokens: 390, output_tokens: 0 } },
});
const BODY = JSON.stringify({
  usage: {
    input_tokens: 10,
    cache_creation_input_tokens: 60,
    cache_read_input_tokens: 330,
    output_tokens: 7,
  },
});
const delta = (usage: object): string => data({ type: 'message_delta', usage });

// Anthropic's documentation: the tokens of the prompt are the sum of the three counts.
test.each([
  ['a body', '', BODY],
  ['a stream whose end counts the answer only', START, delta({ output_tokens: 7 })],
  ['the same, where it is short', '', START + delta({ output_tokens: 7 })],
  ['a stream whose start tells what was cached', START_CACHED, delta({ output_tokens: 7 })],
  [
    'a stream whose end tells what was cached',
    START,
    delta({ input_tokens: 10, cache_read_input_tokens: 390, output_tokens: 7 }),
  ],
])('the prompt of %s has 400 tokens, those in the cache included', (_, head, tail) => {
  expect(messages.usageIn(() => head, tail)).toEqual({ promptTokens: 400, outputTokens: 7 });
});

test('an answer without counts has no usage', () => {
  expect(messages.usageIn(() => '', data({ type: 'message_stop' }))).toBeNull();
});
