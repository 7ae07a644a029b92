import { ask, stream } from '../../../test/http-client.js';
import { startSimulator } from '../../index.js';
import type { Simulator, SimulatorOptions } from '../../index.js';

const PATH = '/v1/responses';
const HELLO = { model: 'qwen/qwen3-4b', input: 'Hello' };
const TOOL = {
  type: 'function',
  name: 'search',
  parameters: { type: 'object', properties: { limit: { type: 'integer' } } },
};

function start(options: SimulatorOptions = {}): Promise<Simulator> {
  return startSimulator({ speed: 1000, ...options });
}

// After a restart the first request may fail, because its connection was cut.
async function reconnect(simulator: Simulator): Promise<void> {
  for (;;) {
    try {
      await fetch(`${simulator.httpUrl}/lmstudio-greeting`);
      return;
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

function identifierOf(body: unknown): string {
  return (body as { id: string }).id;
}

test('a response has reasoning, a message and its usage', async () => {
  await using simulator = await start({
    world: { answers: { reasoningTokens: 2, textTokens: 2 } },
  });
  const [status, body] = await ask(simulator, PATH, HELLO);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    id: expect.stringMatching(/^resp_[0-9a-f]{48}$/),
    object: 'response',
    status: 'completed',
    model: 'qwen/qwen3-4b',
    output: [
      { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'The user' }] },
      {
        type: 'message',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: 'Hello from' }],
      },
    ],
    usage: {
      input_tokens: 3,
      output_tokens: 4,
      output_tokens_details: { reasoning_tokens: 2 },
      total_tokens: 7,
    },
    error: null,
    previous_response_id: null,
  });
});

test('a stream has the events that OpenAI documents, with increasing numbers', async () => {
  await using simulator = await start({ world: { answers: { textTokens: 2 } } });
  const events = await stream(simulator, PATH, HELLO);
  expect(events.map(({ name }) => name)).toEqual([
    'response.created',
    'response.in_progress',
    'response.output_item.added',
    'response.content_part.added',
    'response.output_text.delta',
    'response.output_text.delta',
    'response.output_text.done',
    'response.content_part.done',
    'response.output_item.done',
    'response.completed',
  ]);
  for (const [index, { name, data }] of events.entries()) {
    expect(data).toMatchObject({ type: name, sequence_number: index });
  }
  expect(events.at(-1)?.data).toMatchObject({
    response: { status: 'completed', output: [{ content: [{ text: 'Hello from' }] }] },
  });
});

test('a streamed call of a function has its arguments in deltas', async () => {
  await using simulator = await start();
  const events = await stream(simulator, PATH, {
    ...HELLO,
    tools: [TOOL],
    tool_choice: { type: 'function', name: 'search' },
  });
  expect(events.map(({ name }) => name?.replace('response.', ''))).toEqual([
    'created',
    'in_progress',
    'output_item.added',
    'function_call_arguments.delta',
    'function_call_arguments.delta',
    'function_call_arguments.delta',
    'function_call_arguments.done',
    'output_item.done',
    'completed',
  ]);
  expect(events.at(-1)?.data).toMatchObject({
    response: {
      output: [{ type: 'function_call', name: 'search', arguments: '{"limit":1}' }],
    },
  });
});

test('previous_response_id continues a conversation that this server knows', async () => {
  await using simulator = await start();
  const [, first] = await ask(simulator, PATH, HELLO);
  const previous = { ...HELLO, input: 'More', previous_response_id: identifierOf(first) };
  // The prompt has the first question and its answer: 11 + 1 + 11 + 66 + 1 + 10 characters.
  const [status, second] = await ask(simulator, PATH, previous);
  expect([status, second]).toMatchObject([
    200,
    { usage: { input_tokens: 25 }, previous_response_id: identifierOf(first) },
  ]);

  const [, unstored] = await ask(simulator, PATH, { ...HELLO, store: false });
  const unknown = (id: string): unknown => [
    400,
    {
      error: {
        message: `Previous response with id '${id}' not found.`,
        type: 'invalid_request_error',
        param: 'previous_response_id',
        code: 'previous_response_not_found',
      },
    },
  ];
  const gone = identifierOf(unstored);
  const request = { ...HELLO, previous_response_id: gone };
  expect(await ask(simulator, PATH, request)).toEqual(unknown(gone));
  await simulator.restart();
  await reconnect(simulator);
  expect(await ask(simulator, PATH, previous)).toEqual(unknown(identifierOf(first)));
});

test('a limit makes a response incomplete', async () => {
  await using simulator = await start();
  expect((await ask(simulator, PATH, { ...HELLO, max_output_tokens: 1 }))[1]).toMatchObject({
    status: 'incomplete',
    incomplete_details: { reason: 'max_output_tokens' },
  });
  const events = await stream(simulator, PATH, { ...HELLO, max_output_tokens: 1 });
  expect(events.at(-1)?.name).toBe('response.incomplete');
});

test('items of a conversation are read, and text without a format is refused', async () => {
  await using simulator = await start({ world: { answers: { callTools: true } } });
  const input = [
    { role: 'user', content: [{ type: 'input_text', text: 'Hello' }] },
    { type: 'function_call', call_id: '1', name: 'search', arguments: '{}' },
    { type: 'function_call_output', call_id: '1', output: 'nothing' },
  ];
  expect((await ask(simulator, PATH, { ...HELLO, input, tools: [TOOL] }))[1]).toMatchObject({
    output: [{ type: 'message' }],
  });
  expect(await ask(simulator, PATH, { ...HELLO, text: {} })).toEqual([
    400,
    {
      error: {
        message: 'Required',
        type: 'invalid_request_error',
        param: 'text.format',
        code: 'missing_required_parameter',
      },
    },
  ]);
  const schema = { type: 'object', properties: { ok: { type: 'boolean' } } };
  const text = { format: { type: 'json_schema', name: 'answer', schema } };
  expect((await ask(simulator, PATH, { ...HELLO, text }))[1]).toMatchObject({
    output: [{ content: [{ text: '{"ok":true}' }] }],
  });
});

test('a failure in a stream is sent as an event of the type error', async () => {
  await using simulator = await start();
  simulator.fault.streamError({ afterTokens: 1, text: 'Broken.' });
  const events = await stream(simulator, PATH, HELLO);
  expect(events.at(-1)).toMatchObject({
    name: 'error',
    data: { type: 'error', code: 'server_error', message: 'Broken.' },
  });
});

const REFUSED_FIRST = [
  "Invalid discriminator value. Expected 'function' | 'mcp'",
  'invalid_union_discriminator',
];
const REFUSED_LATER = ['Invalid', 'invalid_string'];

test.each([
  ['lmstudio@0.4.1', 'web_search', REFUSED_FIRST],
  ['lmstudio@0.4.1', 'namespace', REFUSED_FIRST],
  ['lmstudio@0.4.12', 'web_search', null],
  ['lmstudio@0.4.12', 'namespace', REFUSED_LATER],
  ['current', 'namespace', REFUSED_LATER],
] as const)(
  '%s answers a tool of the type %s with the captured error',
  async (profile, type, error) => {
    await using simulator = await start({ profile });
    const tools = [TOOL, { type, name: 'mcp__files__', tools: [TOOL] }];
    const [status, body] = await ask(simulator, PATH, { ...HELLO, tools });
    expect(status).toBe(error === null ? 200 : 400);
    if (error === null) return;
    const [message, code] = error;
    expect(body).toEqual({
      error: { message, type: 'invalid_request_error', param: 'tools.1.type', code },
    });
  },
);
