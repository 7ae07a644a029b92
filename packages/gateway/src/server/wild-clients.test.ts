import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { ask, askRaw, type Answer } from '../../test/ask.js';
import { openEchoWorld, RESIDENT, type EchoWorld } from '../../test/worlds/echo-world.js';

jest.setTimeout(60_000);

const CHAT = '/v1/chat/completions';
const MESSAGES = [{ role: 'user', content: 'Hi' }];
const ASKED = { model: 'auto', messages: MESSAGES };
const JSON_TYPE = { 'content-type': 'application/json' };

let world: EchoWorld;
beforeAll(async () => {
  world = await openEchoWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

function post(
  path: string,
  body: object | string | Buffer = ASKED,
  headers: Record<string, string> = JSON_TYPE,
): Promise<Answer> {
  const bytes = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return ask(world.url, { method: 'POST', path, headers, body: bytes });
}

/** The last request that reached the runtime. */
function last(): EchoWorld['received'][number] {
  const request = world.received.at(-1);
  if (request === undefined) throw new Error('No request reached the runtime.');
  return request;
}

/** The body of the last request that the runtime received, with `auto` instead of the model's name. */
function lastBody(): unknown {
  const body: unknown = JSON.parse(last().body.toString('utf8'));
  expect(body).toMatchObject({ model: RESIDENT });
  return { ...(body as object), model: 'auto' };
}

/** A request with its bytes as they are sent. */
function raw(head: string, body = ''): Promise<string> {
  const { host } = new URL(world.url);
  return askRaw(world.url, `${head}\r\nHost: ${host}\r\n${body}`);
}

/** The statuses of the answers of one connection. The next answer begins right behind the body of the one before. */
const statuses = (text: string): readonly number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

describe('a body that clients really send reaches the runtime unchanged:', () => {
  it.each([
    // https://github.com/zed-industries/zed/issues/29667
    ['Zed', { ...ASKED, max_tokens: -1, stop: [], tools: [], temperature: 0, stream: true }],
    [
      'a developer role, max_completion_tokens and stream_options',
      {
        model: 'auto',
        messages: [{ role: 'developer', content: 'Be brief.' }, ...MESSAGES],
        max_completion_tokens: 100,
        stream: true,
        stream_options: { include_usage: true },
      },
    ],
    [
      'a tool call with empty arguments, and null as content',
      {
        model: 'auto',
        messages: [
          ...MESSAGES,
          {
            role: 'assistant',
            content: null,
            tool_calls: [{ id: 'a', type: 'function', function: { name: 'list', arguments: '' } }],
          },
          { role: 'tool', tool_call_id: 'a', content: '' },
        ],
        tools: [{ type: 'function', function: { name: 'list' } }],
        tool_choice: 'auto',
        parallel_tool_calls: false,
      },
    ],
    [
      'fields that no protocol knows',
      { ...ASKED, draft_model: 'x', ttl: 60, '': null, __proto__x: 1 },
    ],
  ])('%s', async (_what, body) => {
    const answer = await post(CHAT, body);
    expect(answer.status).toBe(200);
    expect(lastBody()).toEqual(body);
  });

  it('an image of 20 MB, which counts as one image and not as text', async () => {
    const url = `data:image/png;base64,${'A'.repeat(20_000_000)}`;
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url, detail: 'high' } },
    ];
    const body = { model: 'auto', messages: [{ role: 'user', content }] };
    const answer = await post(CHAT, body);
    expect(answer.status).toBe(200);
    expect(last().body.length).toBe(JSON.stringify({ ...body, model: RESIDENT }).length);
  });

  it.each(['', null])('%j as the name of the model means auto', async (model) => {
    expect((await post(CHAT, { model, messages: MESSAGES })).status).toBe(200);
    expect(lastBody()).toEqual(ASKED);
  });
});

