import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import Anthropic from '@anthropic-ai/sdk';
import { streamText } from 'ai';
import OpenAI from 'openai';
import { HELLO, WEATHER } from '../test/describe-clients.js';
import {
  LARGE,
  openEmbeddedWorld,
  PLENTY_BYTES,
  SMALL,
  type EmbeddedWorld,
} from '../test/worlds/open-embedded-world.js';
import { watchLoads } from '../test/worlds/watch-loads.js';

jest.setTimeout(110_000);

const SHORT = { model: 'auto', max_tokens: 8, messages: HELLO };
/** A model of random weights rarely ends such an answer before it is killed. */
const LONG = { model: 'auto', max_tokens: 4000, messages: HELLO };

const openaiOf = ({ url }: EmbeddedWorld) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 0 });
const anthropicOf = ({ url }: EmbeddedWorld) =>
  new Anthropic({ baseURL: url, apiKey: 'any', maxRetries: 0 });

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * One request of each kind for `auto`. Embeddings are left out, because a second engine would hide the step down. Each throws where the client sees an error or an answer without an end. */
function requestsOf(world: EmbeddedWorld): readonly (() => Promise<void>)[] {
  const openai = openaiOf(world);
  const anthropic = anthropicOf(world);
  const provider = createOpenAICompatible({ name: 'mai', baseURL: `${world.url}/v1` });
  const must = (isWhole: boolean, what: string): void => {
    if (!isWhole) throw new Error(`${what} did not end.`);
  };
  return [
    async () => {
      let finish: string | null = null;
      for await (const { choices } of await openai.chat.completions.create({
        ...SHORT,
        stream: true,
      })) {
        finish = choices[0]?.finish_reason ?? finish;
      }
      must(finish !== null, 'The stream of openai');
    },
    async () => {
      const answer = await openai.chat.completions.create({
        ...SHORT,
        max_tokens: 200,
        response_format: { type: 'json_schema', json_schema: { name: 'weather', schema: WEATHER } },
      });
      must(answer.choices[0]?.message.content?.includes('Paris') === true, 'The structured output');
    },
    async () => {
      const message = await anthropic.messages.stream(SHORT).finalMessage();
      must(message.stop_reason !== null, 'The stream of Anthropic');
    },
    async () => {
      const result = streamText({
        model: provider('auto'),
        prompt: 'Hello',
        maxOutputTokens: 8,
        maxRetries: 0,
        onError: () => undefined,
      });
      for await (const part of result.fullStream) if (part.type === 'error') throw part.error;
      must((await result.finishReason) !== 'error', 'The stream of ai');
    },
    async () => {
      const answer = await openai.responses.create({
        model: 'auto',
        input: 'Hello',
        max_output_tokens: 8,
      });
      must(answer.status !== 'failed', 'The response');
    },
  ];
}

test('every request is answered while memory is taken and given back', async () => {
  await using world = await openEmbeddedWorld();
  await openaiOf(world).chat.completions.create(SHORT);
  expect(await world.residents()).toEqual([LARGE]);
  const failures: unknown[] = [];
  let answered = 0;
  let isOver = false;
  const clients = requestsOf(world).map(async (send) => {
    while (!isOver) {
      await send().then(
        () => (answered += 1),
        (error: unknown) => failures.push(error),
      );
      await pause(20);
    }
  });
  /** Waits until the residents are as wanted, and then for one more second of requests. */
  const until = async (isWanted: (residents: readonly string[]) => boolean): Promise<void> => {
    while (!isWanted(await world.residents())) await pause(100);
    await pause(1000);
  };
  world.machine.othersBytes = world.scarceBytes;
  await until((residents) => residents.includes(SMALL) && !residents.includes(LARGE));
  const answeredWhileScarce = answered;
  world.machine.othersBytes = PLENTY_BYTES;
  await until((residents) => residents.includes(LARGE));
  isOver = true;
  await Promise.all(clients);
  expect(failures).toEqual([]);
  expect(answeredWhileScarce).toBeGreaterThan(0);
  expect(answered).toBeGreaterThan(answeredWhileScarce);
});

