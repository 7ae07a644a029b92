import { ask, stream } from '../../../test/http-client.js';
import { startSimulator } from '../../index.js';
import type { Simulator, SimulatorOptions } from '../../index.js';

const PATH = '/v1/messages';
const KEY = 'qwen/qwen3-4b';
const HELLO = { model: KEY, max_tokens: 64, messages: [{ role: 'user', content: 'Hello' }] };
const TOOL = {
  name: 'get_weather',
  input_schema: { type: 'object', properties: { city: { type: 'string', const: 'Tokyo' } } },
};

function start(options: SimulatorOptions = {}): Promise<Simulator> {
  return startSimulator({ speed: 1000, ...options });
}

test('a message has the captured keys', async () => {
  await using simulator = await start();
  const request = {
    ...HELLO,
    system: [{ type: 'text', text: 'Be brief.' }],
    tools: [TOOL],
    tool_choice: { type: 'tool', name: 'get_weather' },
  };
  expect(await ask(simulator, `${PATH}?beta=true`, request)).toEqual([
    200,
    {
      id: expect.stringMatching(/^msg_[0-9a-z]{21}$/),
      type: 'message',
      role: 'assistant',
      model: KEY,
      content: [
        {
          type: 'tool_use',
          id: expect.stringMatching(/^\d{9}$/),
          name: 'get_weather',
          input: { city: 'Tokyo' },
        },
      ],
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage: {
        input_tokens: expect.any(Number),
        output_tokens: 4,
        cache_read_input_tokens: 0,
      },
    },
  ]);
});

// lmstudio-ai/localization #425
test('an image in the result of a tool is refused', async () => {
  await using simulator = await start();
  const source = { type: 'base64', media_type: 'image/png', data: 'AAAA' };
  const content = [
    { type: 'text', text: 'a.png' },
    { type: 'image', source },
  ];
  const messages = [
    ...HELLO.messages,
    { role: 'assistant', content: [{ type: 'tool_use', id: '1', name: 'Read', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: '1', content }] },
  ];
  expect(await ask(simulator, PATH, { ...HELLO, model: 'google/gemma-3-4b', messages })).toEqual([
    400,
    {
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message: 'Only text tool_result blocks are supported when tool_result.content is an array.',
      },
    },
  ]);
});

test('a stream has the events that Anthropic documents, in their order', async () => {
  await using simulator = await start({
    world: { answers: { reasoningTokens: 1, textTokens: 2 } },
  });
  const events = await stream(simulator, PATH, HELLO);
  expect(events.map(({ name }) => name)).toEqual([
    'message_start',
    'content_block_start',
    'ping',
    'content_block_delta',
    'content_block_stop',
    'content_block_start',
    'content_block_delta',
    'content_block_delta',
    'content_block_stop',
    'message_delta',
    'message_stop',
  ]);
  for (const { name, data } of events) expect(data).toMatchObject({ type: name });
  expect(events.map(({ data }) => data)).toMatchObject([
    { message: { model: KEY, content: [], stop_reason: null, usage: { input_tokens: 3 } } },
    { index: 0, content_block: { type: 'thinking', thinking: '' } },
    {},
    { index: 0, delta: { type: 'thinking_delta', thinking: 'The' } },
    { index: 0 },
    { index: 1, content_block: { type: 'text', text: '' } },
    { index: 1, delta: { type: 'text_delta', text: 'Hello' } },
    { index: 1, delta: { type: 'text_delta', text: ' from' } },
    { index: 1 },
    { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 3 } },
    {},
  ]);
});

test('a streamed call of a tool has its input as partial JSON', async () => {
  await using simulator = await start({ world: { answers: { callTools: true } } });
  const events = await stream(simulator, PATH, { ...HELLO, tools: [TOOL] });
  const deltas = events.flatMap(({ data }) =>
    typeof data === 'object' && data !== null && 'delta' in data
      ? [data.delta as { partial_json?: string }]
      : [],
  );
  const json = deltas.map(({ partial_json = '' }) => partial_json).join('');
  expect(JSON.parse(json)).toEqual({ city: 'Tokyo' });
  const result = {
    role: 'user',
    content: [{ type: 'tool_result', tool_use_id: '1', content: [{ type: 'text', text: '18 C' }] }],
  };
  const after = { ...HELLO, tools: [TOOL], messages: [...HELLO.messages, result] };
  expect((await ask(simulator, PATH, after))[1]).toMatchObject({ stop_reason: 'end_turn' });
});

