import { once } from 'node:events';
import { connect } from 'node:net';
import { TestEngines, bodyOf, type TestEngine } from '../../test/engine-client.js';
import { until } from '../../test/processes.js';

const engines = new TestEngines();
let file = '';
let engine: TestEngine;
const CHAT = { model: 'tiny', messages: [{ role: 'user', content: 'hi' }] };
/** A schema that keeps a model of random weights from ending its answer. */
const LONG = {
  response_format: {
    type: 'json_schema',
    json_schema: { schema: { type: 'string', minLength: 1900, maxLength: 1950 } },
  },
};

beforeAll(async () => {
  await engines.open();
  file = await engines.writeModel('slow', { layers: 8, width: 512 });
  engine = await engines.start(file, { contextLengthTokens: 8192 });
}, 60_000);
afterAll(() => engines.close());

async function state(): Promise<{ activity: string; queued: number; lastUsedAtMs: number | null }> {
  return bodyOf(await engine.get('/mai/state'));
}

describe('The HTTP server of an engine', () => {
  it.each([undefined, 'Bearer wrong', 'a-token-of-the-tests'])(
    'answers 401 in the form of OpenAI to the authorization %p, on every path',
    async (authorization) => {
      for (const path of ['/v1/models', '/mai/state', '/v1/messages', '/nowhere']) {
        const headers: Record<string, string> =
          authorization === undefined ? {} : { authorization };
        const response = await engine.get(path, { headers });
        expect(response.status).toBe(401);
        expect(await response.json()).toMatchObject({ error: { code: 'invalid_api_key' } });
      }
    },
  );

  it('lists the model under its identifier and its key', async () => {
    const { data } = await bodyOf(await engine.get('/v1/models'));
    expect(data.map(({ id }: { id: string }) => id)).toEqual(['tiny', 'noise/tiny']);
  });

  it.each([
    ['POST', '/v1/audio/speech', 501],
    ['GET', '/v1/responses/resp_1', 501],
    ['POST', '/v1/embeddings', 501],
    ['GET', '/v1/chat/completions', 405],
    ['POST', '/v1/unknown', 404],
  ])('answers %s %s with %i and a reason', async (method, path, status) => {
    const body = method === 'POST' ? JSON.stringify({ model: 'tiny', input: 'x' }) : null;
    const response = await engine.get(path, {
      method,
      body,
      headers: { authorization: `Bearer ${engine.token}` },
    });
    expect(response.status).toBe(status);
    expect((await bodyOf(response)).error.message).not.toBe('');
  });

  it.each(['{', '[]', '"a"', '{"model":"tiny"} x'])('refuses the body %s', async (body) => {
    const response = await engine.post('/v1/chat/completions', null, { body });
    expect(response.status).toBe(400);
  });

  it('refuses a body of more than 64 MiB before it is read', async () => {
    const { port } = new URL(engine.baseUrl);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${engine.token}\r\ncontent-length: ${65 * 1024 ** 2}\r\n\r\n{`,
    );
    const [answer] = await once(socket.setEncoding('utf8'), 'data');
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    socket.destroy();
  });
});

describe('A client that leaves', () => {
  it('frees its slot while its prompt is processed', async () => {
    const departure = new AbortController();
    const content = 'ab '.repeat(2600);
    const request = engine.post(
      '/v1/chat/completions',
      { ...CHAT, messages: [{ role: 'user', content }] },
      { signal: departure.signal },
    );
    await until(
      'the prompt is processed',
      async () => (await state()).activity === 'processing-prompt',
    );
    departure.abort();
    await expect(request).rejects.toThrow();
    await until('the engine is idle', async () => (await state()).queued === 0, 1000);
    const after = await engine.post('/v1/chat/completions', { ...CHAT, max_tokens: 1 });
    expect(after.status).toBe(200);
  });

  it('frees its slot while its answer is streamed, and later answers are as before', async () => {
    const fields = { ...CHAT, temperature: 0, max_tokens: 12 };
    const answer = async (): Promise<string> => {
      const body = await bodyOf(await engine.post('/v1/chat/completions', fields));
      return body.choices[0].message.content;
    };
    const before = await answer();
    for (let round = 0; round < 3; round += 1) {
      const departure = new AbortController();
      const response = await engine.post(
        '/v1/chat/completions',
        { ...CHAT, ...LONG, stream: true },
        { signal: departure.signal },
      );
      await response.body?.getReader().read();
      departure.abort();
      await until('the engine is idle', async () => (await state()).queued === 0, 1000);
    }
    expect(await answer()).toBe(before);
  });

  it('frees its place in the queue', async () => {
    const departure = new AbortController();
    const requests = [1, 2, 3].map((seed) =>
      engine
        .post('/v1/chat/completions', { ...CHAT, ...LONG, seed }, { signal: departure.signal })
        .catch(() => null),
    );
    await until('three are queued', async () => (await state()).queued === 3);
    departure.abort();
    await Promise.all(requests);
    await until('the engine is idle', async () => (await state()).queued === 0, 1000);
  });
});

describe('The state of an engine', () => {
  it('is sent to the parent when it changes: prompt, answer, idle', async () => {
    const start = engine.messages.length;
    const startedAtMs = Date.now();
    await (await engine.post('/v1/chat/completions', { ...CHAT, max_tokens: 5 })).text();
    await until('the engine has reported that it is idle', () => {
      const last = engine.messages.at(-1);
      return last?.type === 'activity' && last.state.activity === 'idle';
    });
    const told = engine.messages
      .slice(start)
      .map((message) => (message.type === 'activity' ? message.state.activity : message.type));
    expect(told).toEqual(['processing-prompt', 'generating', 'idle']);
    const { lastUsedAtMs } = await state();
    expect(lastUsedAtMs).toBeGreaterThanOrEqual(startedAtMs);
    expect(lastUsedAtMs).toBeLessThanOrEqual(Date.now());
  });
});

describe('POST /mai/stop', () => {
  it('ends the process with code 0, and sends open streams the error that the model is unloaded', async () => {
    const other = await engines.start(file, { contextLengthTokens: 8192 });
    const response = await other.post('/v1/chat/completions', { ...CHAT, ...LONG, stream: true });
    const exit = once(other.child, 'exit');
    expect((await other.post('/mai/stop', {})).status).toBe(200);
    expect(await response.text()).toContain('"code":"model_unloaded"');
    expect(await exit).toEqual([0, null]);
  });
});
