import { ask } from '../test/ask.js';
import { talk } from '../test/talk.js';
import { LARGE, openWorld, type GatewayWorld } from '../test/worlds/open-world.js';

jest.setTimeout(60_000);

let world: GatewayWorld;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const TEXT = 'Hello from the simulated model. This text stands in for an answer.';
const SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: { command: { type: 'string', description: 'The command' } },
  required: ['command'],
  additionalProperties: false,
};
const FUNCTION = { name: 'bash', description: 'Runs a command', parameters: SCHEMA };
const textOf = (text: string) => [{ type: 'text', text }];

/** Claude Code 2.1.332, `claude -p`. */
const CLAUDE_CODE = {
  model: 'auto',
  messages: [
    { role: 'user', content: [...textOf('<system-reminder>a</system-reminder>'), ...textOf('Hi')] },
    // Its lists of agents and skills, from the first request on.
    {
      role: 'system',
      content: [{ type: 'text', text: 'Skills: none.', cache_control: { type: 'ephemeral' } }],
    },
  ],
  system: [
    ...textOf('x-anthropic-billing-header: a'),
    { type: 'text', text: 'You are an agent.', cache_control: { type: 'ephemeral' } },
  ],
  tools: [{ name: 'Bash', description: 'Runs a command', input_schema: SCHEMA }],
  metadata: { user_id: '{"session_id":"a"}' },
  max_tokens: 32_000,
  thinking: { type: 'adaptive', display: 'omitted' },
  context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
  output_config: { effort: 'high' },
  stream: true,
};

const codexMessage = (role: string, text: string) => ({
  type: 'message',
  id: 'msg_654e5026',
  role,
  content: [{ type: 'input_text', text }],
});

/** Codex 0.171.0, `codex exec` with `agents.enabled = false`. */
const CODEX = {
  model: 'auto',
  stream: true,
  input: [
    codexMessage('developer', 'You are an agent.'),
    codexMessage('developer', 'The sandbox is read-only.'),
    codexMessage('user', '<environment_context></environment_context>'),
    codexMessage('user', 'Hi'),
  ],
  tools: [
    { type: 'function', strict: false, ...FUNCTION },
    { type: 'web_search', external_web_access: false },
  ],
  tool_choice: 'auto',
  parallel_tool_calls: true,
  reasoning: { summary: 'auto' },
  store: false,
  include: ['reasoning.encrypted_content'],
  prompt_cache_key: 'a',
  client_metadata: { session_id: 'a' },
};

/** The fields that opencode 1.18.33, `cn` 1.5.47 and Cline 3.0.65 share. */
const CHAT = {
  model: 'auto',
  messages: [
    { role: 'system', content: 'You are an agent.' },
    { role: 'user', content: 'Hi' },
  ],
  tools: [{ type: 'function', function: FUNCTION }],
  stream: true,
  stream_options: { include_usage: true },
};

const CHAT_PATH = '/v1/chat/completions';

/** A chat after a call of a tool; opencode and `cn` send an empty text beside the call, Cline sends null. */
const chatAfterCall = (content: string | null) => ({
  ...CHAT,
  messages: [
    ...CHAT.messages,
    {
      role: 'assistant',
      content,
      tool_calls: [
        {
          id: '884465804',
          type: 'function',
          function: { name: 'bash', arguments: '{"command":"text"}' },
        },
      ],
    },
    { role: 'tool', tool_call_id: '884465804', content: 'command not found\n' },
  ],
});

const CLAUDE_CODE_AFTER_CALL = {
  ...CLAUDE_CODE,
  messages: [
    ...CLAUDE_CODE.messages,
    {
      role: 'assistant',
      content: [{ type: 'tool_use', id: '866459912', name: 'Bash', input: {} }],
    },
    {
      role: 'user',
      content: [
        {
          type: 'tool_result',
          content: '<tool_use_error>Error</tool_use_error>',
          is_error: true,
          tool_use_id: '866459912',
          cache_control: { type: 'ephemeral' },
        },
      ],
    },
  ],
};

const CODEX_AFTER_CALL = {
  ...CODEX,
  input: [
    ...CODEX.input,
    {
      type: 'function_call',
      status: 'completed',
      id: 'fc_0m8phyfdcvohz8j4027e6',
      name: 'exec_command',
      arguments: '{"cmd":"text"}',
      call_id: '720049079',
    },
    {
      type: 'function_call_output',
      id: 'fco_01a22b95',
      call_id: '720049079',
      output: 'Process exited with code 127',
    },
  ],
};

