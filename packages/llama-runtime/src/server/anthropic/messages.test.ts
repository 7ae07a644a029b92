import Anthropic from '@anthropic-ai/sdk';
import { TestEngines, bodyOf, eventsOf, type TestEngine } from '../../../test/engine-client.js';

const engines = new TestEngines();
let engine: TestEngine;
let client: Anthropic;
const MESSAGE = {
  model: 'tiny',
  max_tokens: 30,
  // The most likely tokens: by chance a model of random weights may end its answer early.
  temperature: 0,
  system: 'Be short.',
  messages: [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'hi' }] }],
};
const TOOL = {
  name: 'weather',
  description: 'The weather of a city',
  input_schema: {
    type: 'object' as const,
    properties: { city: { type: 'string', maxLength: 8 } },
    required: ['city'],
    additionalProperties: false,
  },
};

/** A message with an image from this source. */
function imageFrom(source: object): object {
  return { messages: [{ role: 'user', content: [{ type: 'image', source }] }] };
}

beforeAll(async () => {
  await engines.open();
  engine = await engines.start(await engines.writeModel('tiny'));
  client = clientOf(engine);
}, 60_000);
afterAll(() => engines.close());

function clientOf({ baseUrl, token }: TestEngine): Anthropic {
  return new Anthropic({ baseURL: baseUrl, authToken: token, apiKey: null, maxRetries: 0 });
}