describe('the end of an engine that generates', () => {
  let world: EmbeddedWorld;
  beforeEach(async () => {
    world = await openEmbeddedWorld();
    await openaiOf(world).chat.completions.create(SHORT);
  });
  afterEach(() => world[Symbol.asyncDispose]());

  async function killEngine(signal: NodeJS.Signals = 'SIGKILL'): Promise<number> {
    const processId = (await world.engines()).get(LARGE);
    if (processId === undefined) throw new Error('No engine of the large model runs.');
    process.kill(processId, signal);
    return processId;
  }

  /** Sends a request. Its answer follows the first load, and the load is not repeated. */
  async function expectAnswerAfterOneLoad(): Promise<void> {
    const loads = watchLoads(world);
    const { response } = await openaiOf(world)
      .chat.completions.create({ ...SHORT, max_tokens: 1 })
      .withResponse();
    const beforeAnswer = [...loads.events];
    expect(response.headers.get('x-mai-model')).toBe(LARGE);
    await loads.stop();
    expect(beforeAnswer).toEqual(['loading', 'loaded']);
    expect(loads.events).toEqual(beforeAnswer);
  }

  /** The killed engine is gone, and the one engine that runs belongs to the resident. */
  async function expectNothingLeft(killed: number): Promise<void> {
    expect(isAlive(killed)).toBe(false);
    const engines = await world.engines();
    expect([...engines.keys()]).toEqual([LARGE]);
    expect(await world.residents()).toEqual([LARGE]);
    await world.host.unload({ target: LARGE, force: true });
    expect([...engines.values()].filter(isAlive)).toEqual([]);
  }

  test('openai throws the error of the stream, and the next request waits for one load', async () => {
    const stream = await openaiOf(world).chat.completions.create({ ...LONG, stream: true });
    let killed: number | null = null;
    const reading = (async () => {
      for await (const _ of stream) killed ??= await killEngine();
    })();
    await expect(reading).rejects.toMatchObject({ error: { type: 'server_error' } });
    await expectAnswerAfterOneLoad();
    await expectNothingLeft(killed ?? 0);
  });

  test('the Anthropic package throws the error of the stream, and the next request waits for one load', async () => {
    const stream = await anthropicOf(world).messages.create({ ...LONG, stream: true });
    let killed: number | null = null;
    const reading = (async () => {
      for await (const event of stream) {
        if (event.type === 'content_block_delta') killed ??= await killEngine();
      }
    })();
    await expect(reading).rejects.toMatchObject({ error: { type: 'error' } });
    await expectAnswerAfterOneLoad();
    await expectNothingLeft(killed ?? 0);
  });

  // A stopped process answers nothing and does no work, as an engine that waits for ever.
  test('a hung engine is killed, its stream ends with an error, and the next request is served', async () => {
    const stream = await openaiOf(world).chat.completions.create({ ...LONG, stream: true });
    let stopped: number | null = null;
    const reading = (async () => {
      for await (const _ of stream) stopped ??= await killEngine('SIGSTOP');
    })();
    await expect(reading).rejects.toMatchObject({ error: { type: 'server_error' } });
    const next = await openaiOf(world).chat.completions.create(SHORT);
    expect(next.choices[0]?.finish_reason).not.toBeNull();
    await expectNothingLeft(stopped ?? 0);
  });

  test('a request without a stream is answered by the model that is loaded again', async () => {
    // The engine reads this prompt for longer than the pause. A model of random weights may end any answer early.
    const messages = [{ role: 'user' as const, content: 'ab '.repeat(400) }];
    const asked = openaiOf(world).chat.completions.create({ ...SHORT, messages });
    await pause(100);
    const killed = await killEngine();
    expect((await asked).choices[0]?.finish_reason).not.toBeNull();
    await expectNothingLeft(killed);
  });
});