test('stop_reason names a stop sequence or a limit', async () => {
  await using simulator = await start();
  expect((await ask(simulator, PATH, { ...HELLO, stop_sequences: ['the'] }))[1]).toMatchObject({
    content: [{ type: 'text', text: 'Hello from ' }],
    stop_reason: 'stop_sequence',
    stop_sequence: 'the',
  });
  expect((await ask(simulator, PATH, { ...HELLO, max_tokens: 1 }))[1]).toMatchObject({
    stop_reason: 'max_tokens',
    usage: { output_tokens: 1 },
  });
});

test('failures have the form that Anthropic documents', async () => {
  await using simulator = await start();
  expect(await ask(simulator, PATH, { model: KEY, max_tokens: 1 })).toEqual([
    400,
    { type: 'error', error: { type: 'invalid_request_error', message: 'Required' } },
  ]);
  simulator.fault.crashPrediction({ afterTokens: 0, exitCode: 'null', times: 1 });
  expect(await ask(simulator, PATH, HELLO)).toEqual([
    500,
    {
      type: 'error',
      error: {
        type: 'api_error',
        message: 'The model has crashed without additional information. (Exit code: null)',
      },
    },
  ]);
  simulator.fault.refuseLoad({ text: 'No.', times: 1 });
  expect(await ask(simulator, PATH, HELLO)).toMatchObject([
    404,
    { type: 'error', error: { type: 'not_found_error' } },
  ]);
});

test('the token may be in the header of Anthropic', async () => {
  const token = 'sk-lm-abcdefgh:ABCDEFGHIJ0123456789';
  await using simulator = await start({ world: { tokens: [token], requireToken: true } });
  expect(await ask(simulator, PATH, HELLO)).toMatchObject([
    401,
    { type: 'error', error: { type: 'authentication_error' } },
  ]);
  expect((await ask(simulator, PATH, HELLO, { 'x-api-key': token }))[0]).toBe(200);
  expect((await ask(simulator, '/v1/chat/completions', HELLO, { 'x-api-key': token }))[0]).toBe(
    401,
  );
});

test('count_tokens is missing, unless the world adds this endpoint', async () => {
  const path = `${PATH}/count_tokens`;
  await using simulator = await start();
  expect(await ask(simulator, `${path}?beta=true`, HELLO)).toEqual([
    200,
    { error: `Unexpected endpoint or method. (POST ${path}?beta=true)` },
  ]);
  await using later = await start({
    world: { httpEndpoints: { 'POST /v1/messages/count_tokens': true } },
  });
  const counted = await ask(later, path, HELLO);
  expect(counted).toEqual([200, { input_tokens: 3 }]);
  expect((await ask(later, PATH, HELLO))[1]).toMatchObject({ usage: counted[1] });
  expect(later.residents()).toHaveLength(1);
});

test.each([
  ['lmstudio@0.4.12', 400],
  ['lmstudio@0.4.16', 200],
] as const)('%s answers a system message between the turns with %i', async (profile, expected) => {
  await using simulator = await start({ profile });
  const messages = [...HELLO.messages, { role: 'system', content: 'Be brief.' }];
  const [status, body] = await ask(simulator, PATH, { ...HELLO, messages });
  expect(status).toBe(expected);
  if (expected === 200) return;
  expect(body).toEqual({
    type: 'error',
    error: {
      type: 'invalid_request_error',
      message:
        "request.messages.1.role: Invalid discriminator value. Expected 'user' | 'assistant'",
    },
  });
});

test('a tool is not called again where a system message follows its result', async () => {
  await using simulator = await start({ world: { answers: { callTools: true } } });
  const messages = [
    ...HELLO.messages,
    { role: 'assistant', content: [{ type: 'tool_use', id: '1', name: 'get_weather', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: '1', content: '18 C' }] },
    { role: 'system', content: 'Be brief.' },
  ];
  const [, body] = await ask(simulator, PATH, { ...HELLO, tools: [TOOL], messages });
  expect(body).toMatchObject({ stop_reason: 'end_turn' });
});
