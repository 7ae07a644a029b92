import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import Anthropic from '@anthropic-ai/sdk';
import { embed, generateText, jsonSchema, streamText, tool } from 'ai';
import OpenAI from 'openai';

export const HELLO = [{ role: 'user' as const, content: 'Hello' }];
export const WEATHER = {
  type: 'object' as const,
  properties: { city: { type: 'string' as const, enum: ['Paris'] } },
  required: ['city'],
};
/** Tokens that an answer may have. A model of random weights would go on for long. */
const SHORT = { max_tokens: 24 };
/** Enough for a call of a tool whose arguments have random spaces. */
const LONG = { max_tokens: 400 };

/** A gateway in front of a runtime. */
export interface ClientWorld extends AsyncDisposable {
  readonly url: string;
  /** The model that `auto` chooses. */
  readonly large: string;
  readonly embedding: string;
  /** The answer to every request; null: random text. */
  readonly answer: string | null;
  residents(): Promise<readonly string[]>;
}

/** Runs the real clients against a gateway. Each runtime passes the same tests. */
export function describeClients(runtime: string, open: () => Promise<ClientWorld>): void {
  describe(`clients of ${runtime}`, () => {
    let world: ClientWorld;
    beforeAll(async () => {
      world = await open();
    });
    afterAll(() => world[Symbol.asyncDispose]());

    const expectText = (text: string | null | undefined): void => {
      if (world.answer === null) expect(text?.length).toBeGreaterThan(0);
      else expect(text).toBe(world.answer);
    };

    describe('the openai package', () => {
      const client = () => new OpenAI({ baseURL: `${world.url}/v1`, apiKey: 'any' });
      const ASK = { ...SHORT, model: 'auto', messages: HELLO };

      it('is told that the gateway is ready', async () => {
        expect((await fetch(`${world.url}/readyz`)).status).toBe(200);
      });

      it('chats with the best model that fits', async () => {
        const answer = await client().chat.completions.create(ASK);
        expectText(answer.choices[0]?.message.content);
        expect(await world.residents()).toContain(world.large);
      });

      it('streams, with usage', async () => {
        const stream = await client().chat.completions.create({
          ...ASK,
          stream: true,
          stream_options: { include_usage: true },
        });
        let text = '';
        let tokens = 0;
        for await (const chunk of stream) {
          text += chunk.choices[0]?.delta.content ?? '';
          tokens = chunk.usage?.completion_tokens ?? tokens;
        }
        expectText(text);
        expect(tokens).toBeGreaterThan(0);
        expect(tokens).toBeLessThanOrEqual(SHORT.max_tokens);
      });

      it('calls tools', async () => {
        const answer = await client().chat.completions.create({
          ...ASK,
          ...LONG,
          tool_choice: 'required',
          tools: [{ type: 'function', function: { name: 'get_weather', parameters: WEATHER } }],
        });
        const [call] = answer.choices[0]?.message.tool_calls ?? [];
        if (call?.type !== 'function') throw new Error('The answer calls no function.');
        expect(call.function.name).toBe('get_weather');
        expect(JSON.parse(call.function.arguments)).toEqual({ city: 'Paris' });
      });

      it('gets structured output', async () => {
        const answer = await client().chat.completions.create({
          ...ASK,
          ...LONG,
          response_format: {
            type: 'json_schema',
            json_schema: { name: 'weather', schema: WEATHER },
          },
        });
        expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual({ city: 'Paris' });
      });

      it('embeds, beside the chat model', async () => {
        const answer = await client().embeddings.create({
          model: 'auto:embedding',
          input: ['one', 'two'],
          encoding_format: 'float',
        });
        expect(answer.data).toHaveLength(2);
        expect(await world.residents()).toContain(world.embedding);
      });

      it('streams responses', async () => {
        const stream = await client().responses.create({
          model: 'auto',
          input: 'Hello',
          stream: true,
          max_output_tokens: SHORT.max_tokens,
        });
        const types: string[] = [];
        for await (const event of stream) types.push(event.type);
        expect(types[0]).toBe('response.created');
        // A model of random weights is stopped by the limit.
        expect(types.at(-1)).toMatch(
          world.answer === null ? /^response\.(?:completed|incomplete)$/ : /^response\.completed$/,
        );
      });

      it('gets a typed error for an unknown response', async () => {
        await expect(
          client().responses.create({
            model: 'auto',
            input: 'x',
            previous_response_id: 'resp_none',
          }),
        ).rejects.toMatchObject({ status: 400, code: 'previous_response_not_found' });
      });

      it('lists the models, `auto` among them', async () => {
        const { data } = await client().models.list();
        expect(data.map(({ id }) => id)).toEqual(expect.arrayContaining(['auto', world.large]));
      });

      it('gets a typed error for an unknown model', async () => {
        await expect(
          client().chat.completions.create({ ...ASK, model: 'no-such-model' }),
        ).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
      });
    });

    describe('the Anthropic package', () => {
      const client = () => new Anthropic({ baseURL: world.url, apiKey: 'any' });
      const ASK = { ...SHORT, model: 'auto', messages: HELLO };

      it('gets messages and counts tokens', async () => {
        const answer = await client().messages.create(ASK);
        const [block] = answer.content;
        if (block?.type !== 'text') throw new Error('The answer has no text.');
        expectText(block.text);
        const { input_tokens: tokens } = await client().messages.countTokens({
          model: 'auto',
          messages: HELLO,
        });
        // Cautious: never fewer than the runtime counts.
        expect(tokens).toBeGreaterThanOrEqual(answer.usage.input_tokens);
      });

      it('streams', async () => {
        const message = await client().messages.stream(ASK).finalMessage();
        const [block] = message.content;
        if (block?.type !== 'text') throw new Error('The answer has no text.');
        expectText(block.text);
      });

      it('calls tools', async () => {
        const answer = await client().messages.create({
          ...ASK,
          ...LONG,
          tool_choice: { type: 'any' },
          tools: [{ name: 'get_weather', input_schema: WEATHER }],
        });
        expect(answer.content[0]).toMatchObject({ type: 'tool_use', input: { city: 'Paris' } });
      });
    });

    describe("Vercel's ai package", () => {
      const provider = () => createOpenAICompatible({ name: 'mai', baseURL: `${world.url}/v1` });

      it('generates, streams, calls tools and embeds', async () => {
        const model = provider()('auto');
        const ask = { model, prompt: 'Hello', maxOutputTokens: SHORT.max_tokens };
        expectText((await generateText(ask)).text);
        let streamed = '';
        for await (const part of streamText(ask).textStream) streamed += part;
        expectText(streamed);
        const { toolCalls } = await generateText({
          ...ask,
          maxOutputTokens: LONG.max_tokens,
          toolChoice: 'required',
          tools: { weather: tool({ inputSchema: jsonSchema<{ city: string }>(WEATHER) }) },
        });
        expect(toolCalls[0]).toMatchObject({ toolName: 'weather', input: { city: 'Paris' } });
        const { embedding } = await embed({
          model: provider().textEmbeddingModel('auto:embedding'),
          value: 'one',
        });
        expect(embedding.length).toBeGreaterThan(1);
      });
    });

    describe('curl', () => {
      it('streams a chat', async () => {
        const body = JSON.stringify({ ...SHORT, messages: HELLO, stream: true });
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
  });
}
