import { request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { startSimulator, type Simulator, type SimulatorOptions } from '@mai/lmstudio-simulator';
import { serveThrough } from '../../../test/worlds/serve-through.js';
import { ANY_MODEL } from '../../ports/serving-port.js';
import { createFailure } from '../../protocols/create-failure.js';
import { SchedulingFailure } from '../../queue/scheduler.js';

const KEY = 'qwen/qwen3-4b';
const CHAT = '/v1/chat/completions';
const HELLO = { model: 'auto', messages: [{ role: 'user', content: 'Hello' }] };

async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({ speed: 1000, ...options });
  // Loads the model just in time.
  await (await post(simulator.httpUrl, CHAT, { ...HELLO, model: KEY, max_tokens: 1 })).text();
  return simulator;
}

function post(url: string, path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  return fetch(`${url}${path}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
    headers: { 'content-type': 'application/json', ...(init.headers as Record<string, string>) },
  });
}

const masked = (text: string): string =>
  text
    .replace(/"created":\d+/g, '"created":0')
    .replace(/(chatcmpl|resp|msg|cmpl|rs|item)[-_][0-9a-zA-Z]+/g, '$1')
    .replace(/"created_at":[\d.]+/g, '"created_at":0')
    .replace(/"(tokens_per_second|time_to_first_token|generation_time)":[\d.e-]+/g, '"$1":0');

describe('an answer of the runtime', () => {
  it.each([
    [CHAT, HELLO],
    [CHAT, { ...HELLO, stream: true, stream_options: { include_usage: true } }],
    ['/v1/completions', { model: 'auto', prompt: 'Hello', stream: true }],
    ['/v1/responses', { model: 'auto', input: 'Hello', stream: true }],
    ['/v1/messages', { model: 'auto', max_tokens: 20, messages: HELLO.messages, stream: true }],
    ['/api/v0/chat/completions', HELLO],
  ])('of %s arrives byte by byte as the runtime sends it', async (path, body) => {
    await using simulator = await start();
    await using front = await serveThrough(simulator);
    const direct = await post(simulator.httpUrl, path, { ...body, model: KEY });
    const passed = await post(front.url, path, body);
    const text = await passed.text();
    expect(masked(text)).toBe(masked(await direct.text()));
    expect(passed.status).toBe(200);
    expect(passed.headers.get('content-type')).toBe(direct.headers.get('content-type'));
    expect(passed.headers.get('x-mai-decision')).toBe('d-2');
    expect(passed.headers.get('x-mai-model')).toBe(KEY);
    expect(passed.headers.get('x-mai-fallbacks')).toBe('0');
    // mostlygeek/llama-swap #236
    expect(passed.headers.get('x-accel-buffering')).toBe('stream' in body ? 'no' : null);
    expect(front.released).toEqual(['done']);
  });

  it('reports its usage', async () => {
    await using simulator = await start();
    await using front = await serveThrough(simulator);
    await (await post(front.url, CHAT, HELLO)).text();
    expect(front.served).toMatchObject([
      { protocol: 'openai-chat', status: 200, usage: { promptTokens: 3, outputTokens: 12 } },
    ]);
  });

  it('passes the runtime its own words about a request that it refuses', async () => {
    await using simulator = await start();
    await using front = await serveThrough(simulator);
    const body = { ...HELLO, response_format: { type: 'xml' } };
    const direct = await post(simulator.httpUrl, CHAT, { ...body, model: KEY });
    const passed = await post(front.url, CHAT, body);
    expect(passed.status).toBe(direct.status);
    expect(passed.status).toBe(400);
    expect(await passed.text()).toBe(await direct.text());
    expect(front.asked).toHaveLength(1);
  });
});

describe('a request', () => {
  it('reaches the runtime with unknown fields and headers, and without secrets', async () => {
    await using simulator = await start();
    await using front = await serveThrough(simulator);
    const before = simulator.requests.length;
    const answer = await post(
      front.url,
      CHAT,
      '{"big":12345678901234567890,"model":"auto","messages":[{"role":"user","content":"Hi"}]}',
      {
        headers: {
          'anthropic-beta': 'x-1',
          authorization: 'Bearer secret',
          cookie: 'a=b',
          'x-forwarded-for': '1.2.3.4',
        },
      },
    );
    expect(answer.status).toBe(200);
    const [received] = simulator.requests.slice(before);
    expect(received).toMatchObject({ endpoint: CHAT, parameter: { model: KEY } });
    expect(received?.parameter).toHaveProperty('big');
    expect(JSON.stringify(received)).not.toContain('secret');
  });

  it('carries the size and the start of its prompt in a fleet only', async () => {
    await using simulator = await start();
    await using alone = await serveThrough(simulator);
    await using inFleet = await serveThrough(simulator, { hosts: ['attic'] });
    for (const { url } of [alone, inFleet]) await (await post(url, CHAT, HELLO)).text();
    expect([...alone.asked, ...inFleet.asked].map(({ wanted }) => wanted)).toEqual([
      ANY_MODEL,
      { ...ANY_MODEL, promptTokens: 7, prefixKey: expect.stringMatching(/^[\w-]{16}$/) },
    ]);
  });

  it('may be compressed', async () => {
    await using simulator = await start();
    await using front = await serveThrough(simulator);
    const answer = await fetch(`${front.url}${CHAT}`, {
      method: 'POST',
      body: gzipSync(JSON.stringify(HELLO)),
      headers: { 'content-encoding': 'gzip' },
    });
    expect(answer.status).toBe(200);
  });

  it.each([
    ['no JSON', '{"model":', 400, 'not valid JSON'],
    ['no object', '[1]', 400, 'must be a JSON object'],
    ['an object as the model', '{"model":{"a":1}}', 400, 'but got an object instead'],
    ['a number as the model', '{"model":4}', 400, 'but got a number instead'],
    ['a list as the model', '{"model":["auto"]}', 400, 'but got an array instead'],
    ['a boolean as the model', '{"model":false}', 400, 'but got a boolean instead'],
  ])('with %s is refused', async (_what, body, status, words) => {
    await using simulator = await start();
    await using front = await serveThrough(simulator);
    const answer = await post(front.url, CHAT, body);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(words);
  });

  it('with a deep nesting in an unknown field reaches the runtime', async () => {
    await using simulator = await start();
    await using front = await serveThrough(simulator);
    const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const body = `{"a":${nested},${JSON.stringify(HELLO).slice(1)}`;
    const answer = await post(front.url, CHAT, body);
    expect(answer.headers.get('x-mai-model')).toBe(KEY);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ model: KEY });
  });

  it('with too large a body is refused before it is read whole', async () => {
    await using simulator = await start();
    await using front = await serveThrough(simulator, { limits: { maxBodyBytes: 1000 } });
    const answer = await post(front.url, CHAT, { ...HELLO, padding: 'x'.repeat(2000) });
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ error: { code: 'too_large' } });
    const bomb = await fetch(`${front.url}${CHAT}`, {
      method: 'POST',
      body: gzipSync(JSON.stringify({ ...HELLO, padding: 'x'.repeat(100_000) })),
      headers: { 'content-encoding': 'gzip' },
    });
    expect(bomb.status).toBe(413);
  });
});

describe('a failure before the first event', () => {
  it.each([
    [
      'an error status',
      (simulator: Simulator) => simulator.fault.httpError({ status: 500, times: 1 }),
    ],
    [
      'a crash',
      (simulator: Simulator) => simulator.fault.crashPrediction({ afterTokens: 0, times: 1 }),
    ],
    [
      'a cut connection',
      (simulator: Simulator) => simulator.fault.cutStream({ afterTokens: 0, times: 1 }),
    ],
    [
      'an error event',
      (simulator: Simulator) => simulator.fault.streamError({ afterTokens: 0, times: 1 }),
    ],
  ])('is hidden from the client: %s', async (_what, inject) => {
    await using simulator = await start();
    await using front = await serveThrough(simulator, { place: () => KEY });
    inject(simulator);
    const answer = await post(front.url, CHAT, { ...HELLO, stream: true });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-mai-fallbacks')).toBe('1');
    expect(await answer.text()).toContain('data: [DONE]');
    expect(front.asked.map((one) => one.wanted.failed)).toEqual([[], [KEY]]);
    expect(front.asked.map((one) => one.again)).toEqual([false, true]);
    expect(front.released).toEqual(['failed', 'done']);
  });

  it('reaches the client after a bounded number of attempts', async () => {
    await using simulator = await start();
    await using front = await serveThrough(simulator, { place: () => KEY });
    simulator.fault.httpError({ status: 500, text: 'The engine is confused.' });
    const answer = await post(front.url, CHAT, HELLO);
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({
      error: { code: 'upstream_failed', message: expect.stringContaining('3 attempts') },
    });
    expect(front.asked).toHaveLength(3);
  });

  it('of a runtime that is off is 503', async () => {
    const simulator = await start();
    await using front = await serveThrough(simulator, { limits: { maxFallbacks: 0 } });
    await simulator.stop();
    const answer = await post(front.url, CHAT, HELLO);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error: { code: 'upstream_unreachable' } });
  });
});

test('a request that continues a response is tried at the resident of that response only, also with its alternatives', async () => {
  await using simulator = await start();
  const nothingFits = new SchedulingFailure(createFailure('nothing_fits', 503, 'Nothing fits.'));
  await using front = await serveThrough(simulator, {
    responsesFrom: KEY,
    wanted: { ...ANY_MODEL, chain: 'large', minContextLengthTokens: 65_536 },
    alternatives: [{ ...ANY_MODEL, chain: 'large' }],
    place: ({ wanted }) => {
      if (wanted.minContextLengthTokens !== null) throw nothingFits;
      return KEY;
    },
  });
  const answer = await post(front.url, '/v1/responses', {
    model: 'auto',
    input: 'And?',
    store: false,
    previous_response_id: 'resp_1',
  });
  await answer.text();
  const at = { chain: null, modelKey: null, instanceIdentifier: KEY };
  expect(front.asked.map(({ wanted }) => wanted)).toEqual([
    { ...ANY_MODEL, ...at, minContextLengthTokens: 65_536 },
    { ...ANY_MODEL, ...at },
  ]);
});

describe('a failure after the first event', () => {
  it.each([
    [CHAT, HELLO, 'data: {"error":{'],
    ['/v1/responses', { model: 'auto', input: 'Hello' }, 'event: error\ndata: {"type":"error"'],
    [
      '/v1/messages',
      { model: 'auto', max_tokens: 99, messages: HELLO.messages },
      'event: error\ndata: {"type":"error"',
    ],
  ])('of %s is the last event of the stream', async (path, body, event) => {
    await using simulator = await start();
    await using front = await serveThrough(simulator);
    simulator.fault.cutStream({ afterTokens: 3, times: 1 });
    const answer = await post(front.url, path, { ...body, stream: true });
    const text = await answer.text();
    expect(text).toContain('Hello');
    expect(text.slice(text.lastIndexOf('\n\n', text.length - 3))).toContain(event);
    expect(text).not.toContain('[DONE]');
    expect(front.released).toEqual(['failed']);
    expect(front.served).toMatchObject([{ failure: { code: 'upstream_failed' } }]);
  });
});

describe('a client that goes', () => {
  it.each([
    ['before the first byte', { stream: true }, 0],
    ['after the first byte', { stream: true }, 1],
    ['before the first byte, without a stream', {}, 0],
  ])('%s is gone upstream at once', async (_when, extra, bytes) => {
    await using simulator = await start({
      // 2,000 tokens take seconds.
      speed: 20,
      world: { answers: { textTokens: 2000 } },
    });
    await using front = await serveThrough(simulator);
    if (bytes === 0) simulator.fault.slowFirstToken({ delayMs: 60_000 });
    const count = simulator.requests.filter((one) => one.endpoint === CHAT).length;
    const sent = httpRequest(`${front.url}${CHAT}`, { method: 'POST' });
    sent.on('error', () => undefined);
    const first = new Promise<void>((resolve) => {
      sent.on('response', (answer) => answer.once('data', () => resolve()));
    });
    sent.end(JSON.stringify({ ...HELLO, ...extra }));
    if (bytes === 0) await simulator.seen(CHAT, count + 1);
    else await first;
    sent.destroy();
    await simulator.seen('disconnect', 1);
    expect(front.released).toEqual(['done']);
  });

  it('while it waits for a place frees the place', async () => {
    await using simulator = await start();
    let whenAsked: (signal: AbortSignal) => void;
    const asked = new Promise<AbortSignal>((resolve) => (whenAsked = resolve));
    await using front = await serveThrough(simulator, {
      place: ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
          whenAsked(signal);
        }),
    });
    const sent = httpRequest(`${front.url}${CHAT}`, { method: 'POST' });
    sent.on('error', () => undefined);
    sent.end(JSON.stringify(HELLO));
    const signal = await asked;
    expect(signal.aborted).toBe(false);
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
    sent.destroy();
    await aborted;
    expect(front.released).toEqual([]);
  });
});

describe('a wait', () => {
  const PROGRESS = { position: 2, waitedMs: 3000, loading: { modelKey: KEY, progressRatio: 0.4 } };

  it.each([
    [CHAT, HELLO, ': mai: waiting for 3 s, position 2, loading qwen/qwen3-4b 40 %\n'],
    [
      '/v1/messages',
      { model: 'auto', max_tokens: 9, messages: HELLO.messages },
      'event: ping\ndata: {"type": "ping"}\n\n',
    ],
  ])('is shown to a client of %s that asked for a stream', async (path, body, sign) => {
    await using simulator = await start();
    await using front = await serveThrough(simulator, {
      place: ({ onWait }) => {
        onWait({ ...PROGRESS, waitedMs: 1000 });
        onWait(PROGRESS);
        return KEY;
      },
    });
    const answer = await post(front.url, path, { ...body, stream: true });
    expect(answer.headers.get('x-accel-buffering')).toBe('no');
    expect(answer.headers.get('x-mai-decision')).toBe('d-1');
    expect(answer.headers.get('x-mai-model')).toBeNull();
    const text = await answer.text();
    // openai/openai-go #621: a comment before an empty line was taken for an event without data.
    for (const event of text.split('\n\n').slice(0, -1)) expect(event).toMatch(/^data: /m);
    expect(text.startsWith(`${sign}${text.slice(sign.length)}`)).toBe(true);
    expect(text.split(sign)).toHaveLength(2);
  });

  it('is not shown to a client that asked for no stream', async () => {
    await using simulator = await start();
    await using front = await serveThrough(simulator, {
      place: ({ onWait }) => {
        onWait(PROGRESS);
        return KEY;
      },
    });
    expect((await post(front.url, CHAT, HELLO)).headers.get('x-mai-model')).toBe(KEY);
  });
});
