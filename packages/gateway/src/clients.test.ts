import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import Anthropic from '@anthropic-ai/sdk';
import { embed, generateText, jsonSchema, streamText, tool } from 'ai';
import { LMStudioClient } from '@lmstudio/sdk';
import OpenAI from 'openai';
import { EMBEDDING, LARGE, openWorld, VISION, type GatewayWorld } from '../test/open-world.js';

jest.setTimeout(60_000);

const TEXT = 'Hello from the simulated model. This text stands in for an answer.';
const HELLO = [{ role: 'user' as const, content: 'Hello' }];
const WEATHER = {
  type: 'object' as const,
  properties: { city: { type: 'string' as const, enum: ['Paris'] } },
  required: ['city'],
};
/** A picture of one pixel. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const nothing = (): void => undefined;
const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing };

let world: GatewayWorld;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

describe('the openai package', () => {
  const client = () => new OpenAI({ baseURL: `${world.url}/v1`, apiKey: 'any' });

  it('chats with the best model that fits', async () => {
    const answer = await client().chat.completions.create({ model: 'auto', messages: HELLO });
    expect(answer.choices[0]?.message.content).toBe(TEXT);
    expect(world.residents()).toContain(LARGE);
  });

  it('streams, with usage', async () => {
    const stream = await client().chat.completions.create({
      model: 'auto',
      messages: HELLO,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let tokens = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      tokens = chunk.usage?.completion_tokens ?? tokens;
    }
    expect({ text, tokens }).toEqual({ text: TEXT, tokens: 12 });
  });

  it('calls tools', async () => {
    const answer = await client().chat.completions.create({
      model: 'auto',
      messages: HELLO,
      tools: [{ type: 'function', function: { name: 'get_weather', parameters: WEATHER } }],
      tool_choice: 'required',
    });
    expect(answer.choices[0]?.message.tool_calls).toMatchObject([
      { function: { name: 'get_weather', arguments: '{"city":"Paris"}' } },
    ]);
  });

  it('gets structured output', async () => {
    const answer = await client().chat.completions.create({
      model: 'auto',
      messages: HELLO,
      response_format: { type: 'json_schema', json_schema: { name: 'weather', schema: WEATHER } },
    });
    expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual({ city: 'Paris' });
  });

  it('sees pictures with a model that can', async () => {
    const answer = await client().chat.completions.create({
      model: 'auto',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Describe it.' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
          ],
        },
      ],
    });
    expect(answer.choices[0]?.message.content).toBe(TEXT);
    expect(world.residents()).toContain(VISION);
  });

  it('embeds, beside the chat model', async () => {
    const answer = await client().embeddings.create({
      model: 'auto:embedding',
      input: ['one', 'two'],
      encoding_format: 'float',
    });
    expect(answer.data).toHaveLength(2);
    expect(world.residents()).toContain(EMBEDDING);
  });

  it('continues a response on the resident that has it', async () => {
    const first = await client().responses.create({ model: 'auto', input: 'Hello' });
    const second = await client().responses.create({
      model: 'auto',
      input: 'And?',
      previous_response_id: first.id,
    });
    expect(second.output_text).toBe(TEXT);
    await expect(
      client().responses.create({ model: 'auto', input: 'x', previous_response_id: 'resp_none' }),
    ).rejects.toMatchObject({ status: 400, code: 'previous_response_not_found' });
  });

  it('streams responses', async () => {
    const stream = await client().responses.create({ model: 'auto', input: 'Hello', stream: true });
    const types: string[] = [];
    for await (const event of stream) types.push(event.type);
    expect(types[0]).toBe('response.created');
    expect(types.at(-1)).toBe('response.completed');
  });

  it('lists the models, `auto` among them', async () => {
    const { data } = await client().models.list();
    expect(data.map(({ id }) => id)).toEqual(expect.arrayContaining(['auto', LARGE]));
  });

  it('gets a typed error for an unknown model', async () => {
    await expect(
      client().chat.completions.create({ model: 'no-such-model', messages: HELLO }),
    ).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
  });
});

describe('the Anthropic package', () => {
  const client = () => new Anthropic({ baseURL: world.url, apiKey: 'any' });
  const ASK = { model: 'auto', max_tokens: 200, messages: HELLO };

  it('gets messages and counts tokens', async () => {
    const answer = await client().messages.create(ASK);
    expect(answer.content).toMatchObject([{ type: 'text', text: TEXT }]);
    const { input_tokens: tokens } = await client().messages.countTokens({
      model: 'auto',
      messages: HELLO,
    });
    // Cautious: never fewer than the runtime counts.
    expect(tokens).toBeGreaterThanOrEqual(answer.usage.input_tokens);
  });

  it('streams', async () => {
    const message = await client().messages.stream(ASK).finalMessage();
    expect(message.content).toMatchObject([{ type: 'text', text: TEXT }]);
  });

  it('calls tools', async () => {
    const answer = await client().messages.create({
      ...ASK,
      tools: [{ name: 'get_weather', input_schema: WEATHER }],
      tool_choice: { type: 'any' },
    });
    expect(answer.content).toMatchObject([{ type: 'tool_use', input: { city: 'Paris' } }]);
  });
});

describe("Vercel's ai package", () => {
  const provider = () => createOpenAICompatible({ name: 'mai', baseURL: `${world.url}/v1` });

  it('generates, streams, calls tools and embeds', async () => {
    const model = provider()('auto');
    expect((await generateText({ model, prompt: 'Hello' })).text).toBe(TEXT);
    let streamed = '';
    for await (const part of streamText({ model, prompt: 'Hello' }).textStream) streamed += part;
    expect(streamed).toBe(TEXT);
    const { toolCalls } = await generateText({
      model,
      prompt: 'Hello',
      toolChoice: 'required',
      tools: { weather: tool({ inputSchema: jsonSchema<{ city: string }>(WEATHER) }) },
    });
    expect(toolCalls).toMatchObject([{ toolName: 'weather', input: { city: 'Paris' } }]);
    const { embedding } = await embed({
      model: provider().textEmbeddingModel('auto:embedding'),
      value: 'one',
    });
    expect(embedding.length).toBeGreaterThan(1);
  });
});

describe('the LM Studio SDK', () => {
  it('works beside the gateway', async () => {
    const client = new LMStudioClient({ baseUrl: world.simulator.baseUrl, logger: SILENT });
    const { content } = await (await client.llm.model(`mai/${LARGE}`)).respond('Hello');
    expect(content).toBe(TEXT);
    await client[Symbol.asyncDispose]();
  });
});

describe('curl', () => {
  it('streams a chat', async () => {
    const body = JSON.stringify({ messages: HELLO, stream: true });
    const { stdout } = await promisify(execFile)('curl', [
      '-sS',
      '--fail',
      `${world.url}/v1/chat/completions`,
      '-H',
      'content-type: application/json',
      '-d',
      body,
    ]);
    expect(stdout.trimEnd().endsWith('data: [DONE]')).toBe(true);
  });
});
