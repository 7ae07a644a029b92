import { prefixKeyOf } from '../prefix-key.js';
import { withSteadyBilling } from './billing-line.js';

// The blocks of ggml-org/llama.cpp #19494, sent by Claude Code 2.1.42.
const requestOf = (system: unknown) => {
  const fields = {
    model: 'auto',
    max_tokens: 1,
    system,
    messages: [{ role: 'user', content: 'hey' }],
  };
  return { body: Buffer.from(JSON.stringify(fields)), fields };
};
const line = (cch: string) =>
  `x-anthropic-billing-header: cc_version=2.1.42.834; cc_entrypoint=cli; cch=${cch};`;
const REST = {
  type: 'text',
  text: "You are Claude Code, Anthropic's official CLI for Claude.",
  cache_control: { type: 'ephemeral' },
};
const sent = (cch: string) => requestOf([{ type: 'text', text: line(cch) }, REST]);

test('two requests of a conversation reach the engine with the same instructions, and with the same key', () => {
  const [one, other] = [sent('65abc'), sent('fa690')].map(withSteadyBilling);
  expect(one?.body.toString()).toBe(other?.body.toString());
  expect(JSON.parse(String(one?.body))).toEqual(one?.fields);
  expect(one?.fields['system']).toEqual([
    { type: 'text', text: 'x-anthropic-billing-header:' },
    REST,
  ]);
  expect(prefixKeyOf(one?.fields ?? {})).toBe(prefixKeyOf(other?.fields ?? {}));
});

test.each([
  ['a text', line('65abc')],
  ['no such line', [REST]],
  ['the line in a later block', [REST, { type: 'text', text: line('65abc') }]],
  ['blocks of another kind', [null, 1]],
  ['nothing', undefined],
])('instructions with %s stay as they are', (_, system) => {
  const request = requestOf(system);
  expect(withSteadyBilling(request)).toEqual(request);
});

test('a line whose bytes are escaped in another way stays as it is', () => {
  const { fields } = sent('65abc');
  const body = Buffer.from(
    JSON.stringify(fields).replace('x-anthropic', String.raw`\u0078-anthropic`),
  );
  expect(withSteadyBilling({ body, fields })).toEqual({ body, fields });
});
