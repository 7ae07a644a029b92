import OpenAI from 'openai';
import { TestEngines, type TestEngine } from '../../../test/engine-client.js';

const engines = new TestEngines();
let engine: TestEngine;
let client: OpenAI;

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
      max_output_tokens: 20,
    });
    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
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

  it.each([
    [{ previous_response_id: 'resp_1' }, 400],
    [{ background: true }, 501],
    [{ tools: [{ type: 'web_search' }] }, 501],
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
});
