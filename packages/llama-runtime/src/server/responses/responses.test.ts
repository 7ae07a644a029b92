import OpenAI from 'openai';
import { TestEngines, bodyOf, eventsOf, type TestEngine } from '../../../test/engine-client.js';

const engines = new TestEngines();
let engine: TestEngine;
let client: OpenAI;

/** An input with an image that has these fields. */
function imageOf(fields: object): object {
  return { input: [{ role: 'user', content: [{ type: 'input_image', ...fields }] }] };
}

beforeAll(async () => {
  await engines.open();
  engine = await engines.start(await engines.writeModel('tiny'));
  client = new OpenAI({ baseURL: `${engine.baseUrl}/v1`, apiKey: engine.token, maxRetries: 0 });
}, 60_000);
afterAll(() => engines.close());

describe("OpenAI's responses", () => {
  it('are incomplete at the token limit, and say that they are not stored', async () => {
    const response = await client.responses.create({
      model: 'tiny',
      input: 'hi',
      // The most likely tokens: by chance a model of random weights may end its answer early.
      temperature: 0,
      max_output_tokens: 20,
    });
    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output: [{ type: 'message', status: 'incomplete' }],
      store: false,
      usage: { output_tokens: 20 },
    });
    expect(response.output_text).not.toBe('');
  });

  it('are streamed with rising sequence numbers, from created to completed', async () => {
    const schema = {
      type: 'object',
      properties: { a: { enum: ['é€'] } },
      required: ['a'],
      additionalProperties: false,
    };
    const stream = await client.responses.create({
      model: 'tiny',
      input: [{ role: 'user', content: [{ type: 'input_text', text: 'hi' }] }],
      text: { format: { type: 'json_schema', name: 'x', schema } },
      stream: true,
    });
    const types: string[] = [];
    let text = '';
    for await (const event of stream) {
      expect(event.sequence_number).toBe(types.length);
      types.push(event.type);
      if (event.type === 'response.output_text.delta') text += event.delta;
      if (event.type === 'response.completed') {
        const part = event.response.output[0];
        expect(part).toMatchObject({ type: 'message', status: 'completed', content: [{ text }] });
      }
    }
    expect(JSON.parse(text)).toEqual({ a: 'é€' });
    expect(types.slice(0, 4)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
    ]);
    expect(types.slice(-4)).toEqual([
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
  });

  it('call a function, and take its output in the next request', async () => {
    const parameters = {
      type: 'object',
      properties: { city: { type: 'string', maxLength: 8 } },
      required: ['city'],
      additionalProperties: false,
    };
    const request = {
      model: 'tiny',
      tools: [{ type: 'function' as const, name: 'weather', parameters, strict: true }],
      tool_choice: 'required' as const,
      parallel_tool_calls: false,
    };
    const { output } = await client.responses.create({ ...request, input: 'hi' });
    const [call] = output;
    expect(call).toMatchObject({ status: 'completed' });
    if (call?.type !== 'function_call') throw new Error('no call');
    expect(Object.keys(JSON.parse(call.arguments))).toEqual(['city']);
    const next = await client.responses.create({
      ...request,
      tool_choice: 'none',
      max_output_tokens: 5,
      input: [
        { role: 'user', content: 'hi' },
        call,
        { type: 'function_call_output', call_id: call.call_id, output: 'rain' },
      ],
    });
    expect(next.usage?.input_tokens).toBeGreaterThan(0);
  });

  const PATH = {
    type: 'object',
    properties: { path: { type: 'string', maxLength: 8 } },
    required: ['path'],
    additionalProperties: false,
  };

  // Codex 0.171 sends such tools: those of the server are left out, and each MCP server is a namespace.
  it('call a tool of a namespace, whose names the client gets apart', async () => {
    const tools = [
      { type: 'web_search' },
      {
        type: 'namespace',
        name: 'mcp__files__',
        description: 'Files',
        tools: [{ type: 'function', name: 'read', parameters: PATH, strict: false }],
      },
    ];
    const asked = { model: 'tiny', tools, tool_choice: 'required', parallel_tool_calls: false };
    const streamed = await eventsOf(
      await engine.post('/v1/responses', { ...asked, input: 'hi', stream: true }),
    );
    const last = streamed.at(-1)?.['response'];
    expect(last.tools).toEqual([tools[1]]);
    const [call] = last.output;
    expect(call).toMatchObject({ type: 'function_call', name: 'read', namespace: 'mcp__files__' });
    expect(Object.keys(JSON.parse(call.arguments))).toEqual(['path']);
    const response = await engine.post('/v1/responses', {
      ...asked,
      tool_choice: 'none',
      max_output_tokens: 3,
      input: [
        { role: 'user', content: 'hi' },
        call,
        { type: 'function_call_output', call_id: call.call_id, output: 'text' },
      ],
    });
    expect(response.status).toBe(200);
  });

  it('call a tool that takes free text', async () => {
    const format = { type: 'grammar', syntax: 'lark', definition: 'start: /.+/' };
    const tools = [{ type: 'custom', name: 'patch', description: 'Changes a file', format }];
    const asked = { model: 'tiny', tools, parallel_tool_calls: false, input: 'hi', seed: 1 };
    const response = await engine.post('/v1/responses', {
      ...asked,
      tool_choice: { type: 'custom', name: 'patch' },
      max_output_tokens: 300,
      stream: true,
    });
    const events = await eventsOf(response);
    const done = events.find(({ type }) => type === 'response.output_item.done')?.['item'];
    expect(done).toMatchObject({ type: 'custom_tool_call', name: 'patch' });
    const input = events.find(({ type }) => type === 'response.custom_tool_call_input.done');
    expect(input).toMatchObject({ item_id: done.id, input: done.input });
    const next = await engine.post('/v1/responses', {
      ...asked,
      tool_choice: 'none',
      max_output_tokens: 3,
      input: [
        { role: 'user', content: 'hi' },
        { ...done, input: 'text' },
        { type: 'custom_tool_call_output', call_id: done.call_id, output: 'done' },
      ],
    });
    expect(next.status).toBe(200);
  });

  it('go on with a conversation in which OpenAI has run tools, and see the text only', async () => {
    const tokensOf = async (items: readonly object[]) => {
      const response = await engine.post('/v1/responses', {
        model: 'tiny',
        max_output_tokens: 1,
        input: [{ role: 'user', content: 'hi' }, ...items, { role: 'user', content: 'And now?' }],
      });
      expect(response.status).toBe(200);
      return (await bodyOf(response)).usage.input_tokens;
    };
    const text = { type: 'message', role: 'assistant', content: 'It rains.' };
    const search = { type: 'search', query: 'Ulm' };
    const all = [
      { type: 'web_search_call', id: 'ws_1', status: 'completed', action: search },
      { type: 'file_search_call', id: 'fs_1', status: 'completed', queries: ['a'], results: null },
      { type: 'mcp_call', id: 'mcp_1', name: 'a', server_label: 'b', arguments: '{}', output: 'c' },
      text,
    ];
    expect(await tokensOf(all)).toBe(await tokensOf([text]));
  });

  it('write a text, its reasoning and its calls as the one message that the model has generated', async () => {
    // As Qwen 3 does: reasoning is written after the last question of the user only.
    const form = `{% set last = namespace(at=0) %}{% for m in messages %}{% if m.role == 'user' %}{% set last.at = loop.index0 %}{% endif %}{% endfor %}{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}
{% if m.reasoning_content and loop.index0 > last.at %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}{% for call in m.tool_calls or [] %}<tool_call>{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}</tool_call>{% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`;
    const metadata = { 'tokenizer.chat_template': form };
    const thinking = await engines.start(
      await engines.writeModel('thinking', { layers: 1, width: 256, metadata }),
    );
    const tokensOf = async (path: string, body: object) => {
      const response = await thinking.post(path, { model: 'tiny', ...body });
      const { error, usage } = await bodyOf(response);
      expect(error ?? null).toBeNull();
      return Number(usage.input_tokens ?? usage.prompt_tokens);
    };
    const tool = { name: 'look', parameters: PATH };
    const call = { name: 'look', arguments: '{"path":"a"}' };
    const tokensOfItems = (items: readonly object[]) =>
      tokensOf('/v1/responses', {
        tools: [{ type: 'function', ...tool }],
        max_output_tokens: 1,
        input: [{ role: 'user', content: 'hi' }, ...items],
      });
    const items = [
      {
        type: 'reasoning',
        id: 'rs_1',
        summary: [],
        content: [{ type: 'reasoning_text', text: 'a b c d' }],
      },
      { type: 'message', role: 'assistant', content: 'I look.' },
      { type: 'function_call', call_id: 'c1', ...call },
      { type: 'function_call_output', call_id: 'c1', output: 'rain' },
    ];
    const asChat = await tokensOf('/v1/chat/completions', {
      tools: [{ type: 'function', function: tool }],
      max_tokens: 1,
      messages: [
        { role: 'user', content: 'hi' },
        {
          role: 'assistant',
          content: 'I look.',
          reasoning_content: 'a b c d',
          tool_calls: [{ id: 'c1', type: 'function', function: call }],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'rain' },
      ],
    });
    expect(await tokensOfItems(items)).toBe(asChat);
    expect(await tokensOfItems(items.slice(1))).toBeLessThan(asChat);
    // The turn has ended, so its reasoning is not written.
    const ended = [
      { type: 'message', role: 'assistant', content: 'It rains.' },
      { role: 'user', content: 'And?' },
    ];
    expect(await tokensOfItems([...items, ...ended])).toBe(
      await tokensOfItems([...items.slice(1), ...ended]),
    );
  });

  it.each([
    ['older versions of Codex stored them', { type: 'function_call_output', call_id: 'c1' }],
    ["OpenAI's types have them", { type: 'local_shell_call_output', id: 'c1' }],
    ['some clients send them', { type: 'local_shell_call_output', call_id: 'c1' }],
  ])('take the calls of a shell at the client, as %s', async (_, output) => {
    const response = await engine.post('/v1/responses', {
      model: 'tiny',
      max_output_tokens: 1,
      input: [
        { role: 'user', content: 'hi' },
        {
          type: 'local_shell_call',
          call_id: 'c1',
          status: 'completed',
          action: { type: 'exec', command: ['ls'] },
        },
        { ...output, output: 'a.txt' },
      ],
    });
    expect(response.status).toBe(200);
  });

  it('name the way out where OpenAI alone can read an item, or the engine cannot read a file', async () => {
    const messageOf = async (item: object) => {
      const response = await engine.post('/v1/responses', { model: 'tiny', input: [item] });
      expect(response.status).toBe(501);
      return (await bodyOf(response)).error.message;
    };
    expect(await messageOf({ type: 'compaction', encrypted_content: 'a' })).toMatch(
      /only OpenAI can read it; send the items .* new conversation/,
    );
    const file = {
      type: 'input_file',
      filename: 'a.pdf',
      file_data: 'data:application/pdf;base64,',
    };
    expect(await messageOf({ role: 'user', content: [file] })).toMatch(/send the text of the file/);
  });

  it.each([
    [{ previous_response_id: 'resp_1' }, 400],
    [{ input: [] }, 400],
    [{ input: [{ type: 'item_reference', id: 'msg_1' }] }, 400],
    [imageOf({ image_url: 'https://a.example/cat.png' }), 501],
    [imageOf({ file_id: 'file_1' }), 501],
    [imageOf({}), 400],
    [{ background: true }, 501],
    [{ tool_choice: { type: 'web_search' }, tools: [{ type: 'web_search' }] }, 501],
    [{ tool_choice: 'required', tools: [{ type: 'web_search' }] }, 400],
    [{ tool_choice: { type: 'allowed_tools', mode: 'required', tools: [] } }, 400],
    [{ top_logprobs: 2 }, 501],
    [{ include: ['message.output_text.logprobs'] }, 501],
  ])(
    '%j are refused with %i, because they need what the engine does not have',
    async (fields, status) => {
      const response = await engine.post('/v1/responses', {
        model: 'tiny',
        input: 'hi',
        ...fields,
      });
      expect(response.status).toBe(status);
    },
  );

  it.each([
    [{ max_output_tokens: 0 }, 'max_output_tokens'],
    [{ text: { format: 'json' } }, 'text.format'],
    [{ text: { format: { type: 'xml' } } }, 'text.format.type'],
    [{ text: { format: { type: 'json_schema', name: 'a' } } }, 'text.format.schema'],
    [{ reasoning: { effort: 1 } }, 'reasoning.effort'],
    [{ input: [{ role: 'robot', content: 'hi' }] }, 'input'],
    [{ input: 'ab '.repeat(1000) }, 'input'],
    [{ tools: [{ type: 'function', name: '' }] }, 'tools[0].name'],
    [
      {
        tools: [{ type: 'function', name: 'a' }],
        tool_choice: {
          type: 'allowed_tools',
          mode: 'any',
          tools: [{ type: 'function', name: 'a' }],
        },
      },
      'tool_choice.mode',
    ],
  ])('%j are refused with the name of the field that was sent, %s', async (fields, param) => {
    const response = await engine.post('/v1/responses', { model: 'tiny', input: 'hi', ...fields });
    expect(response.status).toBe(400);
    const { error } = await bodyOf(response);
    expect(error.param).toBe(param);
    expect(error.message).not.toMatch(/messages|response_format|max_tokens|function/);
  });
});
