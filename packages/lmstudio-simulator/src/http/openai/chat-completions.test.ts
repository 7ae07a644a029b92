import { ask, stream } from '../../../test/http-client.js';
import type { ServerSentEvent } from '../../../test/http-client.js';
import { startSimulator } from '../../index.js';
import type { Simulator, SimulatorOptions } from '../../index.js';

const PATH = '/v1/chat/completions';
const KEY = 'qwen/qwen3-4b';
const HELLO = { model: KEY, messages: [{ role: 'user', content: 'Hello' }] };
const TEXT = 'Hello from the simulated model. This text stands in for an answer.';
const TOOL = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', enum: ['Paris'] }, unit: { type: 'string' } },
      required: ['city'],
    },
  },
};

function start(options: SimulatorOptions = {}): Promise<Simulator> {
  return startSimulator({ speed: 1000, ...options });
}

function choices(events: readonly ServerSentEvent[]): readonly unknown[] {
  return events.flatMap(({ data }): readonly unknown[] =>
    data === '[DONE]' ? [] : (data as { choices: readonly unknown[] }).choices,
  );
}

test('a chat has the body of LM Studio 0.4, and loads its model just in time', async () => {
  await using simulator = await start();
  expect(await ask(simulator, PATH, HELLO)).toEqual([
    200,
    {
      id: expect.stringMatching(/^chatcmpl-[0-9a-z]{21}$/),
      object: 'chat.completion',
      created: expect.any(Number),
      model: KEY,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: TEXT, reasoning_content: '', tool_calls: [] },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      // 'user: Hello' has 11 characters.
      usage: {
        prompt_tokens: 3,
        completion_tokens: 12,
        total_tokens: 15,
        completion_tokens_details: { reasoning_tokens: 0 },
      },
      stats: {},
      system_fingerprint: KEY,
    },
  ]);
  expect(simulator.residents()).toMatchObject([
    { instanceIdentifier: KEY, justInTime: true, ttlMs: 3_600_000 },
  ]);
});

test('a stream has the role in its first chunk, and finish reason and usage in chunks of their own', async () => {
  await using simulator = await start();
  const events = await stream(simulator, PATH, {
    ...HELLO,
    max_tokens: 3,
    stream_options: { include_usage: true },
  });
  expect(choices(events)).toEqual([
    {
      index: 0,
      delta: { role: 'assistant', content: 'Hello' },
      logprobs: null,
      finish_reason: null,
    },
    { index: 0, delta: { content: ' from' }, logprobs: null, finish_reason: null },
    { index: 0, delta: { content: ' the' }, logprobs: null, finish_reason: null },
    { index: 0, delta: {}, logprobs: null, finish_reason: 'length' },
  ]);
  expect(events.slice(-2)).toMatchObject([
    { data: { choices: [], usage: { prompt_tokens: 3, completion_tokens: 3, total_tokens: 6 } } },
    { data: '[DONE]' },
  ]);
  const chunks = events.slice(0, -1).map(({ data }) => data as { created: number; id: string });
  expect(new Set(chunks.map(({ created }) => created)).size).toBe(1);
  expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  const withoutUsage = await stream(simulator, PATH, { ...HELLO, max_tokens: 1 });
  expect(withoutUsage).toHaveLength(3);
});

test('0.3.9 repeats the role in each chunk and sends no usage', async () => {
  await using simulator = await start({ profile: 'lmstudio@0.3.9' });
  const events = await stream(simulator, PATH, {
    ...HELLO,
    max_tokens: 2,
    stream_options: { include_usage: true },
  });
  expect(choices(events)).toMatchObject([
    { delta: { role: 'assistant', content: 'Hello' } },
    { delta: { role: 'assistant', content: ' from' } },
    { delta: {}, finish_reason: 'length' },
  ]);
  expect(events).toHaveLength(4);
});