describe('a body', () => {
  const bytes = JSON.stringify(ASKED);

  it.each([
    ['gzip', gzipSync(bytes)],
    ['GZIP', gzipSync(bytes)],
    ['x-gzip', gzipSync(bytes)],
    ['deflate', deflateSync(bytes)],
    ['br', brotliCompressSync(bytes)],
    ['identity', Buffer.from(bytes)],
  ])('with Content-Encoding %s reaches the runtime uncompressed', async (encoding, body) => {
    const answer = await post(CHAT, body, { ...JSON_TYPE, 'content-encoding': encoding });
    expect(answer.status).toBe(200);
    expect(lastBody()).toEqual(ASKED);
    expect(last().headers['content-encoding']).toBeUndefined();
    expect(last().headers['content-length']).toBe(String(last().body.length));
  });

  it('that is truncated inside its compression gets 400', async () => {
    const body = gzipSync(bytes).subarray(0, 30);
    const answer = await post(CHAT, body, { ...JSON_TYPE, 'content-encoding': 'gzip' });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('could not be decompressed');
  });

  it('that grows beyond the limit when it is decompressed gets 413', async () => {
    await using small = await openEchoWorld({ limits: { maxBodyBytes: 100_000 } });
    const answer = await ask(small.url, {
      method: 'POST',
      path: CHAT,
      headers: { ...JSON_TYPE, 'content-encoding': 'gzip' },
      body: gzipSync(JSON.stringify({ ...ASKED, padding: ' '.repeat(10_000_000) })),
    });
    expect(answer.status).toBe(413);
    expect(small.received).toEqual([]);
  });

  it('in an encoding that the gateway lacks gets 415, and the message names the ones it has', async () => {
    const answer = await post(CHAT, bytes, { ...JSON_TYPE, 'content-encoding': 'compress' });
    expect(answer.status).toBe(415);
    expect(answer.json().error.message).toContain('gzip, deflate or br');
  });

  // Codex compresses with zstd: https://github.com/openai/codex/issues/41662
  it('in zstd is read where Node can, and else the message names the setting of Codex', async () => {
    const zlib: Record<string, unknown> = { ...(await import('node:zlib')) };
    const compress = zlib['zstdCompressSync'];
    const headers = { ...JSON_TYPE, 'content-encoding': 'zstd' };
    if (typeof compress === 'function') {
      expect((await post('/v1/responses', compress(bytes), headers)).status).toBe(200);
      expect(lastBody()).toEqual(ASKED);
    } else {
      const answer = await post('/v1/responses', bytes, headers);
      expect(answer.status).toBe(415);
      expect(answer.json().error.message).toContain('features.enable_request_compression');
    }
  });

  it('with 200,000 inputs, or nested 200,000 times, reaches the runtime', async () => {
    const inputs = JSON.stringify({ model: 'auto', input: Array(200_000).fill('a') });
    expect((await post('/v1/embeddings', inputs)).status).toBe(200);
    const nested = `{"model":"auto","messages":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    for (const path of [CHAT, '/v1/messages', '/v1/responses', '/v1/messages/count_tokens']) {
      expect([path, (await post(path, nested)).status]).toEqual([path, 200]);
    }
  });

  it('with more than two million values gets 413', async () => {
    const few = JSON.stringify({ model: 'auto', input: Array(1_900_000).fill(0) });
    expect((await post('/v1/embeddings', few)).status).toBe(200);
    for (const path of ['/v1/embeddings', '/v1/messages/count_tokens']) {
      const many = few.replace('[', `[${'[],'.repeat(200_000)}`);
      const answer = await post(path, many);
      expect(answer.status).toBe(413);
      expect(answer.json().error.message).toContain('more than 2000000 values');
    }
  });

  it('that begins with a byte order mark is read, and reaches the runtime without it', async () => {
    expect((await post(CHAT, `\ufeff${bytes}`)).status).toBe(200);
    expect(lastBody()).toEqual(ASKED);
  });

  it('that is empty, a list, or no JSON gets 400 in the form of its protocol', async () => {
    for (const body of ['', '[]', 'null', '"auto"', '{"model":']) {
      const openAi = await post(CHAT, body);
      expect([body, openAi.status]).toEqual([body, 400]);
      expect(openAi.json().error.type).toBe('invalid_request_error');
      const anthropic = await post('/v1/messages', body);
      expect(anthropic.json()).toMatchObject({
        type: 'error',
        error: { type: 'invalid_request_error' },
      });
    }
  });

  it.each([
    ['application/json; charset=utf-8', 'application/json; charset=utf-8'],
    ['Application/JSON', 'Application/JSON'],
    // The type that `curl -d` sends.
    ['application/x-www-form-urlencoded', 'application/json'],
    ['text/plain;charset=UTF-8', 'application/json'],
    ['application/jsonp', 'application/json'],
    [null, 'application/json'],
  ])('with Content-Type %s reaches the runtime as %s', async (sent, arrived) => {
    const answer = await post(CHAT, bytes, sent === null ? {} : { 'content-type': sent });
    expect(answer.status).toBe(200);
    expect(last().headers['content-type']).toBe(arrived);
  });
});

describe('a target', () => {
  it.each([
    [`${CHAT}?x=y`, `${CHAT}?x=y`],
    [`${CHAT}?`, `${CHAT}?`],
    [`${CHAT}/`, CHAT],
    [`${CHAT}/?a=b`, `${CHAT}?a=b`],
    // Claude Code asks so.
    ['/v1/messages?beta=true', '/v1/messages?beta=true'],
    ['/api/v0/chat/completions/', '/api/v0/chat/completions'],
  ])('%s reaches the runtime as %s', async (path, arrived) => {
    expect((await post(path)).status).toBe(200);
    expect(last().target).toBe(arrived);
  });

  it('of count_tokens may have a query and a slash at its end', async () => {
    for (const path of ['/v1/messages/count_tokens?beta=true', '/v1/messages/count_tokens/']) {
      const answer = await post(path);
      expect(answer.status).toBe(200);
      expect(answer.json().input_tokens).toBeGreaterThan(0);
    }
  });

  it('of a list may have a slash at its end', async () => {
    for (const path of ['/v1/models/', '/api/v0/models/']) {
      const answer = await ask(world.url, { path });
      expect(answer.status).toBe(200);
      expect(answer.json().data.map(({ id }: { id: string }) => id)).toContain(RESIDENT);
    }
  });

  it.each(['/v1/models/org/resident', '/v1/models/org%2Fresident', '/api/v0/models/org/resident'])(
    '%s is the entry of one model',
    async (path) => {
      const answer = await ask(world.url, { path });
      expect(answer.status).toBe(200);
      expect(answer.json()).toMatchObject({ id: RESIDENT, object: 'model' });
    },
  );

  it.each([
    ['/chat/completions', CHAT],
    ['/v1/v1/chat/completions', CHAT],
    ['//v1/chat/completions', CHAT],
    ['/v1//chat/completions', CHAT],
    ['/V1/Chat/Completions', CHAT],
    ['/messages', '/v1/messages'],
    ['/v1/v1/messages/count_tokens', '/v1/messages/count_tokens'],
  ])('%s gets 404, and the message names %s', async (path, meant) => {
    const before = world.received.length;
    const answer = await post(path);
    expect(answer.status).toBe(404);
    expect(answer.json().error).toMatchObject({ code: 'not_supported' });
    expect(answer.json().error.message).toContain(`Did you mean ${meant}?`);
    expect(answer.headers['x-should-retry']).toBe('false');
    expect(world.received).toHaveLength(before);
  });

  it.each(['/models', '/v1/v1/models', '/v1//models'])(
    '%s of a GET gets 404, and the message names /v1/models',
    async (path) => {
      const answer = await ask(world.url, { path });
      expect(answer.status).toBe(404);
      expect(answer.json().error.message).toContain('Did you mean /v1/models?');
    },
  );

  // Clients of Ollama look for it at the ports beside its own.
  it.each(['/api/tags', '/api/chat', '/api/v1/models', '/v1/files', '/v1/responses/compact'])(
    '%s gets a 404 that a program can read, whatever the method',
    async (path) => {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const answer = await ask(world.url, { method, path });
        expect([method, answer.status]).toEqual([method, 404]);
        expect(answer.json().error.message).toContain(`no endpoint "${path}"`);
      }
    },
  );

  it.each([
    ['/api/tags', 'OpenAI-compatible'],
    ['/api/generate', 'OpenAI-compatible'],
    ['/api/v1/chat', 'LM Studio itself'],
  ])('%s of another API gets 404, and the message says what to use instead', async (path, says) => {
    const answer = await post(path);
    expect(answer.status).toBe(404);
    expect(answer.json().error.message).toContain(says);
  });
});

describe('a method', () => {
  it.each([
    ['GET', CHAT, 'POST'],
    ['PUT', CHAT, 'POST'],
    ['OPTIONS', CHAT, 'POST'],
    ['DELETE', '/v1/models/org/resident', 'GET, HEAD'],
    ['POST', '/v1/models', 'GET, HEAD'],
    ['GET', '/v1/messages/count_tokens', 'POST'],
  ])('%s of %s gets 405 with the methods that it takes', async (method, path, allow) => {
    const answer = await ask(world.url, { method, path });
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe(allow);
    expect(answer.json().error.message).toContain(allow);
  });

  it.each(['/', '/healthz', '/health', '/v1/models', '/api/v0/models', '/api/hello'])(
    'HEAD of %s gets 200 without a body',
    async (path) => {
      const text = await raw(`HEAD ${path} HTTP/1.1`, 'Connection: close\r\n\r\n');
      expect(statuses(text)).toEqual([200]);
      expect(text.split('\r\n\r\n')[1]).toBe('');
      const get = await ask(world.url, { path });
      expect(text.toLowerCase()).toContain(`content-length: ${get.bytes.length}\r\n`);
    },
  );

  // Codex sends the request over HTTP at once where a WebSocket gets 426: https://github.com/openai/codex/issues/43353
  it('GET that asks for a WebSocket gets 426 and the end of its connection', async () => {
    const text = await raw(
      'GET /v1/responses HTTP/1.1',
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    expect(statuses(text)).toEqual([426]);
    expect(text.toLowerCase()).toContain('upgrade: http/1.1');
    expect(text).toContain('as an HTTP POST');
  });
});

describe('a connection', () => {
  const body = JSON.stringify(ASKED);
  const stream = JSON.stringify({ ...ASKED, stream: true });
  const framed = (text: string): string =>
    `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n`;

  it('with Expect: 100-continue is told to continue, and is answered', async () => {
    const text = await raw(
      `POST ${CHAT} HTTP/1.1`,
      `Expect: 100-continue\r\nConnection: close\r\n${framed(body)}\r\n${body}`,
    );
    expect(statuses(text)).toEqual([100, 200]);
    expect(last().headers.expect).toBeUndefined();
  });

  it('with Expect: 100-continue stays open for the next request', async () => {
    const { host } = new URL(world.url);
    const text = await raw(
      `POST ${CHAT} HTTP/1.1`,
      `Expect: 100-continue\r\n${framed(body)}\r\n${body}GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    expect(statuses(text)).toEqual([100, 200, 200]);
  });

  it.each([
    ['a body that is too long', CHAT, '', 10 * 1024 ** 3, 413],
    ['a prompt to count that is too long', '/v1/messages/count_tokens', '', 10 * 1024 ** 3, 413],
    ['a compression that is not known', CHAT, 'Content-Encoding: lzma\r\n', 100, 415],
    ['an endpoint that does not exist', '/v1/chatter', '', 100, 404],
    ['the Origin of another site', CHAT, 'Origin: https://evil.example\r\n', 100, 403],
  ])(
    'with Expect: 100-continue is refused before its body is sent, and closed: %s',
    async (_what, path, headers, length, status) => {
      const text = await raw(
        `POST ${path} HTTP/1.1`,
        `Expect: 100-continue\r\n${headers}Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`,
      );
      expect(statuses(text)).toEqual([status]);
      expect(text.toLowerCase()).toContain('connection: close');
    },
  );

  // lmstudio-bug-tracker #1079: the client of Java asks for HTTP/2 with each request, and LM Studio then never answers.
  it('that asks for HTTP/2 is answered over HTTP/1.1, and the runtime is not asked for it', async () => {
    const answer = await post(CHAT, ASKED, {
      ...JSON_TYPE,
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: 'h2c',
      'http2-settings': 'AAMAAABkAARAAAAAAAIAAAAA',
    });
    expect(answer.status).toBe(200);
    expect(JSON.stringify(last().headers)).not.toMatch(/upgrade|http2|h2c/i);
  });

  it('with another expectation gets 417', async () => {
    const text = await raw(
      `POST ${CHAT} HTTP/1.1`,
      `Expect: a-miracle\r\nConnection: close\r\n${framed(body)}\r\n${body}`,
    );
    expect(statuses(text)).toEqual([417]);
  });

  it('with three requests sent at once gets three answers in their order', async () => {
    const { host } = new URL(world.url);
    const one = (id: number, more = ''): string => {
      const sent = JSON.stringify({ ...ASKED, id });
      return `POST ${CHAT}?id=${id} HTTP/1.1\r\nHost: ${host}\r\n${more}${framed(sent)}\r\n${sent}`;
    };
    const list = `GET /v1/models HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const before = world.received.length;
    const text = await askRaw(world.url, one(1) + list + one(2, 'Connection: close\r\n'));
    expect(statuses(text)).toEqual([200, 200, 200]);
    const [first = '', second = '', third = ''] = text.split('HTTP/1.1 200 ').slice(1);
    expect([first, third].every((answer) => answer.includes('"chat.completion"'))).toBe(true);
    expect(second).toContain('"object":"list"');
    const ids = world.received.slice(before).map(({ target }) => target.at(-1));
    expect(ids.toSorted()).toEqual(['1', '2']);
  });

  it.each(['content-type', 'Keep-Alive, Content-Type, content-length', 'host, x-mai-decision'])(
    'that names the headers %s as its own reaches the runtime as JSON of the right length',
    async (names) => {
      const text = await raw(
        `POST ${CHAT} HTTP/1.0`,
        `Connection: ${names}\r\n${framed(body)}\r\n${body}`,
      );
      expect(statuses(text)).toEqual([200]);
      expect(last().headers).toMatchObject({
        'content-type': 'application/json',
        'content-length': String(last().body.length),
        host: new URL(world.httpUrl).host,
      });
      expect(lastBody()).toEqual(ASKED);
    },
  );

  it('of HTTP/1.0 gets a whole answer and its end, without chunks', async () => {
    for (const sent of [body, stream]) {
      const text = await raw(`POST ${CHAT} HTTP/1.0`, `${framed(sent)}\r\n${sent}`);
      expect(statuses(text)).toEqual([200]);
      expect(text.toLowerCase()).not.toContain('transfer-encoding');
      const [, answer = ''] = text.split('\r\n\r\n');
      if (sent === stream) expect(answer).toMatch(/^data: \{.*\}\n\ndata: \[DONE\]\n\n$/);
      else expect(JSON.parse(answer)).toMatchObject({ object: 'chat.completion' });
    }
  });

  it('that sends its body in chunks reaches the runtime with one length', async () => {
    const chunks = [body.slice(0, 5), body.slice(5)]
      .map((part) => `${part.length.toString(16)}\r\n${part}\r\n`)
      .join('');
    const text = await raw(
      `POST ${CHAT} HTTP/1.1`,
      `Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\nX-Trailer: 1\r\n\r\n`,
    );
    expect(statuses(text)).toEqual([200]);
    expect(lastBody()).toEqual(ASKED);
    expect(last().headers['transfer-encoding']).toBeUndefined();
    expect(last().headers['x-trailer']).toBeUndefined();
  });
});

test.each(['{"model":"auto"', '[]', '{"model":"auto"}{"model":"auto"}'])(
  'the refusal of the body %s names the decision in force',
  async (body) => {
    expect((await post(CHAT)).status).toBe(200);
    const refused = await post(CHAT, body);
    expect(refused.status).toBe(400);
    expect(refused.headers['x-mai-decision']).toBe('d-1');
  },
);
