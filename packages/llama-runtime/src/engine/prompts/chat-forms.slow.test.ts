import { TestEngines, bodyOf, type TestEngine } from '../../../test/engine-client.js';

// Chats in the forms that clients send, with templates in the forms that published models have. The real llama.cpp formats
// them. Each template here is a short one of the same form as the named models'.

const engines = new TestEngines();
beforeAll(() => engines.open());
afterAll(() => engines.close());

const TURN = `<|im_start|>{{ m.role }}
{{ m.content }}<|im_end|>
`;
const ANSWER = `{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`;
/** Gemma 2 and Mistral 7B: the roles alternate, there is no system message, and there are no tools. */
const ALTERNATING = `{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}${TURN}{% endfor %}${ANSWER}`;
/** Phi 3 medium: only texts of the user and the assistant are written. */
const DROPPING = `{% for m in messages %}{% if m.role in ['user', 'assistant'] %}${TURN}{% endif %}{% endfor %}${ANSWER}`;
/** Granite 3: tools and their results are written, and calls are not. */
const WITHOUT_CALLS = `{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}${TURN}{% endfor %}${ANSWER}`;
const CALLS = `{% for call in m.tool_calls or [] %}<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}`;
/** Llama 3.1: a message has at most one call. */
const SINGLE_CALLS = `{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}{% if m.tool_calls and m.tool_calls | length > 1 %}{{ raise_exception('only single calls') }}{% endif %}${TURN}${CALLS}{% endfor %}${ANSWER}`;
/** Llama 3 and Hermes: of a message with a text and calls, only the calls are written. */
const CALLS_ONLY = `{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}{% if m.tool_calls %}<|im_start|>assistant
${CALLS}<|im_end|>
{% else %}${TURN}{% endif %}{% endfor %}${ANSWER}`;
/** Mistral Small: ids of nine characters, and two messages of the user with only results between them are refused. */
const MISTRAL = `{% set turns = namespace(users=0) %}{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}{% if m.role == 'user' %}{% set turns.users = turns.users + 1 %}{% elif m.role == 'assistant' and not m.tool_calls %}{% set turns.users = 0 %}{% endif %}{% if turns.users > 1 %}{{ raise_exception('roles must alternate') }}{% endif %}{% for call in m.tool_calls or [] %}{% if call.id | length != 9 %}{{ raise_exception('ids have nine characters') }}{% endif %}{% endfor %}${TURN}${CALLS}{% endfor %}${ANSWER}`;

const TOOL = {
  type: 'function',
  function: {
    name: 'look',
    description: 'looks',
    parameters: {
      type: 'object',
      properties: { place: { type: 'string', enum: ['here'] } },
      required: ['place'],
    },
  },
};

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string | null, ...ids: string[]) => ({
  role: 'assistant',
  content,
  ...(ids.length > 0 && { tool_calls: ids.map(callOf) }),
});
const callOf = (id: string) => ({
  id,
  type: 'function',
  function: { name: 'look', arguments: '{"place":"here"}' },
});
const result = (id: string, content: string) => ({ role: 'tool', tool_call_id: id, content });
const ID = 'call_0123456789abcdef';

const CHATS = {
  'a system message': [{ role: 'system', content: 'a' }, user('b')],
  'a system message alone': [{ role: 'system', content: 'a' }],
  'a system message between the turns': [
    user('a'),
    assistant('b'),
    { role: 'system', content: 'c' },
    user('d'),
  ],
  'two messages of the user': [user('a'), user('b')],
  'the assistant first': [assistant('a'), user('b')],
  'two messages of the assistant': [user('a'), assistant('b'), assistant('c'), user('d')],
  'a result of a tool': [user('a'), assistant(null, ID), result(ID, 'b')],
  'text after a result': [user('a'), assistant(null, ID), result(ID, 'b'), user('c')],
  'a text with a call': [user('a'), assistant('b', ID), result(ID, 'c'), user('d')],
  'several calls': [
    user('a'),
    assistant(null, ID, 'call_1'),
    result(ID, 'b'),
    result('call_1', 'c'),
    assistant('d'),
    user('e'),
  ],
};
const WITH_TOOLS = [
  'a result of a tool',
  'text after a result',
  'a text with a call',
  'several calls',
];

async function start(template: string): Promise<TestEngine> {
  const metadata = { 'tokenizer.chat_template': template };
  return engines.start(await engines.writeModel('form', { layers: 1, width: 256, metadata }));
}