test('a required tool is called with arguments that match its schema', async () => {
  await using simulator = await start();
  const request = { ...HELLO, tools: [TOOL], tool_choice: 'required' };
  expect(await ask(simulator, PATH, request)).toMatchObject([
    200,
    {
      choices: [
        {
          message: {
            content: '',
            tool_calls: [
              {
                type: 'function',
                id: expect.stringMatching(/^\d{9}$/),
                function: { name: 'get_weather', arguments: '{"city":"Paris"}' },
              },
            ],
          },
          finish_reason: 'tool_calls',
        },
      ],
    },
  ]);
  const [first, second, ...rest] = choices(await stream(simulator, PATH, request));
  expect(first).toMatchObject({
    delta: {
      role: 'assistant',
      tool_calls: [
        {
          index: 0,
          id: expect.stringMatching(/^\d{9}$/),
          type: 'function',
          function: { name: 'get_weather', arguments: '' },
        },
      ],
    },
  });
  expect(second).toMatchObject({
    delta: { tool_calls: [{ index: 0, type: 'function', function: { arguments: '{"ci' } }] },
  });
  expect(rest.at(-1)).toMatchObject({ delta: {}, finish_reason: 'tool_calls' });
});

test('with callTools, a model calls a tool, and answers when it has the result', async () => {
  await using simulator = await start({ world: { answers: { callTools: true } } });
  const request = { ...HELLO, tools: [TOOL] };
  expect((await ask(simulator, PATH, request))[1]).toMatchObject({
    choices: [{ finish_reason: 'tool_calls' }],
  });
  const messages = [...HELLO.messages, { role: 'tool', tool_call_id: '1', content: '18 C' }];
  expect((await ask(simulator, PATH, { ...request, messages }))[1]).toMatchObject({
    choices: [{ message: { content: TEXT }, finish_reason: 'stop' }],
  });
  expect((await ask(simulator, PATH, { ...request, tool_choice: 'none' }))[1]).toMatchObject({
    choices: [{ finish_reason: 'stop' }],
  });
});

test('a JSON schema gets JSON that matches the schema, and json_object is refused', async () => {
  await using simulator = await start();
  const format = {
    type: 'json_schema',
    json_schema: {
      name: 'list',
      schema: {
        $defs: { item: { type: 'object', properties: { n: { type: 'integer', minimum: 2 } } } },
        type: 'object',
        properties: { items: { type: 'array', minItems: 2, items: { $ref: '#/$defs/item' } } },
      },
    },
  };
  expect((await ask(simulator, PATH, { ...HELLO, response_format: format }))[1]).toMatchObject({
    choices: [{ message: { content: '{"items":[{"n":2},{"n":2}]}' } }],
  });
  const refused = { ...HELLO, response_format: { type: 'json_object' } };
  expect(await ask(simulator, PATH, refused)).toEqual([
    400,
    { error: "'response_format.type' must be 'json_schema' or 'text'" },
  ]);
});

test('reasoning has a field of its own, which is `reasoning` for gpt-oss', async () => {
  await using simulator = await start({
    world: { answers: { reasoningTokens: 3, textTokens: 2 } },
  });
  expect((await ask(simulator, PATH, HELLO))[1]).toMatchObject({
    choices: [{ message: { content: 'Hello from', reasoning_content: 'The user wants' } }],
    usage: { completion_tokens: 5, completion_tokens_details: { reasoning_tokens: 3 } },
  });
  const events = await stream(simulator, PATH, { ...HELLO, model: 'openai/gpt-oss-20b' });
  expect(choices(events).slice(0, 4)).toMatchObject([
    { delta: { role: 'assistant', reasoning: 'The' } },
    { delta: { reasoning: ' user' } },
    { delta: { reasoning: ' wants' } },
    { delta: { content: 'Hello' } },
  ]);
  const [, body] = await ask(simulator, PATH, { ...HELLO, reasoning_effort: 'none' });
  expect(body).toMatchObject({ usage: { completion_tokens: 2 } });
});