describe("Anthropic's messages", () => {
  it('are answered in blocks, with the tokens of the input as count_tokens counts them', async () => {
    const message = await client.messages.create(MESSAGE);
    expect(message).toMatchObject({
      role: 'assistant',
      stop_reason: 'max_tokens',
      usage: { output_tokens: 30 },
    });
    expect(message.content[0]).toMatchObject({ type: 'text' });
    const { model, system, messages } = MESSAGE;
    const counted = await client.messages.countTokens({ model, system, messages });
    expect(counted.input_tokens).toBe(message.usage.input_tokens);
  });

  it('count the tokens of the prompt that were in the cache apart, also in a stream', async () => {
    // Only an engine with one sequence keeps the cache of the last request.
    const caching = await engines.start(await engines.writeModel('tiny'), { parallelSequences: 1 });
    const messages = clientOf(caching).messages;
    const { model, system } = MESSAGE;
    const { input_tokens: tokens } = await messages.countTokens({
      model,
      system,
      messages: MESSAGE.messages,
    });
    const first = await messages.create({ ...MESSAGE, max_tokens: 1 });
    expect(first.usage).toMatchObject({ input_tokens: tokens, cache_read_input_tokens: 0 });
    const again = await messages.create({ ...MESSAGE, max_tokens: 1 });
    const streamed = await messages.stream({ ...MESSAGE, max_tokens: 1 }).finalMessage();
    // The last token of a prompt is always computed.
    const usage = {
      input_tokens: 1,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: tokens - 1,
      output_tokens: 1,
    };
    expect([again.usage, streamed.usage]).toEqual([usage, usage]);
  });

  it.each([false, true])(
    'with max_tokens 0 have no content, and fill the cache; streamed: %p',
    async (streams) => {
      const caching = await engines.start(await engines.writeModel('tiny'), {
        parallelSequences: 1,
      });
      const { messages } = clientOf(caching);
      const warmUp = { ...MESSAGE, max_tokens: 0 };
      const message = await (streams
        ? messages.stream(warmUp).finalMessage()
        : messages.create(warmUp));
      expect(message).toMatchObject({
        content: [],
        stop_reason: 'max_tokens',
        stop_sequence: null,
        usage: { cache_read_input_tokens: 0, output_tokens: 0 },
      });
      const next = await messages.create({ ...MESSAGE, max_tokens: 1 });
      const { input_tokens: read } = message.usage;
      expect(next.usage).toMatchObject({ input_tokens: 1, cache_read_input_tokens: read - 1 });
    },
  );

  it("leave out Claude Code's first block, so that the next request finds its prompt in the cache", async () => {
    const caching = await engines.start(await engines.writeModel('tiny'), { parallelSequences: 1 });
    const messages = clientOf(caching).messages;
    // The blocks of ggml-org/llama.cpp #19494, sent by Claude Code 2.1.42.
    const blocks = (cch: string) => [
      {
        type: 'text' as const,
        text: `x-anthropic-billing-header: cc_version=2.1.42.834; cc_entrypoint=cli; cch=${cch};`,
      },
      { type: 'text' as const, text: MESSAGE.system },
    ];
    const ask = (system: typeof MESSAGE.system | ReturnType<typeof blocks>) =>
      messages.create({ ...MESSAGE, system, max_tokens: 1 });
    const { usage } = await ask(blocks('65abc'));
    expect(usage.cache_read_input_tokens).toBe(0);
    const found = { input_tokens: 1, cache_read_input_tokens: usage.input_tokens - 1 };
    expect((await ask(blocks('fa690'))).usage).toMatchObject(found);
    expect((await ask(MESSAGE.system)).usage).toMatchObject(found);
    const { model } = MESSAGE;
    const counted = await messages.countTokens({
      model,
      system: blocks('0a1b2'),
      messages: MESSAGE.messages,
    });
    expect(counted.input_tokens).toBe(usage.input_tokens);
  });

  it('are streamed in the order of the documentation', async () => {
    const response = await engine.post('/v1/messages', { ...MESSAGE, stream: true });
    const types = (await eventsOf(response)).map(({ type }) => type);
    const deltas = types.filter((type) => type === 'content_block_delta').length;
    expect(deltas).toBeGreaterThan(3);
    expect(types).toEqual([
      'message_start',
      'content_block_start',
      ...Array<string>(deltas).fill('content_block_delta'),
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
  });

  it('call a tool where one is required', async () => {
    const message = await client.messages
      .stream({
        ...MESSAGE,
        max_tokens: 400,
        tools: [TOOL],
        tool_choice: { type: 'any', disable_parallel_tool_use: true },
      })
      .finalMessage();
    expect(message.stop_reason).toBe('tool_use');
    expect(message.content).toHaveLength(1);
    expect(message.content[0]).toMatchObject({
      type: 'tool_use',
      name: 'weather',
      input: { city: expect.any(String) },
    });
  });

  it.each(['output_config', 'output_format'])('follow the JSON schema of %s', async (field) => {
    const schema = {
      type: 'object',
      properties: { city: { enum: ['Ulm'] } },
      required: ['city'],
      additionalProperties: false,
    };
    const format = { type: 'json_schema', schema };
    const response = await engine.post('/v1/messages', {
      ...MESSAGE,
      max_tokens: 400,
      [field]: field === 'output_config' ? { effort: 'high', format } : format,
    });
    const { content } = await bodyOf(response);
    expect(JSON.parse(content[0].text)).toEqual({ city: 'Ulm' });
  });

  it.each([
    ['text', { type: 'text', media_type: 'text/plain', data: 'It rains. '.repeat(20) }],
    ['content', { type: 'content', content: [{ type: 'text', text: 'It rains. '.repeat(20) }] }],
  ])('take a document whose source is of type %s', async (_type, source) => {
    const document = { type: 'document', title: 'Weather', source };
    const messages = [{ role: 'user', content: [document, { type: 'text', text: 'hi' }] }];
    const response = await engine.post('/v1/messages', { ...MESSAGE, max_tokens: 1, messages });
    expect(response.status).toBe(200);
    const { usage } = await bodyOf(response);
    const without = await client.messages.create({ ...MESSAGE, max_tokens: 1 });
    expect(usage.input_tokens).toBeGreaterThan(without.usage.input_tokens + 40);
  });

  it('read search results, and the names that a search for tools has found', async () => {
    const found = {
      type: 'search_result',
      source: 'https://weather.example',
      title: 'Weather',
      content: [{ type: 'text', text: 'It rains. '.repeat(20) }],
    };
    const input = async (content: unknown) => {
      const messages = [
        ...MESSAGE.messages,
        { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'find', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content }] },
      ];
      const response = await engine.post('/v1/messages', { ...MESSAGE, max_tokens: 1, messages });
      expect(response.status).toBe(200);
      return (await bodyOf(response)).usage.input_tokens;
    };
    const nothing = await input([]);
    expect(await input([found])).toBeGreaterThan(nothing + 40);
    const reference = { type: 'tool_reference', tool_name: 'read_the_weather_of_a_city' };
    expect(await input([reference])).toBeGreaterThan(nothing + 5);
  });

  it('take the result of a tool', async () => {
    const message = await client.messages.create({
      ...MESSAGE,
      tools: [TOOL],
      messages: [
        ...MESSAGE.messages,
        {
          role: 'assistant',
          content: [{ type: 'tool_use', id: 't1', name: 'weather', input: { city: 'Ulm' } }],
        },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: 'rain' }] },
      ],
    });
    expect(message.usage.input_tokens).toBeGreaterThan(100);
  });

  it('go on with a conversation in which Anthropic has run tools, and see the text only', async () => {
    const tokensOf = async (content: readonly object[]) => {
      const response = await engine.post('/v1/messages', {
        ...MESSAGE,
        max_tokens: 1,
        messages: [...MESSAGE.messages, { role: 'assistant', content }, ...MESSAGE.messages],
      });
      expect(response.status).toBe(200);
      return (await bodyOf(response)).usage.input_tokens;
    };
    const text = { type: 'text', text: 'It rains.' };
    const search = { id: 'srvtoolu_1', name: 'web_search', input: { query: 'Ulm' } };
    const found = { type: 'web_search_result', url: 'https://a.example', title: 'a' };
    const all = [
      { type: 'server_tool_use', ...search },
      { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [found] },
      { type: 'mcp_tool_use', id: 'mcptoolu_1', name: 'a', server_name: 'b', input: {} },
      { type: 'mcp_tool_result', tool_use_id: 'mcptoolu_1', is_error: false, content: [] },
      { type: 'compaction', content: null },
      text,
    ];
    expect(await tokensOf(all)).toBe(await tokensOf([text]));
  });

  it('take the summary of a compaction in the place of what was before it', async () => {
    const tokensOf = async (messages: readonly object[]) => {
      const response = await engine.post('/v1/messages', { ...MESSAGE, max_tokens: 1, messages });
      expect(response.status).toBe(200);
      return (await bodyOf(response)).usage.input_tokens;
    };
    const summary = 'The user asked for the weather.';
    const answer = { type: 'text', text: 'It rains.' };
    const next = { role: 'user', content: 'And now?' };
    const compacted = [
      { role: 'user', content: 'The weather of Ulm? '.repeat(10) },
      {
        role: 'assistant',
        content: [{ type: 'text', text: 'Old.' }, { type: 'compaction', content: summary }, answer],
      },
      next,
    ];
    const plain = [
      { role: 'user', content: summary },
      { role: 'assistant', content: [answer] },
      next,
    ];
    expect(await tokensOf(compacted)).toBe(await tokensOf(plain));
  });

  // Claude Code 2.1.332 sends its lists of agents and skills so, from the first request on.
  it('take system messages between the turns', async () => {
    const text = 'The following skills are available: none.';
    const sent = (role: string) => ({
      ...MESSAGE,
      max_tokens: 1,
      messages: [...MESSAGE.messages, { role, content: [{ type: 'text', text }] }],
    });
    const response = await engine.post('/v1/messages', sent('system'));
    expect(response.status).toBe(200);
    const { usage } = await bodyOf(response);
    const without = await client.messages.create({ ...MESSAGE, max_tokens: 1 });
    expect(usage.input_tokens).toBeGreaterThan(without.usage.input_tokens + 10);
    const unknown = await engine.post('/v1/messages', sent('robot'));
    expect(unknown.status).toBe(400);
  });

  it('refuse an image in the result of a tool only because this model does not see', async () => {
    const source = { type: 'base64', media_type: 'image/png', data: 'AA==' };
    const content = [
      { type: 'image', source },
      { type: 'text', text: 'a.png' },
    ];
    const response = await engine.post('/v1/messages', {
      ...MESSAGE,
      messages: [
        ...MESSAGE.messages,
        { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'read', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content }] },
      ],
    });
    expect(response.status).toBe(501);
    expect((await bodyOf(response)).error.message).toMatch(/image|vision/);
  });

  it('name the stop sequence that ended the answer', async () => {
    const whole = await client.messages.create(MESSAGE);
    const text = whole.content[0]?.type === 'text' ? whole.content[0].text : '';
    const stop = text.slice(4, 6);
    const cut = await client.messages.create({ ...MESSAGE, stop_sequences: [stop] });
    expect(cut).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: stop });
    expect(cut.usage.output_tokens).toBeGreaterThan(0);
  });

  it.each([
    [{ max_tokens: undefined }, 400, 'invalid_request_error'],
    [{ model: 'other' }, 404, 'not_found_error'],
    [{ messages: [{ role: 'user', content: [{ type: 'document' }] }] }, 501, 'api_error'],
    [{ mcp_servers: [{ type: 'url', name: 'a', url: 'https://mcp.example' }] }, 501, 'api_error'],
    [imageFrom({ type: 'url', url: 'https://a.example/cat.png' }), 501, 'api_error'],
    [imageFrom({ type: 'file', file_id: 'file_1' }), 501, 'api_error'],
    [imageFrom({ type: 'disk' }), 400, 'invalid_request_error'],
    [{ output_config: { format: { type: 'xml' } } }, 400, 'invalid_request_error'],
    [{ messages: [{ role: 'user', content: 'ab '.repeat(1000) }] }, 400, 'invalid_request_error'],
  ])('%j are refused with %i in the form of Anthropic', async (fields, status, type) => {
    const response = await engine.post('/v1/messages', { ...MESSAGE, ...fields });
    expect(response.status).toBe(status);
    expect(response.headers.get('x-should-retry')).toBe(status === 501 ? 'false' : null);
    expect(await response.json()).toMatchObject({ type: 'error', error: { type } });
  });

  it.each([
    [{ max_tokens: -1 }, "'max_tokens' must be at least 0"],
    [{ top_p: 2 }, "'top_p' must be between 0 and 1"],
    [{ stop_sequences: [''] }, "'stop_sequences' must contain non-empty strings"],
    [
      { output_config: { format: { type: 'json_schema' } } },
      "'output_config.format.schema' is required",
    ],
    [
      {
        output_config: { format: { type: 'json_schema', schema: {} } },
        messages: [...MESSAGE.messages, { role: 'assistant', content: 'It' }],
      },
      "'output_config.format' cannot be used",
    ],
    [{ tools: [{ ...TOOL, input_schema: 'x' }] }, "'tools[0].input_schema' must be an object"],
    [{ tools: [{ ...TOOL, name: '' }] }, "'tools[0].name' is required"],
    [
      {
        messages: [
          {
            role: 'user',
            content: [{ type: 'image', source: { type: 'base64', media_type: 'a', data: '' } }],
          },
        ],
      },
      "'messages' must be a data URL",
    ],
  ])('%j are refused with the name of the field that was sent', async (fields, message) => {
    const response = await engine.post('/v1/messages', { ...MESSAGE, ...fields });
    expect(response.status).toBe(400);
    expect((await bodyOf(response)).error.message).toContain(message);
  });
});
