import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { openEchoWorld, RESIDENT, type EchoWorld } from '../test/worlds/echo-world.js';

jest.setTimeout(60_000);

let world: EchoWorld;
beforeAll(async () => {
  world = await openEchoWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const openai = () => new OpenAI({ baseURL: `${world.url}/v1`, apiKey: 'any', maxRetries: 2 });
const anthropic = () => new Anthropic({ baseURL: world.url, apiKey: 'any', maxRetries: 2 });
const USER = { role: 'user' as const, content: 'Hi' };

/** The last request that reached the runtime. */
function last() {
  const request = world.received.at(-1);
  if (request === undefined) throw new Error('No request reached the runtime.');
  return { ...request, body: JSON.parse(request.body.toString('utf8')) };
}

describe('the newest fields reach the runtime as the client wrote them:', () => {
  test('chat of the openai package', async () => {
    const sent = {
      model: 'auto',
      messages: [USER],
      modalities: ['text' as const, 'audio' as const],
      audio: { voice: 'alloy', format: 'wav' as const },
      web_search_options: { search_context_size: 'low' as const },
      prediction: { type: 'content' as const, content: 'Hi there' },
      service_tier: 'priority' as const,
      verbosity: 'low' as const,
      reasoning_effort: 'minimal' as const,
      prompt_cache_key: 'a',
      safety_identifier: 'b',
      store: true,
      metadata: { a: 'b' },
      tools: [
        { type: 'custom' as const, custom: { name: 'patch', format: { type: 'text' as const } } },
      ],
    };
    await openai().chat.completions.create(sent);
    expect(last().body).toEqual({ ...sent, model: RESIDENT });
  });

  test('responses of the openai package', async () => {
    const sent = {
      model: 'auto',
      input: [{ ...USER, type: 'message' as const }],
      store: true,
      background: true,
      conversation: 'conv_1',
      prompt: { id: 'pmpt_1', variables: { a: 'b' } },
      include: ['reasoning.encrypted_content' as const],
      reasoning: { effort: 'low' as const, summary: 'auto' as const },
      text: { verbosity: 'low' as const },
      truncation: 'auto' as const,
      max_tool_calls: 3,
      tools: [{ type: 'web_search' as const }],
    };
    await openai().responses.create(sent);
    expect(last().body).toEqual({ ...sent, model: RESIDENT });
  });

  test('messages of the Anthropic package, with its header', async () => {
    const sent = {
      model: 'auto',
      max_tokens: 10,
      messages: [
        {
          role: 'user' as const,
          content: [
            { type: 'text' as const, text: 'Hi', cache_control: { type: 'ephemeral' as const } },
          ],
        },
      ],
      thinking: { type: 'enabled' as const, budget_tokens: 2048 },
      container: 'container_1',
      mcp_servers: [{ type: 'url' as const, name: 'a', url: 'https://mcp.example' }],
      service_tier: 'auto' as const,
    };
    await anthropic().beta.messages.create({ ...sent, betas: ['mcp-client-2025-04-04'] });
    expect(last().body).toEqual({ ...sent, model: RESIDENT });
    expect(last().headers['anthropic-beta']).toContain('mcp-client-2025-04-04');
  });
});

describe('what the gateway does not serve is refused once, with an error of the protocol:', () => {
  type Call<Client> = readonly [string, (client: Client) => Promise<unknown>];

  test.each<Call<OpenAI>>([
    ['a stored response', (client) => client.responses.retrieve('resp_1')],
    ['the end of a response in the background', (client) => client.responses.cancel('resp_1')],
    ['the inputs of a response', (client) => client.responses.inputItems.list('resp_1')],
    ['a conversation', (client) => client.conversations.create({})],
    ['a stored chat', (client) => client.chat.completions.retrieve('chatcmpl-1')],
    ['a picture', (client) => client.images.generate({ prompt: 'a cat' })],
    [
      'speech',
      (client) => client.audio.speech.create({ input: 'a', model: 'auto', voice: 'alloy' }),
    ],
    ['files', async (client) => client.files.list()],
    ['batches', async (client) => client.batches.list()],
    ['a moderation', (client) => client.moderations.create({ input: 'a' })],
  ])('%s, of the openai package', async (_what, call) => {
    const error = await call(openai()).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({
      code: 'not_supported',
      message: expect.stringContaining('The gateway has no endpoint'),
    });
  });

  test.each<Call<Anthropic>>([
    ['batches', async (client) => client.messages.batches.list()],
    ['files', async (client) => client.beta.files.list()],
    ['skills', async (client) => client.beta.skills.list()],
  ])('%s, of the Anthropic package', async (_what, call) => {
    const error = await call(anthropic()).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(Anthropic.NotFoundError);
    expect(error).toMatchObject({
      error: {
        type: 'error',
        error: {
          type: 'not_found_error',
          message: expect.stringContaining('The gateway has no endpoint'),
        },
      },
    });
  });
});

test.each([
  ['/v1/batches', /one by one/],
  ['/v1/messages/batches', /one by one/],
  ['/v1/responses/resp_1', /can not be asked for again/],
  ['/v1/conversations', /previous_response_id/],
  ['/v1/files', /in the request/],
  ['/v1/realtime/client_secrets', /\/v1\/chat\/completions/],
  ['/v1/responses/input_tokens', /whole input/],
  ['/models/nothing', /base URL/],
  ['/openai/deployments/auto/chat/completions?api-version=1', /mean \/v1\/chat\/completions/],
  ['/anthropic/v1/messages', /mean \/v1\/messages/],
  ['/anthropic/v1/messages/count_tokens', /mean \/v1\/messages\/count_tokens/],
  ['/openai/v1/models', /mean \/v1\/models/],
  ['/v1/threads/thread_1/messages', /It has /],
  ['/openai/v1/threads/thread_1/messages', /endpoint "[^"]+"\. The base URL/],
  ['/api/embeddings', /Ollama's API/],
  ['/api/v1/models', /LM Studio's own API/],
  ['/nothing', /base URL/],
])('the refusal of %s names the next step', async (path, step) => {
  const headers = { accept: 'application/json' };
  const answer = await fetch(`${world.url}${path}`, { method: 'POST', headers, body: '{}' });
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ error: { message: expect.stringMatching(step) } });
});

test('an unknown model is told in the form of the client', async () => {
  await expect(anthropic().models.retrieve('nope')).rejects.toMatchObject({
    status: 404,
    error: { type: 'error', error: { type: 'not_found_error' } },
  });
  await expect(openai().models.retrieve('nope')).rejects.toMatchObject({
    status: 404,
    code: 'model_not_found',
  });
});

test('the Anthropic package reads the list of models to its end', async () => {
  const names: string[] = [];
  for await (const model of anthropic().models.list()) names.push(model.id);
  expect(names).toContain('auto');
  expect((await anthropic().models.retrieve('auto')).id).toBe('auto');
});

test('each name that a request may have is found, with the model that serves it', async () => {
  for (const model of ['AUTO', 'auto:small+tools', 'auto:tools']) {
    const ask = { model, messages: [{ role: 'user' as const, content: 'Hello' }] };
    const { response } = await openai().chat.completions.create(ask).withResponse();
    const means = response.headers.get('x-mai-model');
    expect(means).not.toBeNull();
    const entry = await openai().models.retrieve(model);
    expect(entry).toMatchObject({ id: model, mai: { kind: 'auto', means } });
  }
});