test('images need a vision model and base64', async () => {
  await using simulator = await start();
  const messages = (url: string): object[] => [
    { role: 'user', content: [{ type: 'image_url', image_url: { url } }] },
  ];
  const image = messages('data:image/png;base64,AAAA');
  expect(await ask(simulator, PATH, { model: KEY, messages: image })).toEqual([
    400,
    { error: 'Model does not support images. Please use a model that does.' },
  ]);
  const vision = 'google/gemma-3-4b';
  expect(await ask(simulator, PATH, { model: vision, messages: image })).toMatchObject([
    200,
    // 'user: ' has 6 characters, and an image counts 256 tokens.
    { usage: { prompt_tokens: 258 } },
  ]);
  // WebP: lmstudio-bug-tracker #1752
  for (const url of ['https://example.com/a.png', 'data:image/webp;base64,UklGRg==']) {
    expect(await ask(simulator, PATH, { model: vision, messages: messages(url) })).toEqual([
      400,
      { error: "'url' field must be a base64 encoded image." },
    ]);
  }
});

// lmstudio-bug-tracker #670
test('a choice of one tool by its name is refused', async () => {
  await using simulator = await start();
  const choice = { type: 'function', function: { name: 'get_weather' } };
  expect(await ask(simulator, PATH, { ...HELLO, tools: [TOOL], tool_choice: choice })).toEqual([
    400,
    {
      error: "Invalid tool_choice type: 'object'. Supported string values: none, auto, required",
    },
  ]);
});

test('a stop string ends the text, and a limit cuts the text', async () => {
  await using simulator = await start();
  expect((await ask(simulator, PATH, { ...HELLO, stop: ['simulated'] }))[1]).toMatchObject({
    choices: [{ message: { content: 'Hello from the ' }, finish_reason: 'stop' }],
  });
  expect((await ask(simulator, PATH, { ...HELLO, max_completion_tokens: 1 }))[1]).toMatchObject({
    choices: [{ message: { content: 'Hello' }, finish_reason: 'length' }],
  });
  expect((await ask(simulator, PATH, { ...HELLO, max_tokens: -1 }))[1]).toMatchObject({
    choices: [{ finish_reason: 'stop' }],
  });
});

test('a prompt that does not fit gets status 400, or an error event in a stream', async () => {
  await using simulator = await start({ world: { defaultContextLength: 16 } });
  const long = { model: KEY, messages: [{ role: 'user', content: 'x'.repeat(58) }] };
  const message =
    'The number of tokens to keep from the initial prompt is greater than the context length ' +
    '(n_keep: 16 >= n_ctx: 16). Try to load the model with a larger context length, or provide a shorter input.';
  expect(await ask(simulator, PATH, long)).toEqual([400, { error: message }]);
  expect(await stream(simulator, PATH, long)).toEqual([
    { name: 'error', data: { error: { message }, message } },
  ]);
  const fitting = { model: KEY, messages: [{ role: 'user', content: 'x'.repeat(54) }] };
  expect((await ask(simulator, PATH, fitting))[1]).toMatchObject({
    choices: [{ message: { content: 'Hello' }, finish_reason: 'length' }],
  });
});

test('REST v0 adds statistics, the model and the runtime', async () => {
  await using simulator = await start();
  expect(await ask(simulator, '/api/v0/chat/completions', HELLO)).toMatchObject([
    200,
    {
      object: 'chat.completion',
      stats: { stop_reason: 'eosFound', tokens_per_second: expect.any(Number) },
      model_info: { arch: 'qwen3', quant: 'Q4_K_M', format: 'gguf', context_length: 8192 },
      runtime: { version: '2.28.2', supported_formats: ['gguf'] },
    },
  ]);
});

test('the same request gets the same answer', async () => {
  await using simulator = await start({ world: { answers: { textTokens: 40 } } });
  const texts = await Promise.all([1, 2].map(async () => (await ask(simulator, PATH, HELLO))[1]));
  const [first, second] = texts.map((body) => (body as { choices: unknown }).choices);
  expect(first).toEqual(second);
  expect(JSON.stringify(first)).toContain('answer. Hello from');
});
