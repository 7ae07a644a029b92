import { TestEngines, bodyOf, eventsOf, type TestEngine } from '../../../test/engine-client.js';

const engines = new TestEngines();
let engine: TestEngine;
const CHAT = { model: 'tiny', messages: [{ role: 'user', content: 'hi' }], seed: 1 };
const WEATHER = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather of a city',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', maxLength: 8 } },
      required: ['city'],
      additionalProperties: false,
    },
  },
};

beforeAll(async () => {
  await engines.open();
  engine = await engines.start(await engines.writeModel('tiny'));
}, 60_000);
afterAll(() => engines.close());

async function chat(fields: object) {
  const response = await engine.post('/v1/chat/completions', { ...CHAT, ...fields });
  return bodyOf(response);
}

async function stream(fields: object) {
  const response = await engine.post('/v1/chat/completions', { ...CHAT, stream: true, ...fields });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  return eventsOf(response);
}

describe('A chat completion', () => {
  it('ends with `length` at the token limit and counts every token', async () => {
    const { choices, usage } = await chat({ max_tokens: 7 });
    expect(choices).toHaveLength(1);
    expect(choices[0]).toMatchObject({
      index: 0,
      finish_reason: 'length',
      message: { role: 'assistant' },
    });
    expect(usage).toMatchObject({ completion_tokens: 7, total_tokens: usage.prompt_tokens + 7 });
  });

  it('has the times of the prompt and of the generated tokens, as llama-server reports them', async () => {
    const message = [{ role: 'user', content: 'a prompt that no other test has sent before' }];
    const whole = await chat({ messages: message, max_tokens: 9 });
    const { cached_tokens: cached } = whole.usage.prompt_tokens_details;
    expect(whole.timings).toMatchObject({
      prompt_n: whole.usage.prompt_tokens - cached,
      predicted_n: 9,
    });
    expect(whole.timings.prompt_ms).toBeGreaterThan(0);
    expect(whole.timings.predicted_ms).toBeGreaterThan(0);
    const events = await stream({ max_tokens: 9 });
    const timed = events.filter(({ timings }) => timings !== undefined);
    expect(timed).toHaveLength(1);
    expect(timed[0]).toMatchObject({
      timings: { predicted_n: 9 },
      choices: [{ finish_reason: 'length' }],
    });
  });

  // Its crates/language_models/src/provider/lmstudio.rs.
  it('answers as Zed asks LM Studio: on another path, and with -1 as no limit', async () => {
    const schema = { type: 'object', properties: { a: { const: 1 } }, required: ['a'] };
    const response = await engine.post('/api/v0/chat/completions', {
      ...CHAT,
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: -1,
      stop: [],
      tools: [],
      response_format: { type: 'json_schema', json_schema: { schema } },
    });
    expect(response.status).toBe(200);
    const events = await eventsOf(response);
    const deltas = events.map((event) => event['choices']?.[0]?.delta.content ?? '');
    expect(JSON.parse(deltas.join(''))).toMatchObject({ a: 1 });
    expect(events.at(-2)?.['usage'].completion_tokens).toBeGreaterThan(0);
  });

  it.each([
    { functions: [] },
    { top_k: -1 },
    { top_k: 0 },
    { max_completion_tokens: -1 },
    // BerriAI/litellm #29434
    { stream: false, stream_options: { include_usage: true } },
  ])('takes %j', async (fields) => {
    const { usage } = await chat({ ...fields, max_tokens: 3 });
    expect(usage.completion_tokens).toBe(3);
  });

  it('is the same for the same seed, and another for another seed', async () => {
    const contents: string[] = [];
    for (const seed of [5, 5, 6]) {
      contents.push((await chat({ seed, max_tokens: 20 })).choices[0].message.content);
    }
    expect(contents[1]).toBe(contents[0]);
    expect(contents[2]).not.toBe(contents[0]);
  });

  // vllm-project/vllm #4531: a client that cannot leave the seed out sends -1 for a random one.
  it('is another one each time for a seed of -1', async () => {
    const contents = new Set<string>();
    for (let time = 0; time < 3; time += 1) {
      contents.add((await chat({ seed: -1, max_tokens: 20 })).choices[0].message.content);
    }
    expect(contents.size).toBe(3);
  });

  it('has the most likely tokens at temperature 0, whatever the seed', async () => {
    const contents: string[] = [];
    for (const seed of [5, 6, 7]) {
      const { choices } = await chat({ seed, temperature: 0, max_tokens: 40 });
      contents.push(choices[0].message.content);
    }
    expect(new Set(contents).size).toBe(1);
  });

  it.each([false, true])(
    'ends the arguments of a call before a stop sequence; stream: %s',
    async (stream) => {
      const city = { type: 'string', enum: ['abcdefgh'] };
      const parameters = { type: 'object', properties: { city }, required: ['city'] };
      const body = {
        tools: [{ type: 'function', function: { name: 'weather', parameters } }],
        tool_choice: 'required',
        max_tokens: 200,
        stop: ['def'],
      };
      const request = { ...CHAT, ...body, stream };
      const response = await engine.post('/v1/chat/completions', request);
      const choices = stream
        ? (await eventsOf(response)).flatMap((event) => event.choices ?? [])
        : (await bodyOf(response)).choices;
      const messages = choices.map(
        (choice: { delta: object; message: object }) => choice.delta ?? choice.message,
      );
      const calls = messages.flatMap(
        (message: { tool_calls?: object[] }) => message.tool_calls ?? [],
      );
      const text = calls
        .map((call: { function: { arguments?: string } }) => call.function.arguments ?? '')
        .join('');
      expect(text).toMatch(/^\{\s*"city"\s*:\s*"abc$/);
      expect(messages.map(({ content = null }) => content ?? '').join('')).toBe('');
      expect(choices.at(-1).finish_reason).toBe('tool_calls');
    },
  );

  it('takes a text that a client has cut within an emoji', async () => {
    const ofText = async (content: string) =>
      (await chat({ messages: [{ role: 'user', content }], max_tokens: 1 })).usage?.prompt_tokens;
    expect(await ofText('a \ud83d')).toBe(await ofText('a \ufffd'));
    expect(await ofText('a \ud83d\ude00')).toBe(await ofText('a 😀'));
  });

  it('ends before a stop sequence', async () => {
    const whole = (await chat({ max_tokens: 40 })).choices[0].message.content;
    const stop = whole.slice(10, 12);
    const { choices, usage, timings } = await chat({ max_tokens: 40, stop });
    expect(choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { content: whole.slice(0, whole.indexOf(stop)) },
    });
    // The last of the tokens that it counts completes the stop sequence.
    const { completion_tokens: tokens } = usage;
    const textOf = async (most: number) =>
      (await chat({ max_tokens: most })).choices[0].message.content;
    expect(await textOf(tokens)).toContain(stop);
    expect(await textOf(tokens - 1)).not.toContain(stop);
    expect(timings.predicted_n).toBe(tokens);
  });

  it('streams the role once, the finish reason alone, the usage in a chunk of its own, and one creation time', async () => {
    const events = await stream({ max_tokens: 12, stream_options: { include_usage: true } });
    const chunks = events.slice(0, -1);
    expect(events.at(-1)).toEqual({ done: true });
    expect(new Set(chunks.map(({ id, created }) => `${id} ${created}`)).size).toBe(1);
    expect(chunks[0]?.['choices'][0].delta).toEqual({ role: 'assistant', content: '' });
    const middle = chunks.slice(1, -2);
    expect(middle.length).toBeGreaterThan(3);
    for (const chunk of middle) {
      expect(Object.keys(chunk['choices'][0].delta)).toEqual(['content']);
      expect(chunk).toMatchObject({ usage: null, choices: [{ finish_reason: null }] });
    }
    expect(chunks.at(-2)?.['choices'][0]).toMatchObject({ delta: {}, finish_reason: 'length' });
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 12 } });
  });

  it('streams the text that it would give at once', async () => {
    const whole = (await chat({ max_tokens: 60, temperature: 0 })).choices[0].message.content;
    const events = await stream({ max_tokens: 60, temperature: 0 });
    const text = events.map((event) => event['choices']?.[0]?.delta.content ?? '').join('');
    expect(text).toBe(whole);
  });

  it('follows a JSON schema, and no chunk holds a part of a character', async () => {
    const schema = {
      type: 'object',
      properties: { a: { enum: ['é€😀'] } },
      required: ['a'],
      additionalProperties: false,
    };
    const events = await stream({
      max_tokens: 200,
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
    });
    const texts = events.map((event) => event['choices']?.[0]?.delta.content ?? '');
    expect(JSON.parse(texts.join(''))).toEqual({ a: 'é€😀' });
    expect(texts.join('')).not.toContain('\uFFFD');
    expect(texts).toEqual(expect.arrayContaining(['é', '€', '😀']));
  });

  it('gives an object for the response format json_object', async () => {
    const { choices } = await chat({
      max_tokens: 400,
      seed: 3,
      response_format: { type: 'json_object' },
    });
    expect(choices[0].message.content.trimStart()[0]).toBe('{');
  });

  it('calls a required tool, with arguments that follow its schema', async () => {
    const { choices } = await chat({
      max_tokens: 400,
      tools: [WEATHER],
      tool_choice: 'required',
      parallel_tool_calls: false,
    });
    const { message, finish_reason } = choices[0];
    expect(finish_reason).toBe('tool_calls');
    expect(message.content).toBeNull();
    expect(message.tool_calls).toHaveLength(1);
    expect(message.tool_calls[0]).toMatchObject({
      type: 'function',
      function: { name: 'weather' },
    });
    expect(Object.keys(JSON.parse(message.tool_calls[0].function.arguments))).toEqual(['city']);
  });

  it('calls one of the allowed tools only', async () => {
    const other = { ...WEATHER, function: { ...WEATHER.function, name: 'time' } };
    for (const name of ['weather', 'time']) {
      const tools = [{ type: 'function', function: { name } }];
      const { choices } = await chat({
        max_tokens: 400,
        tools: [WEATHER, other],
        tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools } },
        parallel_tool_calls: false,
      });
      expect(choices[0].message.tool_calls[0].function.name).toBe(name);
    }
  });

  it('takes back a call whose arguments are empty', async () => {
    const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } };
    const { usage } = await chat({
      max_tokens: 1,
      tools: [WEATHER],
      messages: [
        ...CHAT.messages,
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'call_1', content: 'rain' },
      ],
    });
    expect(usage.completion_tokens).toBe(1);
  });

  it('streams a tool call: its name and identifier once, then its arguments', async () => {
    const events = await stream({
      max_tokens: 400,
      tools: [WEATHER],
      tool_choice: { type: 'function', function: { name: 'weather' } },
    });
    const calls = events.flatMap((event) => event['choices']?.[0]?.delta.tool_calls ?? []);
    expect(calls[0]).toMatchObject({
      index: 0,
      type: 'function',
      function: { name: 'weather', arguments: '' },
    });
    expect(calls[0].id).toMatch(/^call_/);
    for (const call of calls.slice(1)) expect(Object.keys(call)).toEqual(['index', 'function']);
    const text = calls.map((call) => call.function.arguments).join('');
    expect(Object.keys(JSON.parse(text))).toEqual(['city']);
    expect(events.at(-2)?.['choices'][0].finish_reason).toBe('tool_calls');
  });

  it('answers two requests at the same time', async () => {
    const answers = [1, 2].map((seed) =>
      engine.post('/v1/chat/completions', { ...CHAT, seed, max_tokens: 400, ignore: true }),
    );
    const both = { activity: 'generating', queued: 2 };
    const stateNow = async () => bodyOf(await engine.get('/mai/state'));
    const untilMs = Date.now() + 10_000;
    let state = await stateNow();
    while ((state.activity !== both.activity || state.queued !== 2) && Date.now() < untilMs) {
      state = await stateNow();
    }
    expect(state).toMatchObject(both);
    for (const answer of answers) expect((await answer).status).toBe(200);
  });

  it('ends with `length` where the context is full', async () => {
    const content = 'ab '.repeat(330);
    const schema = { type: 'string', minLength: 1500, maxLength: 1900 };
    const { choices, usage } = await chat({
      messages: [{ role: 'user', content }],
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
    });
    expect(choices[0].finish_reason).toBe('length');
    expect(usage.total_tokens).toBeGreaterThanOrEqual(1024);
    expect(usage.total_tokens).toBeLessThanOrEqual(1025);
  });
});