it.each([
  ['Claude Code', '/v1/messages?beta=true', CLAUDE_CODE],
  ['Codex', '/v1/responses', CODEX],
  ['opencode', CHAT_PATH, { ...CHAT, max_tokens: 32_000, tool_choice: 'auto' }],
  [
    'the title of an opencode session',
    CHAT_PATH,
    { ...CHAT, tools: undefined, messages: [...CHAT.messages, CHAT.messages[1]] },
  ],
  ['cn of Continue', CHAT_PATH, CHAT],
  [
    'Cline',
    CHAT_PATH,
    { ...CHAT, tool_choice: 'auto', messages: [...CHAT.messages, CHAT.messages[1]] },
  ],
  ['Claude Code after a call', '/v1/messages?beta=true', CLAUDE_CODE_AFTER_CALL],
  ['Codex after a call', '/v1/responses', CODEX_AFTER_CALL],
  ['opencode after a call', CHAT_PATH, { ...chatAfterCall(''), max_tokens: 8192 }],
  ['cn after a call', CHAT_PATH, chatAfterCall('')],
  ['Cline after a call', CHAT_PATH, { ...chatAfterCall(null), tool_choice: 'auto' }],
])('the request of %s is answered', async (_agent, path, body) => {
  const { status, text } = await talk(world.url, path, body).end;
  const words = [...text.matchAll(/"(?:text|content|delta)":"((?:[^"\\]|\\.)*)"/g)].map(
    ([, word]) => word,
  );
  expect(status).toBe(200);
  expect(words.join('')).toContain(TEXT);
});

it('the title of a session in the terminal interface of Codex follows its schema', async () => {
  const schema = {
    type: 'object',
    properties: { title: { type: 'string', minLength: 1, maxLength: 36 } },
    required: ['title'],
    additionalProperties: false,
  };
  const format = { type: 'json_schema', strict: true, schema, name: 'codex_output_schema' };
  const { status, text } = await talk(world.url, '/v1/responses', {
    ...CODEX,
    tools: [],
    text: { format },
  }).end;
  const [, whole = ''] =
    /"type":"response.output_text.done".*?"text":("(?:[^"\\]|\\.)*")/.exec(text) ?? [];
  expect(status).toBe(200);
  expect(JSON.parse(JSON.parse(whole))).toEqual({ title: expect.any(String) });
});

describe('calls of tools in the form that each agent reads', () => {
  let calling: GatewayWorld;
  beforeAll(async () => {
    calling = await openWorld({}, { world: { answers: { callTools: true } } });
  });
  afterAll(() => calling[Symbol.asyncDispose]());

  it.each([
    ['Claude Code', '/v1/messages?beta=true', CLAUDE_CODE, CLAUDE_CODE_AFTER_CALL, '"tool_use"'],
    ['Codex', '/v1/responses', CODEX, CODEX_AFTER_CALL, '"function_call"'],
    ['opencode and cn', CHAT_PATH, CHAT, chatAfterCall(''), '"tool_calls":[{'],
    ['Cline', CHAT_PATH, CHAT, chatAfterCall(null), '"tool_calls":[{'],
  ])('%s gets a call, and an answer after its result', async (_agent, path, first, next, mark) => {
    const call = await talk(calling.url, path, first).end;
    expect(call.text).toContain(mark);
    const answer = await talk(calling.url, path, next).end;
    expect([answer.status, answer.text.includes(mark)]).toEqual([200, false]);
  });
});

it('Claude Code finds the gateway before its first request', async () => {
  const answer = await ask(world.url, { method: 'HEAD', path: '/api/hello' });
  expect(answer.status).toBe(200);
  const list = await ask(world.url, { path: '/v1/models?limit=1000' });
  expect(list.json().data[0]).toMatchObject({ id: 'auto' });
});

it('a prompt that is longer than the usual context gets a longer one', async () => {
  const usual = 16_384;
  const long = { role: 'user', content: 'word '.repeat(12_000) };
  const body = { ...CHAT, model: LARGE, messages: [long] };
  const { status, text } = await talk(world.url, CHAT_PATH, body).end;
  expect([status, text.includes('[DONE]')]).toEqual([200, true]);
  const resident = world.simulator.residents().find(({ modelKey }) => modelKey === LARGE);
  expect(resident?.contextLengthTokens).toBeGreaterThan(usual);
});
