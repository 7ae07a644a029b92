import { LMStudioClient } from '@lmstudio/sdk';
import OpenAI from 'openai';
import { describeClients, HELLO } from '../test/describe-clients.js';
import {
  EMBEDDING,
  LARGE,
  openWorld,
  VISION,
  type GatewayWorld,
} from '../test/worlds/open-world.js';

jest.setTimeout(60_000);

const TEXT = 'Hello from the simulated model. This text stands in for an answer.';
/** A picture of one pixel. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const nothing = (): void => undefined;
const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing };

describeClients('LM Studio', async () => {
  const world = await openWorld();
  return {
    url: world.url,
    large: LARGE,
    embedding: EMBEDDING,
    answer: TEXT,
    residents: () => Promise.resolve(world.residents()),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
});

describe('what only LM Studio does', () => {
  let world: GatewayWorld;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world[Symbol.asyncDispose]());
  const client = () => new OpenAI({ baseURL: `${world.url}/v1`, apiKey: 'any' });

  it('usage counts the tokens of the answer', async () => {
    const answer = await client().chat.completions.create({ model: 'auto', messages: HELLO });
    expect(answer.usage?.completion_tokens).toBe(12);
  });

  it('a picture goes to a model that sees', async () => {
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

  it('a response continues on the resident that has it', async () => {
    // The tests before may have left the autopilot in the middle of a switch. A named model is not replaced.
    const model = LARGE;
    const first = await client().responses.create({ model, input: 'Hello' });
    const second = await client().responses.create({
      model,
      input: 'And?',
      previous_response_id: first.id,
    });
    expect(second.output_text).toBe(TEXT);
  });

  it('the LM Studio SDK works beside the gateway', async () => {
    await client().chat.completions.create({ model: 'auto', messages: HELLO });
    const sdk = new LMStudioClient({ baseUrl: world.simulator.baseUrl, logger: SILENT });
    const { content } = await (await sdk.llm.model(`mai/${LARGE}`)).respond('Hello');
    expect(content).toBe(TEXT);
    await sdk[Symbol.asyncDispose]();
  });
});