async function promptTokens(engine: TestEngine, messages: readonly object[], tools: boolean) {
  const body = { model: 'tiny', max_tokens: 1, messages, ...(tools && { tools: [TOOL] }) };
  const response = await engine.post('/v1/chat/completions', body);
  const answer = await bodyOf(response);
  expect(answer.error).toBeUndefined();
  return Number(answer.usage.prompt_tokens);
}

describe.each([
  ['alternating roles', ALTERNATING],
  ['texts of two roles only', DROPPING],
  ['no calls', WITHOUT_CALLS],
  ['single calls', SINGLE_CALLS],
  ['short ids', MISTRAL],
  ['calls without their text', CALLS_ONLY],
])('A template with %s', (_, template) => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await start(template);
  });

  test.each(Object.entries(CHATS))('takes each text of %s', async (name, messages) => {
    const tools = WITH_TOOLS.includes(name);
    const before = await promptTokens(engine, messages, tools);
    for (const [index, message] of messages.entries()) {
      if (message.content === null) continue;
      const longer = messages.with(index, { ...message, content: 'x y z '.repeat(10) });
      expect(await promptTokens(engine, longer, tools)).toBeGreaterThan(before + 20);
    }
  });

  test('has the arguments of earlier calls in the prompt', async () => {
    const withArguments = (text: string) => {
      const call = { ...callOf(ID), function: { name: 'look', arguments: text } };
      const messages = [user('a'), { role: 'assistant', tool_calls: [call] }, result(ID, 'b')];
      return promptTokens(engine, messages, true);
    };
    const short = await withArguments('{"place":"x"}');
    expect(await withArguments(`{"place":"${'x y z '.repeat(10)}"}`)).toBeGreaterThan(short + 20);
  });

  test('answers with a call where one is required', async () => {
    const response = await engine.post('/v1/chat/completions', {
      model: 'tiny',
      messages: [user('a')],
      tools: [TOOL],
      tool_choice: 'required',
      parallel_tool_calls: false,
      max_tokens: 300,
      seed: 1,
    });
    const [{ finish_reason, message }] = (await bodyOf(response)).choices;
    expect(finish_reason).toBe('tool_calls');
    expect(message.tool_calls).toMatchObject([{ function: { name: 'look' } }]);
    expect(JSON.parse(message.tool_calls[0].function.arguments)).toEqual({ place: 'here' });
  });
});

describe('The arguments of an earlier call', () => {
  test.each([
    ['an empty text', ''],
    ['an object', { place: 'here' }],
    ['a text that was cut off', '{"place": "he'],
    ['nothing', undefined],
  ])('can be %s', async (_, given) => {
    const engine = await start(SINGLE_CALLS);
    const call = { ...callOf(ID), function: { name: 'look', arguments: given } };
    const messages = [user('a'), { role: 'assistant', tool_calls: [call] }, result(ID, 'b')];
    expect(await promptTokens(engine, messages, true)).toBeGreaterThan(0);
  });
});

test('a text beside reasoning and calls is kept where the template takes only one of them, as gpt-oss’s', async () => {
  // llama.cpp leaves the text out of such a message, because the template refuses it.
  const engine = await start(
    `{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}{% if m.role == 'assistant' and m.tool_calls %}{% if m.content and m.thinking %}{{ raise_exception('not both') }}{% endif %}<|start|>assistant<|channel|>analysis<|message|>{{ m.content or m.thinking }}<|end|><|start|>assistant to=functions.{{ m.tool_calls[0].function.name }}<|channel|>commentary json<|message|>{{ m.tool_calls[0].function.arguments | tojson }}<|call|>{% else %}<|start|>{{ m.role }}<|message|>{{ m.content }}<|end|>{% endif %}{% endfor %}{% if add_generation_prompt %}<|start|>assistant{% endif %}`,
  );
  const tokensOf = (content: string, reasoning: string) =>
    promptTokens(
      engine,
      [user('a'), { ...assistant(content, ID), reasoning_content: reasoning }, result(ID, 'b')],
      true,
    );
  const long = 'x y z '.repeat(10);
  const short = await tokensOf('t', 'r');
  expect(await tokensOf(long, 'r')).toBeGreaterThan(short + 20);
  expect(await tokensOf('t', long)).toBeGreaterThan(short + 20);
});

