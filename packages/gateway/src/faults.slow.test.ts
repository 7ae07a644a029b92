import { EMBEDDING, LARGE, openWorld, SMALL } from '../test/worlds/open-world.js';
import { openEchoWorld } from '../test/worlds/echo-world.js';
import { isToldFailure, isWhole, talk, type Ending } from '../test/talk.js';
import { idle, loadsOf, until } from '../test/worlds/watch-world.js';

jest.setTimeout(90_000);

const CHAT = '/v1/chat/completions';
const MESSAGES = '/v1/messages';
const HELLO = [{ role: 'user' as const, content: 'Hello' }];
const ASK = { model: 'auto', messages: HELLO };
const STREAM = { ...ASK, stream: true };
const TO_ANTHROPIC = { ...ASK, max_tokens: 50 };

describe('LM Studio that is killed and started again under load', () => {
  it('gives each of 20 clients an answer or a failure with its reason, and serves them afterwards', async () => {
    await using world = await openWorld({}, { speed: 20 });
    expect(isWhole(await talk(world.url, CHAT, ASK).end)).toBe(true);
    let isBack = false;
    const endings: Ending[] = [];
    const kinds = [
      () => talk(world.url, CHAT, STREAM),
      () => talk(world.url, CHAT, ASK),
      () => talk(world.url, MESSAGES, { ...TO_ANTHROPIC, stream: true }),
      () => talk(world.url, MESSAGES, TO_ANTHROPIC),
    ];
    const clients = Array.from({ length: 20 }, async (_, index) => {
      const send = kinds[index % kinds.length] ?? kinds[0];
      for (;;) {
        const wasBack = isBack;
        const ending = await send?.().end;
        if (ending === undefined) throw new Error('No request was sent.');
        endings.push(ending);
        if (wasBack && isWhole(ending)) return;
        if (!isWhole(ending)) await new Promise((resolve) => setTimeout(resolve, 50));
      }
    });
    await until(() => endings.length >= 20);
    await world.simulator.restart({ downMs: 300 });
    isBack = true;
    await Promise.all(clients);
    const odd = endings.filter((ending) => !isWhole(ending) && !isToldFailure(ending));
    expect(odd).toEqual([]);
    expect(endings.some(isToldFailure)).toBe(true);
    await idle(world);
  });
});

describe('a resident that is lost', () => {
  it.each([
    ['unloaded by hand', 'event'],
    ['crashed', 'event'],
  ])('in mid-stream (%s) ends the stream with an %s of failure', async (how) => {
    await using world = await openWorld();
    expect(isWhole(await talk(world.url, CHAT, ASK).end)).toBe(true);
    const { fault } = world.simulator;
    if (how === 'crashed') fault.crashPrediction({ afterTokens: 3, times: 1 });
    else fault.unloadDuringPrediction({ afterTokens: 3, times: 1 });
    const ending = await talk(world.url, CHAT, STREAM).end;
    expect(ending.text).toContain('Hello');
    expect(isToldFailure(ending)).toBe(true);
    // The next request loads the model again.
    const next = await talk(world.url, CHAT, STREAM).end;
    expect(isWhole(next)).toBe(true);
    expect(next.headers['x-mai-model']).toBe(LARGE);
  });

  it('before the first event is replaced without the client noticing', async () => {
    await using world = await openWorld();
    expect(isWhole(await talk(world.url, CHAT, ASK).end)).toBe(true);
    world.simulator.fault.crashPrediction({ afterTokens: 0, times: 1 });
    const ending = await talk(world.url, CHAT, STREAM).end;
    expect(isWhole(ending)).toBe(true);
    expect(ending.headers['x-mai-fallbacks']).toBe('1');
  });
});

describe('a client that stops reading', () => {
  it('loses its connection after the limit, and its place', async () => {
    await using world = await openWorld({ limits: { stallMs: 200 } });
    // The answer, some 25 megabytes, is more than the buffers of all sockets hold.
    const input = Array.from({ length: 300 }, (_, index) => `text ${index}`);
    const talking = talk(world.url, '/v1/embeddings', { model: 'auto:embedding', input });
    await talking.head;
    talking.stopReading();
    await idle(world);
    talking.readAgain();
    expect(await talking.end).toMatchObject({ status: 200, broken: true });
  });

  it.each([
    ['a stream', STREAM, 'text/event-stream'],
    ['an answer without a stream', ASK, 'application/json'],
  ])('of %s makes LM Studio wait, and then ends the request there', async (_kind, body, type) => {
    const sizeBytes = 200 * 2 ** 20;
    const chunk = Buffer.from(`data: ${'a'.repeat(65_536)}\n\n`);
    let sentBytes = 0;
    let isClosed = false;
    await using world = await openEchoWorld({ limits: { stallMs: 1000 } }, (response) => {
      response.on('close', () => (isClosed = true));
      response.writeHead(200, { 'content-type': type });
      const send = (): void => {
        while (sentBytes < sizeBytes) {
          sentBytes += chunk.length;
          if (response.write(chunk)) continue;
          response.once('drain', send);
          return;
        }
        response.end();
      };
      send();
    });
    const talking = talk(world.url, CHAT, body);
    await talking.head;
    talking.stopReading();
    await until(() => isClosed);
    // The buffers of the sockets hold a few megabytes. The gateway itself keeps no more than a chunk.
    expect(sentBytes).toBeLessThan(sizeBytes / 4);
    talking.readAgain();
    expect(await talking.end).toMatchObject({ status: 200, broken: true });
  });
});

describe('300 requests of one client', () => {
  it('that arrive while their model is loaded are all served by one load', async () => {
    await using world = await openWorld({}, { speed: 20 });
    const talks = Array.from({ length: 300 }, () => talk(world.url, CHAT, ASK));
    const endings = await Promise.all(talks.map(({ end }) => end));
    expect(endings.filter((ending) => !isWhole(ending))).toEqual([]);
    expect(loadsOf(world)).toEqual([LARGE]);
  });
});

describe('models side by side', () => {
  it('are each loaded once for clients that alternate', async () => {
    await using world = await openWorld();
    const ask = async (model: string): Promise<void> => {
      for (let round = 0; round < 10; round += 1) {
        expect(isWhole(await talk(world.url, CHAT, { ...ASK, model }).end)).toBe(true);
      }
    };
    await Promise.all([ask(LARGE), ask(SMALL)]);
    expect(loadsOf(world).sort()).toEqual([LARGE, SMALL]);
  });

  it('are each loaded once for chat and embeddings that alternate', async () => {
    await using world = await openWorld();
    const chat = async (): Promise<void> => {
      for (let round = 0; round < 10; round += 1) {
        expect(isWhole(await talk(world.url, CHAT, STREAM).end)).toBe(true);
      }
    };
    const embed = async (): Promise<void> => {
      const body = { model: 'auto:embedding', input: 'one' };
      for (let round = 0; round < 10; round += 1) {
        expect(isWhole(await talk(world.url, '/v1/embeddings', body).end)).toBe(true);
      }
    };
    await Promise.all([chat(), embed()]);
    expect(loadsOf(world).sort()).toEqual([LARGE, EMBEDDING].sort());
  });
});