describe('A chat completion that is refused', () => {
  it.each([
    [{ messages: [{ role: 'user', content: 'ab '.repeat(1000) }] }, 400, 'context_length_exceeded'],
    [{ model: 'other' }, 404, 'model_not_found'],
    [{ messages: [] }, 400, 'invalid_value'],
    [{ messages: [{ role: 'robot', content: 'x' }] }, 400, 'invalid_value'],
    [{ n: 0 }, 400, 'invalid_value'],
    [{ n: 2 }, 501, 'not_supported'],
    [{ max_tokens: 0 }, 400, 'invalid_value'],
    [{ temperature: 'hot' }, 400, 'invalid_value'],
    [{ stop: [''] }, 400, 'invalid_value'],
    [{ logit_bias: { 5: 1 } }, 501, 'not_supported'],
    [{ grammar: 'root ::= "yes"' }, 501, 'not_supported'],
    [{ json_schema: { type: 'object' } }, 501, 'not_supported'],
    [{ logprobs: true }, 501, 'not_supported'],
    [{ top_logprobs: 3 }, 501, 'not_supported'],
    [{ modalities: ['text', 'audio'] }, 501, 'not_supported'],
    [{ web_search_options: {} }, 400, 'unknown_parameter'],
    [
      {
        tools: [WEATHER],
        tool_choice: {
          type: 'allowed_tools',
          allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'x' } }] },
        },
      },
      400,
      'invalid_value',
    ],
    [{ tools: [{ type: 'web_search' }] }, 501, 'not_supported'],
    [
      {
        response_format: {
          type: 'json_schema',
          json_schema: { schema: { type: 'string', maxLength: 5000 } },
        },
      },
      400,
      'invalid_value',
    ],
    [
      { response_format: { type: 'json_schema', json_schema: { schema: { type: 'foo' } } } },
      400,
      'invalid_value',
    ],
    [
      {
        messages: [
          {
            role: 'user',
            content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }],
          },
        ],
      },
      501,
      'not_supported',
    ],
    [
      {
        messages: [
          { role: 'user', content: [{ type: 'image_url', image_url: { url: '/etc/hostname' } }] },
        ],
      },
      400,
      'invalid_value',
    ],
    [
      {
        messages: [
          {
            role: 'user',
            content: [{ type: 'image_url', image_url: { url: 'https://a.example/cat.png' } }],
          },
        ],
      },
      501,
      'not_supported',
    ],
  ])('%j is %i %s', async (fields, status, code) => {
    const response = await engine.post('/v1/chat/completions', { ...CHAT, ...fields });
    expect(response.status).toBe(status);
    // The openai package tries again on each status from 500 on.
    expect(response.headers.get('x-should-retry')).toBe(status === 501 ? 'false' : null);
    expect(await response.json()).toMatchObject({ error: { code, message: expect.any(String) } });
  });
});
