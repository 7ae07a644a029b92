import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
} from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { ask, type Answer } from '../../../test/ask.js';
import { listenOn, serveThrough, type Front } from '../../../test/worlds/serve-through.js';
import { BodyMemory } from './body-memory.js';

const KIB = 1024;

describe('the memory of bodies', () => {
  test.each([
    ['all clients', 'b', 1000 - 700, 503],
    ['one client', 'a', 750 - 700, 429],
  ])(
    'has a bound for %s: up to it there is room, one byte above there is not',
    (_, client, left, status) => {
      const memory = new BodyMemory(1000, 10);
      expect(memory.begin('a').add(700)).toBeNull();
      const share = memory.begin(client);
      expect(share.add(left - 1)).toBeNull();
      expect(share.add(2)?.failure).toMatchObject({ status, code: 'queue_full' });
      expect(share.add(1)).toBeNull();
      expect(share.refusalOf(1)?.failure).toMatchObject({ status, retryAfterSeconds: 5 });
      // What was refused has taken nothing.
      share.end();
      share.end();
      expect(memory.begin(client).refusalOf(left)).toBeNull();
      expect(memory.begin(client).refusalOf(left + 1)).not.toBeNull();
    },
  );

  test('has room for each allowed body while no other is there, whatever its bound', () => {
    const memory = new BodyMemory(10, 1000);
    const share = memory.begin('a');
    expect(share.refusalOf(1000)).toBeNull();
    expect(share.add(1001)).not.toBeNull();
    expect(share.add(1000)).toBeNull();
    expect(memory.begin('b').add(1)).not.toBeNull();
    share.end();
    expect(memory.begin('b').add(1000)).toBeNull();
  });
});

