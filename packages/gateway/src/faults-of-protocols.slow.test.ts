import { createServer } from 'node:http';
import { openWorld } from '../test/worlds/open-world.js';
import { listenOn, serveThrough } from '../test/worlds/serve-through.js';
import { isWhole, talk } from '../test/talk.js';
import { until } from '../test/worlds/watch-world.js';

jest.setTimeout(60_000);

const HELLO = [{ role: 'user' as const, content: 'Hello' }];
const MESSAGES = { model: 'auto', messages: HELLO, max_tokens: 200 };
const RESPONSES = { model: 'auto', input: 'Hello' };
const CHAT = { model: 'auto', messages: HELLO };
/** Answers of 200 tokens, so that a fault comes in the middle. */
const SIMULATED = { world: { answers: { textTokens: 200 } } };

describe('a stream that is lost in mid-answer', () => {
  it.each([
    [
      '/v1/messages',
      MESSAGES,
      'event: message_stop',
      /\nevent: error\ndata: \{"type":"error",.*\}\n\n$/,
    ],
    [
      '/v1/responses',
      RESPONSES,
      'response.completed',
      /\nevent: error\ndata: \{"type":"error",.*\}\n\n$/,
    ],
    ['/v1/chat/completions', CHAT, '[DONE]', /\ndata: \{"error":.*\}\n\n$/],
  ] as const)('of %s ends with the error event of its protocol', async (path, body, end, error) => {
    for (const fault of ['cutStream', 'crashPrediction', 'unloadDuringPrediction'] as const) {
      await using world = await openWorld({}, SIMULATED);
      const whole = await talk(world.url, path, { ...body, stream: true }).end;
      expect(whole.text).toContain(end);
      world.simulator.fault[fault]({ afterTokens: 5, times: 1 });
      const ending = await talk(world.url, path, { ...body, stream: true }).end;
      expect([fault, ending.status, ending.broken]).toEqual([fault, 200, false]);
      expect(ending.text).toMatch(error);
      expect(ending.text).not.toContain(end);
    }
  });
});

describe('an answer without a stream', () => {
  it.each([
    ['/v1/messages', MESSAGES],
    ['/v1/responses', RESPONSES],
    ['/v1/chat/completions', CHAT],
  ] as const)('of %s that is cut in the middle ends as a broken connection', async (path, body) => {
    const half = `{"id":"answer","text":"${'a'.repeat(2000)}`;
    let requests = 0;
    const runtime = createServer((request, response) => {
      requests += 1;
      request.resume();
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(half, () => setTimeout(() => response.destroy(), 50));
    });
    const httpUrl = await listenOn(runtime);
    await using front = await serveThrough({ httpUrl, residents: () => [] });
    const ending = await talk(front.url, path, body).end;
    runtime.close();
    expect(ending).toMatchObject({ status: 200, text: half, broken: true });
    expect(requests).toBe(1);
    expect(front.released).toEqual(['failed']);
  });

  it.each([
    ['/v1/messages', MESSAGES],
    ['/v1/responses', RESPONSES],
    ['/v1/chat/completions', CHAT],
  ] as const)('of %s that is cut before its first byte is answered again', async (path, body) => {
    await using world = await openWorld({}, SIMULATED);
    expect((await talk(world.url, path, body).end).status).toBe(200);
    world.simulator.fault.cutStream({ afterTokens: 5, times: 1 });
    const ending = await talk(world.url, path, body).end;
    expect(ending).toMatchObject({ status: 200, broken: false });
    expect(ending.headers['x-mai-fallbacks']).toBe('1');
    expect(JSON.parse(ending.text)).toHaveProperty('id');
  });
});

describe('a streaming client that leaves during a load', () => {
  it.each([
    ['/v1/chat/completions', CHAT],
    ['/v1/messages', MESSAGES],
    ['/v1/responses', RESPONSES],
  ] as const)('of %s frees its place, and the next client is served', async (path, body) => {
    await using world = await openWorld({}, { speed: 10 });
    const talking = talk(world.url, path, { ...body, stream: true });
    await world.simulator.seen('loadModel');
    await until(() => world.gateway.state().waiting === 1);
    talking.leave();
    await until(() => world.gateway.state().waiting === 0);
    expect(world.simulator.requests.filter(({ endpoint }) => endpoint === path)).toEqual([]);
    expect(isWhole(await talk(world.url, '/v1/chat/completions', CHAT).end)).toBe(true);
  });
});
