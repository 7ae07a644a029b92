import OpenAI from 'openai';
import { TestEngines, bodyOf, type TestEngine } from '../../../test/engine-client.js';

const engines = new TestEngines();
let engine: TestEngine;
let client: OpenAI;
const WIDTH = 256;

beforeAll(async () => {
  await engines.open();
  const file = await engines.writeModel('tiny', { layers: 2, width: WIDTH });
  engine = await engines.start(file, {
    kind: 'embedding',
    contextLengthTokens: 512,
    parallelSequences: 4,
  });
  client = new OpenAI({ baseURL: `${engine.baseUrl}/v1`, apiKey: engine.token, maxRetries: 0 });
}, 60_000);
afterAll(() => engines.close());

async function embed(input: string | string[]): Promise<readonly (readonly number[])[]> {
  const { data } = await client.embeddings.create({ model: 'tiny', input });
  return data.map(({ embedding }) => embedding);
}

describe('Embeddings', () => {
  it('have a length of 1 and the width of the model, in the order of the inputs', async () => {
    const [fox = [], dog = []] = await embed(['a quick fox', 'a slow dog']);
    expect(fox).toHaveLength(WIDTH);
    expect(Math.hypot(...fox)).toBeCloseTo(1, 4);
    expect((await embed('a slow dog'))[0]).toEqual(dog);
    expect(fox).not.toEqual(dog);
  });

  it('of a text are the same whatever was computed before or at the same time', async () => {
    const [alone] = await embed('a quick fox');
    const all = await Promise.all(['a quick fox jumps', 'a quick', 'a quick fox'].map(embed));
    expect(all[2]?.[0]).toEqual(alone);
  });

  it('are the same numbers as floats and in base 64', async () => {
    const response = await engine.post('/v1/embeddings', {
      model: 'tiny',
      input: 'fox',
      encoding_format: 'float',
    });
    const { data, usage } = await bodyOf(response);
    const [decoded = []] = await embed('fox');
    for (const [index, value] of decoded.entries())
      expect(value).toBeCloseTo(data[0].embedding[index], 6);
    expect(usage).toEqual({ prompt_tokens: usage.total_tokens, total_tokens: expect.any(Number) });
  });

  it.each([
    [{ input: 'ab '.repeat(400) }, 400, 'context_length_exceeded'],
    [{ input: '' }, 400, 'invalid_value'],
    [{ input: [1, 2] }, 501, 'not_supported'],
    [{ input: 'x', dimensions: 8 }, 501, 'not_supported'],
  ])('of %j are %i %s', async (fields, status, code) => {
    const response = await engine.post('/v1/embeddings', { model: 'tiny', ...fields });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
  });

  it('that are refused name the field of the input', async () => {
    const response = await engine.post('/v1/embeddings', {
      model: 'tiny',
      input: 'ab '.repeat(400),
    });
    expect(await response.json()).toMatchObject({ error: { param: 'input' } });
  });

  it('come from an engine that generates no text', async () => {
    const response = await engine.post('/v1/chat/completions', {
      model: 'tiny',
      messages: [{ role: 'user', content: 'x' }],
    });
    expect(response.status).toBe(501);
  });
});
