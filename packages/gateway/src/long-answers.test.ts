import type { ServerResponse } from 'node:http';
import { Agent } from 'undici';
import { isToldFailure, isWhole, talk } from '../test/talk.js';
import { openEchoWorld } from '../test/worlds/echo-world.js';

const ELEVEN_MINUTES_MS = 11 * 60_000;
const HELLO = [{ role: 'user' as const, content: 'Hello' }];
const CHAT = { model: 'auto', messages: HELLO };
const MESSAGES = { ...CHAT, max_tokens: 50 };
const STREAM_TYPE = { 'content-type': 'text/event-stream' };

const CHAT_STREAM = [
  'data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n',
  'data: [DONE]\n\n',
] as const;
const MESSAGE_STREAM = [
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n',
  'event: message_stop\ndata: {"type":"message_stop"}\n\n',
] as const;
const CHAT_ANSWER = ['{"id":"c","object":"chat.completion",', '"choices":[]}'] as const;

/** Lets the bytes of sockets arrive: sockets do not use the faked timers. */
async function pass(turns = 100): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

// The timers of the gateway, of its queue and of undici are faked. Real sockets carry the bytes.
beforeAll(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
});
afterAll(() => jest.useRealTimers());

describe('an answer of the whole gateway', () => {
  it.each([
    ['a stream', '/v1/chat/completions', { ...CHAT, stream: true }, CHAT_STREAM],
    ['a stream', '/v1/messages', { ...MESSAGES, stream: true }, MESSAGE_STREAM],
    ['an answer without a stream', '/v1/chat/completions', CHAT, CHAT_ANSWER],
  ] as const)(
    '(%s of %s) arrives, though it begins after 11 minutes and then pauses for 11 minutes',
    async (_kind, path, body, [first, last]) => {
      const responses: ServerResponse[] = [];
      await using world = await openEchoWorld({}, (response) => responses.push(response));
      // The same request without the gateway, and with undici's own limits: its failure shows that the time has passed.
      const agent = new Agent();
      const direct = { origin: world.httpUrl, path, method: 'POST' as const, body: '{}' };
      const failure = agent.request(direct).catch((reason: unknown) => reason);
      const asked = talk(world.url, path, body);
      while (responses.length < 2) await pass(1);
      const served = responses.filter((_, index) => world.received[index]?.body.length !== 2);
      expect(served).toHaveLength(1);

      await jest.advanceTimersByTimeAsync(ELEVEN_MINUTES_MS);
      expect(await failure).toMatchObject({ code: 'UND_ERR_HEADERS_TIMEOUT' });
      for (const response of served) {
        response.writeHead(
          200,
          'stream' in body ? STREAM_TYPE : { 'content-type': 'application/json' },
        );
        response.write(first);
      }
      const isStream = 'stream' in body;
      if (!isStream) expect(await asked.first).toBe(first);
      await pass();
      await jest.advanceTimersByTimeAsync(ELEVEN_MINUTES_MS);
      for (const response of served) response.end(last);
      const ending = await asked.end;
      const signs = ending.text.slice(0, ending.text.indexOf(first));
      expect(ending.text.slice(signs.length)).toBe(first + last);
      expect(isWhole(ending)).toBe(true);
      // A sign each ten seconds until the first event, and none after it.
      expect(signs.match(/: mai: |event: ping/g) ?? []).toHaveLength(
        isStream ? ELEVEN_MINUTES_MS / 10_000 : 0,
      );
      await agent.destroy();
    },
  );
});

describe('a stream whose resident reads a long prompt', () => {
  it.each([
    ['/v1/chat/completions', CHAT, ': mai: waiting for 10 s, the model reads the prompt\n'],
    ['/v1/responses', CHAT, ': mai: waiting for 10 s, the model reads the prompt\n'],
    ['/v1/messages', MESSAGES, 'event: ping\ndata: {"type": "ping"}\n\n'],
  ])('of %s gets a sign, and a later refusal as an event', async (path, body, sign) => {
    const responses: ServerResponse[] = [];
    await using world = await openEchoWorld({}, (response) => responses.push(response));
    const asked = talk(world.url, path, { ...body, stream: true });
    while (responses.length < 1) await pass(1);
    await jest.advanceTimersByTimeAsync(9_999);
    const soFar = await Promise.race([asked.first, pass().then(() => 'nothing')]);
    expect(soFar).toBe('nothing');
    await jest.advanceTimersByTimeAsync(1);
    expect(await Promise.race([asked.first, pass(1000).then(() => 'nothing')])).toBe(sign);
    const { headers } = await asked.head;
    // Another resident may answer in the end.
    expect(headers['x-mai-model']).toBeUndefined();
    expect(headers['x-mai-decision']).toBeDefined();
    for (const response of responses) {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end('{"error":{"message":"The prompt exceeds the context."}}');
    }
    const ending = await asked.end;
    expect(ending).toMatchObject({ status: 200, broken: false });
    expect(isToldFailure(ending)).toBe(true);
  });
});