describe('over sockets', () => {
  let front: Front;
  /** Ends the wait of each request that has asked for a place. */
  let give: (() => void)[];
  let stopRuntime: () => Promise<void>;
  beforeEach(async () => {
    give = [];
    const runtime = createServer((request, response) => {
      request.resume().on('end', () => response.end('{"object":"chat.completion","choices":[]}'));
    });
    const httpUrl = await listenOn(runtime);
    stopRuntime = async () => {
      runtime.closeAllConnections();
      await new Promise((resolve) => runtime.close(resolve));
    };
    front = await serveThrough(
      { httpUrl, residents: () => [] },
      {
        limits: { maxBodyBytes: 100 * KIB, maxBufferedBytes: 400 * KIB },
        place: ({ signal }) =>
          new Promise((resolve, reject) => {
            give.push(() => resolve('m'));
            signal.addEventListener('abort', () => reject(signal.reason as Error));
          }),
      },
    );
  });
  afterEach(async () => {
    await front[Symbol.asyncDispose]();
    await stopRuntime();
  });

  const bodyOf = (bytes: number): string => {
    const empty = JSON.stringify({ messages: [], pad: '' });
    return JSON.stringify({ messages: [], pad: 'x'.repeat(bytes - empty.length) });
  };
  const post = (
    client: string,
    body: string | Buffer,
    headers: Record<string, string> = {},
  ): Promise<Answer> =>
    ask(front.url, {
      method: 'POST',
      path: '/v1/chat/completions',
      headers: { 'user-agent': client, 'content-type': 'application/json', ...headers },
      body,
    });
  /** Begins a request, sends a part of its body, and leaves it so. */
  const begin = (client: string, part: string, length: number | null): ClientRequest => {
    const request = httpRequest(`${front.url}/v1/chat/completions`, {
      method: 'POST',
      agent: false,
      headers: {
        'user-agent': client,
        ...(length === null ? {} : { 'content-length': length }),
      },
    });
    request.on('error', () => undefined);
    request.write(part);
    return request;
  };
  const statusOf = async (request: ClientRequest): Promise<number | undefined> => {
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  const waiting = async (count: number): Promise<void> => {
    while (give.length < count) await sleep(2);
  };
  /** Asks again while there is no room. Without any, until the test is over. */
  const untilRoom = async (client: string, bytes: number): Promise<void> => {
    const asked = give.length;
    for (;;) {
      const answer = post(client, bodyOf(bytes)).then(({ status }) => status);
      const status = await Promise.race([answer, waiting(asked + 1).then(() => null)]);
      if (status === null) return;
      expect(status).toBe(503);
    }
  };

  test('the bodies of queued requests count, until the requests end', async () => {
    const queued = ['a', 'b', 'c', 'd'].map((client) => post(client, bodyOf(100 * KIB)));
    await waiting(4);
    const refused = await post('e', bodyOf(2 * KIB));
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5']);
    expect(refused.json().error).toMatchObject({
      code: 'queue_full',
      message: expect.stringContaining('400 KiB of memory'),
    });
    // The others have taken all memory, so even the smallest body would be refused.
    expect((await post('e', bodyOf(60))).status).toBe(503);
    give[0]?.();
    expect((await queued[0])?.status).toBe(200);
    const next = post('e', bodyOf(100 * KIB));
    await waiting(5);
    for (const one of give) one();
    expect((await Promise.all([...queued.slice(1), next])).map(({ status }) => status)).toEqual([
      200, 200, 200, 200,
    ]);
  });

  test('bodies that are still on their way count, and no longer once their clients have gone', async () => {
    const slow = ['a', 'b', 'c', 'd'].map((client) =>
      begin(client, 'x'.repeat(100 * KIB - 1), 100 * KIB),
    );
    let status = 0;
    // Each of these is whole and too long for what is left, once the others have arrived.
    while (status !== 503) ({ status } = await post('e', '{"wrong'.padEnd(5 * KIB, ' ')));
    for (const one of slow) one.destroy();
    await untilRoom('e', 100 * KIB);
  });

  test('a body without a stated length is refused at the byte that is too much, and its client can read why', async () => {
    void post('a', bodyOf(100 * KIB)).catch(() => undefined);
    void post('b', bodyOf(100 * KIB)).catch(() => undefined);
    void post('c', bodyOf(100 * KIB)).catch(() => undefined);
    await waiting(3);
    const request = begin('d', '{'.padEnd(90 * KIB), null);
    const other = begin('e', '{'.padEnd(20 * KIB), null);
    // One of both is over the bound, whichever arrives last.
    const status = await Promise.race([statusOf(request), statusOf(other)]);
    expect(status).toBe(503);
    request.destroy();
    other.destroy();
  });

  test('compressed bodies count with their bytes after decompression', async () => {
    void post('a', bodyOf(100 * KIB)).catch(() => undefined);
    void post('b', bodyOf(100 * KIB)).catch(() => undefined);
    void post('c', bodyOf(100 * KIB)).catch(() => undefined);
    void post('d', bodyOf(50 * KIB)).catch(() => undefined);
    await waiting(4);
    const packed = gzipSync(bodyOf(60 * KIB));
    expect(packed.length).toBeLessThan(KIB);
    expect((await post('e', packed, { 'content-encoding': 'gzip' })).status).toBe(503);
    void post('e', gzipSync(bodyOf(40 * KIB)), { 'content-encoding': 'gzip' }).catch(
      () => undefined,
    );
    await waiting(5);
  });

  test('one client can not take the room of all others', async () => {
    const greedy = [1, 2, 3].map(() => post('a', bodyOf(100 * KIB)));
    await waiting(3);
    const refused = await post('a', bodyOf(KIB));
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '5']);
    const other = post('b', bodyOf(100 * KIB));
    await waiting(4);
    for (const one of give) one();
    for (const one of [...greedy, other]) expect((await one).status).toBe(200);
  });

  test('a body that no bound allows is refused as too large, also where no other is there', async () => {
    const refused = await post('a', bodyOf(100 * KIB + 1));
    expect([refused.status, refused.headers['retry-after']]).toEqual([413, undefined]);
  });
});