test('a template that ends a turn when the next begins, as Qwen 1.5’s, takes a response format', async () => {
  const template = `{% for m in messages %}<|im_start|>{{ m.role }}
{{ m.content }}{% if add_generation_prompt or not loop.last %}<|im_end|>
{% endif %}{% endfor %}${ANSWER}`;
  const engine = await start(template);
  const response = await engine.post('/v1/chat/completions', {
    model: 'tiny',
    messages: [user('a')],
    response_format: {
      type: 'json_schema',
      json_schema: {
        name: 'x',
        schema: {
          type: 'object',
          properties: { a: { enum: [1] } },
          required: ['a'],
          additionalProperties: false,
        },
      },
    },
    max_tokens: 200,
    seed: 1,
  });
  const [{ message }] = (await bodyOf(response)).choices;
  expect(JSON.parse(message.content)).toEqual({ a: 1 });
});

test('a response format is followed where llama.cpp makes no grammar for the template, as with Kimi K2', async () => {
  const form = `{# <|tool_calls_section_begin|> <|tool_call_begin|> <|tool_call_argument_begin|> #}`;
  const engine = await start(`${form}{% for m in messages %}${TURN}{% endfor %}${ANSWER}`);
  const schema = {
    type: 'object',
    properties: { a: { enum: [1] } },
    required: ['a'],
    additionalProperties: false,
  };
  const response = await engine.post('/v1/chat/completions', {
    model: 'tiny',
    messages: [user('a')],
    response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
    max_tokens: 200,
    seed: 1,
  });
  const [{ message }] = (await bodyOf(response)).choices;
  expect(JSON.parse(message.content)).toEqual({ a: 1 });
});

test('an answer follows a schema that refers to itself as a whole', async () => {
  const engine = await start(`{% for m in messages %}${TURN}{% endfor %}${ANSWER}`);
  const schema = {
    type: 'object',
    properties: { a: { enum: [1] }, next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
    required: ['a', 'next'],
    additionalProperties: false,
  };
  const response = await engine.post('/v1/chat/completions', {
    model: 'tiny',
    messages: [user('a')],
    response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
    max_tokens: 400,
    seed: 1,
  });
  const [{ message }] = (await bodyOf(response)).choices;
  type Answer = { readonly a: number; readonly next: Answer } | null;
  let depth = 0;
  for (let at = JSON.parse(message.content) as Answer; at !== null; at = at.next) {
    expect(Object.keys(at)).toEqual(['a', 'next']);
    expect(at.a).toBe(1);
    depth += 1;
  }
  expect(depth).toBeGreaterThanOrEqual(1);
});

test('a level of reasoning that the template refuses is left out, as with Hunyuan', async () => {
  const engine = await start(
    `{% if reasoning_effort is defined and reasoning_effort not in ['low', 'high'] %}{{ raise_exception('no such level') }}{% endif %}{% if reasoning_effort == 'high' %}Think very hard.{% endif %}{% for m in messages %}${TURN}{% endfor %}${ANSWER}`,
  );
  const tokensAt = async (effort: string) => {
    const body = { model: 'tiny', messages: [user('a')], max_tokens: 1, reasoning_effort: effort };
    const response = await engine.post('/v1/chat/completions', body);
    return (await bodyOf(response)).usage.prompt_tokens;
  };
  expect(await tokensAt('none')).toBe(await tokensAt('low'));
  expect(await tokensAt('high')).toBeGreaterThan(await tokensAt('low'));
});

test('a chat of which the template writes nothing is refused', async () => {
  const engine = await start(
    `{% for m in messages %}{% if m.role == 'user' and m.content %}{{ m.content }}{% endif %}{% endfor %}`,
  );
  const body = { model: 'tiny', messages: [user('')] };
  const response = await engine.post('/v1/chat/completions', body);
  expect(response.status).toBe(400);
  expect((await bodyOf(response)).error.param).toBe('messages');
});

test('an answer that llama.cpp does not parse keeps its text when the limit ends it, as with FunctionGemma', async () => {
  const engine = await start(
    `{% if false %}<start_function_call>{% endif %}{% for m in messages %}${TURN}{% endfor %}${ANSWER}`,
  );
  const response = await engine.post('/v1/chat/completions', {
    model: 'tiny',
    messages: [user('a')],
    max_tokens: 8,
    seed: 1,
  });
  const [{ finish_reason, message }] = (await bodyOf(response)).choices;
  expect(finish_reason).toBe('length');
  expect(message.content).not.toBe('');
});
