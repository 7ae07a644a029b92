import { createServer, type ServerResponse } from 'node:http';
import { gunzipSync, gzipSync } from 'node:zlib';
import { ask, type Answer } from '../../test/ask.js';
import { isToldFailure, isWhole, talk } from '../../test/talk.js';
import { listenOn, serveThrough, type FrontOptions } from '../../test/worlds/serve-through.js';
import { ANY_MODEL } from '../ports/serving-port.js';
import { createFailure } from '../protocols/create-failure.js';
import type { FailureCode } from '../protocols/protocol.js';
import { SchedulingFailure, type PlaceRequest } from '../queue/scheduler.js';

const CHAT = '/v1/chat/completions';
const STREAM = { stream: true, messages: [] };
const ANSWER = '{"id":"c","object":"chat.completion","choices":[]}';
const EVENT = 'data: {"id":"c","choices":[{"index":0,"delta":{"content":"模型 é"}}]}\n\n';
const DONE = 'data: [DONE]\n\n';
const SSE = { 'content-type': 'text/event-stream' };

/** Headers with which a server would govern the gateway's origin in a browser, or a proxy in front of it. */
const ORDERS = {
  'alt-svc': 'h3="evil.example:443"; ma=86400',
  'clear-site-data': '"*"',
  'content-security-policy': "default-src 'unsafe-inline'",
  'cross-origin-opener-policy': 'unsafe-none',
  nel: '{"report_to":"evil"}',
  'permissions-policy': 'camera=*',
  refresh: '0; url=https://evil.example',
  'report-to': '{"group":"evil"}',
  'service-worker-allowed': '/',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'www-authenticate': 'Basic realm="LM Studio"',
  'x-accel-redirect': '/etc/passwd',
  'x-frame-options': 'ALLOWALL',
  'x-mai-host': 'nobody',
  'x-sendfile': '/etc/passwd',
};
/** Headers of a runtime, known or not. */
const HARMLESS = {
  'anthropic-ratelimit-requests-remaining': '7',
  'llama-slot': '3',
  'openai-processing-ms': '42',
  'request-id': 'r-1',
  server: 'odd/1.0',
  'x-accel-buffering': 'no',
  'x-kept': 'yes',
  'x-request-id': 'r-2',
};

/** Less than the headers that the gateway takes, as with Node's default of 16 KiB. */
const RUNTIME_HEADERS_BYTES = 8192;

interface OddWorld extends AsyncDisposable {
  readonly url: string;
  readonly attempts: () => number;
}

/** The inference part of a gateway in front of a runtime that answers as a test says. */
async function open(
  respond: (response: ServerResponse) => void,
  options: FrontOptions = {},
): Promise<OddWorld> {
  let attempts = 0;
  const runtime = createServer({ maxHeaderSize: RUNTIME_HEADERS_BYTES }, (request, response) => {
    request.resume().on('end', () => {
      attempts += 1;
      respond(response);
    });
  });
  const httpUrl = await listenOn(runtime);
  const front = await serveThrough({ httpUrl, residents: () => [] }, options);
  return {
    url: front.url,
    attempts: () => attempts,
    [Symbol.asyncDispose]: async () => {
      await front[Symbol.asyncDispose]();
      runtime.closeAllConnections();
      await new Promise((resolve) => runtime.close(resolve));
    },
  };
}

function post(url: string, body: object = STREAM, path = CHAT): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  return ask(url, { method: 'POST', path, headers, body: JSON.stringify(body) });
}

describe('a stream of the runtime', () => {
  it.each([
    ['with CRLF', (EVENT + DONE).replaceAll('\n', '\r\n'), SSE],
    ['without a space after its colons', (EVENT + DONE).replaceAll('data: ', 'data:'), SSE],
    ['with a media type in capitals', EVENT + DONE, { 'content-type': 'Text/Event-Stream' }],
    [
      'that says that it is not compressed',
      EVENT + DONE,
      { ...SSE, 'content-encoding': 'identity' },
    ],
  ])('%s is passed on as it is', async (_what, text, headers) => {
    await using world = await open((response) => response.writeHead(200, headers).end(text));
    const answer = await post(world.url);
    expect([answer.status, answer.text]).toEqual([200, text]);
  });

  it('whose characters are cut by the packets is passed on byte for byte', async () => {
    const bytes = Buffer.from(EVENT + DONE);
    await using world = await open((response) => {
      response.writeHead(200, SSE);
      for (const byte of bytes) response.write(Buffer.from([byte]));
      response.end();
    });
    expect((await post(world.url)).bytes).toEqual(bytes);
  });

  it.each([
    ['with a media type in capitals', { 'content-type': 'Text/Event-Stream' }],
    ['with CRLF', SSE],
  ])('%s that ends early ends with an event of failure', async (what, headers) => {
    const text = what === 'with CRLF' ? EVENT.replaceAll('\n', '\r\n') : EVENT;
    await using world = await open((response) => response.writeHead(200, headers).end(text));
    const answer = await post(world.url);
    expect(answer.text).toContain('模型 é');
    expect(answer.text).toContain('"code":"upstream_failed"');
    expect(answer.text).toMatch(/before its last event\. Send the request again\./);
  });

  it.each([
    ['no bytes', '', 'other side closed.'],
    [
      'a broken chunk',
      'zz\r\nxx\r\n',
      'does not match the HTTP/1.1 protocol (Invalid character in chunk size).',
    ],
  ])(
    'that is cut by %s ends with an event that says so in whole sentences',
    async (_w, raw, says) => {
      await using world = await open((response) => {
        response.writeHead(200, SSE);
        response.write(EVENT, () => response.socket?.end(raw));
      });
      const ending = await talk(world.url, CHAT, STREAM).end;
      expect(isToldFailure(ending)).toBe(true);
      expect(ending.text).toContain(`${says} Send the request again.`);
    },
  );

  it('whose first event follows a kilobyte of comments is passed on at once', async () => {
    let finish = (): void => undefined;
    await using world = await open((response) => {
      response.writeHead(200, SSE);
      response.write(': loading\n\n'.repeat(100) + EVENT);
      finish = () => response.end(DONE);
    });
    const talking = talk(world.url, CHAT, STREAM);
    // The runtime goes on only after the client has read its first event.
    await talking.first;
    finish();
    expect(isWhole(await talking.end)).toBe(true);
  });

  it('whose first event follows more comments than are held back is passed on', async () => {
    const text = `${': processing the prompt\n\n'.repeat(5000)}${EVENT}${DONE}`;
    await using world = await open((response) => {
      response.writeHead(200, SSE);
      // Not in one piece with the end, which would tell that nothing follows.
      response.write(text.slice(0, 100_000), () =>
        setTimeout(() => response.end(text.slice(100_000)), 50),
      );
    });
    const answer = await post(world.url);
    expect([answer.status, world.attempts()]).toEqual([200, 1]);
    expect(answer.text).toBe(text);
  });

  it.each([
    ['that has its last event alone', DONE],
    ['whose lines end with a carriage return', (EVENT + DONE).replaceAll('\n', '\r')],
    ['whose last event has no space after its colon', `${EVENT}data:[DONE]\n\n`],
  ])('%s is whole', async (_what, text) => {
    await using world = await open((response) => response.writeHead(200, SSE).end(text));
    const answer = await post(world.url);
    expect([answer.status, answer.text]).toEqual([200, text]);
  });

  it.each([
    ['/v1/responses', 'response.completed', 2_500_000],
    ['/v1/responses', 'response.incomplete', 1_048_576],
    ['/v1/responses', 'error', 3_000_000],
    ['/v1/messages', 'error', 9000],
    ['/v1/messages', 'message_stop', 100_000],
  ])('of %s whose last event %s has %i bytes of data is whole', async (path, event, bytes) => {
    const last = `id: 7\nevent: ${event}\ndata: {"text":"${'a\\n'.repeat(bytes / 3)}"}\n\n`;
    const text = `${EVENT.repeat(3)}${last}`;
    await using world = await open((response) => response.writeHead(200, SSE).end(text));
    const answer = await post(world.url, STREAM, path);
    expect(answer.status).toBe(200);
    expect(answer.text === text).toBe(true);
  });

  it('that names the last event only in the text of an event is not whole', async () => {
    const text = `event: message_delta\ndata: {"text":"${'a'.repeat(9000)}event: message_stop"}\n\n`;
    await using world = await open((response) => response.writeHead(200, SSE).end(EVENT + text));
    const answer = await post(world.url, STREAM, '/v1/messages');
    expect(answer.text).toMatch(/event: error\ndata: .*before its last event/);
  });

  it('that ends inside its last event is not whole', async () => {
    const text = `${EVENT}event: response.completed\ndata: {"response":{"id":"r","output":[{"te`;
    await using world = await open((response) => response.writeHead(200, SSE).end(text));
    const answer = await post(world.url, STREAM, '/v1/responses');
    expect(answer.text).toMatch(/"te\n\nevent: error\ndata: .*before its last event/);
  });

  it('whose first event, after a kilobyte of comments, is an error goes to another resident', async () => {
    await using world = await open((response) =>
      response
        .writeHead(200, SSE)
        .end(`${': loading\n\n'.repeat(100)}data: {"error":{"message":"The model crashed"}}\n\n`),
    );
    const answer = await post(world.url);
    expect([answer.status, world.attempts()]).toEqual([502, 3]);
    expect(answer.json().error.message).toContain('The model crashed. Send the request again.');
  });
});

describe('a compressed answer, for which the gateway has not asked,', () => {
  const compressed = (type: string, text: string) => (response: ServerResponse) =>
    void response
      .writeHead(200, { 'content-type': type, 'content-encoding': 'gzip' })
      .end(gzipSync(text));

  it.each([
    ['of JSON', 'application/json', ANSWER],
    ['that is a stream', 'text/event-stream', EVENT + DONE],
  ])('%s reaches the client whole', async (_what, type, text) => {
    await using world = await open(compressed(type, text));
    const answer = await post(world.url);
    expect(answer.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(answer.bytes).toString('utf8')).toBe(text);
  });

  it('that is a stream and is cut has its connection broken', async () => {
    await using world = await open((response) => {
      response.writeHead(200, { ...SSE, 'content-encoding': 'gzip' });
      response.write(gzipSync(EVENT), () => response.socket?.destroy());
    });
    const ending = await talk(world.url, CHAT, STREAM).end;
    expect([ending.status, ending.broken]).toEqual([200, true]);
  });
});

describe('a stream that has begun with signs of waiting', () => {
  const waits: FrontOptions = {
    place: ({ onWait }) => {
      onWait({ position: 1, waitedMs: 5000, loading: null });
      return 'org/resident';
    },
  };

  it.each([
    ['a document', { 'content-type': 'application/json' }, ANSWER],
    ['a compressed stream', { ...SSE, 'content-encoding': 'gzip' }, gzipSync(EVENT + DONE)],
  ])(
    'ends with an event of failure where the runtime answers with %s',
    async (_what, headers, body) => {
      await using world = await open(
        (response) => response.writeHead(200, headers).end(body),
        waits,
      );
      const answer = await post(world.url);
      expect(answer.status).toBe(200);
      expect(answer.text).toMatch(/^: mai: waiting for 5 s/);
      expect(answer.text).toContain('The answer is not a stream of events.');
      expect(answer.text).not.toContain('"chat.completion"');
      expect(answer.text).not.toContain('[DONE]');
    },
  );

  it('goes on with the events of the runtime', async () => {
    await using world = await open(
      (response) => response.writeHead(200, SSE).end(EVENT + DONE),
      waits,
    );
    expect((await post(world.url)).text).toMatch(
      /^: mai: waiting .*\ndata: \{.*\n\ndata: \[DONE\]\n\n$/,
    );
  });
});

describe('an answer of the runtime', () => {
  it.each([301, 302, 307, 308])(
    'with status %i leads no client to another server',
    async (status) => {
      await using world = await open((response) =>
        response.writeHead(status, { location: 'http://elsewhere.example/' }).end('<html></html>'),
      );
      for (const body of [STREAM, { messages: [] }]) {
        const answer = await post(world.url, body);
        expect(answer.status).toBe(501);
        expect(answer.headers.location).toBeUndefined();
        expect(answer.json().error.message).toContain(`The answer had the HTTP status ${status}.`);
      }
    },
  );

  it.each([
    [501, 'n: the engine gives one answer to each request'],
    // Passed on in part.
    [501, `n: ${'x'.repeat(100_000)}`],
    [500, 'This model does not support images.'],
  ])('with status %i that refuses the request asks for no other try', async (status, message) => {
    await using world = await open((response) =>
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: { message } })),
    );
    const answer = await post(world.url, { messages: [] });
    expect([answer.status, world.attempts()]).toEqual([status, 1]);
    expect(answer.headers['x-should-retry']).toBe('false');
    expect(message).toContain(answer.json().error.message.slice(0, 200));
  });

  it.each([CHAT, '/v1/messages'])(
    'that refuses the request without a body is told in the words of the protocol (%s)',
    async (path) => {
      await using world = await open((response) => response.end(ANSWER));
      // Node's own refusal of the headers has no body.
      const headers = {
        'content-type': 'application/json',
        'x-big': 'a'.repeat(RUNTIME_HEADERS_BYTES),
      };
      const body = JSON.stringify({ max_tokens: 1, messages: [] });
      const answer = await ask(world.url, { method: 'POST', path, headers, body });
      expect([answer.status, world.attempts()]).toEqual([431, 0]);
      expect(answer.json().error.message).toBe(
        'The answer had the HTTP status 431 and no message.',
      );
    },
  );

  it.each([
    ['is long', (response: ServerResponse, text: string) => response.end(text)],
    [
      'is cut',
      (response: ServerResponse, text: string) =>
        response.write(text.slice(0, 80_000), () => response.socket?.destroy()),
    ],
  ])('that refuses the request and %s is passed on in part', async (_what, send) => {
    const text = JSON.stringify({ error: { message: `invalid: ${'x'.repeat(400_000)}` } });
    await using world = await open((response) => {
      response.writeHead(400, {
        'content-type': 'application/json',
        'content-length': text.length,
      });
      send(response, text);
    });
    const { status, text: told } = await talk(world.url, CHAT, { messages: [] }).end;
    expect([status, world.attempts()]).toEqual([400, 1]);
    expect(JSON.parse(told).error.message).toMatch(/invalid: x+/);
  });

  it('sets no cookie, no rule for its origin in a browser, and gives no order to a proxy', async () => {
    await using world = await open((response) =>
      response
        .writeHead(200, {
          'content-type': 'application/json',
          'set-cookie': ['mai-session=other', 'b=c'],
          'access-control-allow-origin': '*',
          'access-control-allow-credentials': 'true',
          'access-control-expose-headers': '*',
          ...ORDERS,
          ...HARMLESS,
        })
        .end(ANSWER),
    );
    const { headers, text } = await post(world.url, { messages: [] });
    expect(text).toBe(ANSWER);
    expect(headers).toMatchObject(HARMLESS);
    const names = Object.keys(headers).filter((name) => /cookie|^access-control/.test(name));
    expect([...names, ...Object.keys(headers).filter((name) => name in ORDERS)]).toEqual([]);
    // The gateway's own word stands, whatever the runtime says.
    expect(headers['x-mai-model']).toBe('qwen/qwen3-4b');
    expect(headers['x-mai-host']).toBeUndefined();
  });

  it.each([
    [204, ''],
    [200, ''],
    [599, 'odd'],
  ])(
    'with status %i and the body %j fails after other residents were tried',
    async (status, text) => {
      await using world = await open((response) => response.writeHead(status).end(text));
      const answer = await post(world.url, { messages: [] });
      expect([answer.status, world.attempts()]).toEqual([502, 3]);
    },
  );

  it.each([
    ['no HTTP', 'hello\r\n\r\n'],
    ['two lengths', `HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\n${ANSWER}`],
    [
      'a length and chunks',
      `HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['an upgrade', 'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'],
    [
      '100 kB of headers',
      `HTTP/1.1 200 OK\r\nX-Long: ${'a'.repeat(100_000)}\r\nContent-Length: 2\r\n\r\n{}`,
    ],
  ])('with %s is reported as a failure of the runtime', async (_what, raw) => {
    await using world = await open((response) => response.socket?.end(raw));
    const answer = await post(world.url, { messages: [] });
    expect([answer.status, answer.json().error.code]).toEqual([503, 'upstream_unreachable']);
    expect(answer.json().error.message).toMatch(/[^.]\. Check with "mai status"/);
  });
});

const TOO_LONG =
  'The number of tokens to keep from the initial prompt is greater than the context length (n_keep: 10159 >= n_ctx: 8192).';

describe('a prompt that the context of the resident cannot hold', () => {
  const MESSAGES = '/v1/messages';
  const failing = (text: string, status: number, headers: Record<string, string>) =>
    open((response) => response.writeHead(status, headers).end(text));
  const JSON_TYPE = { 'content-type': 'application/json' };
  const asEvent = (body: object): string => `event: error\ndata: ${JSON.stringify(body)}\n\n`;
  const anthropic = { type: 'error', error: { type: 'api_error', message: TOO_LONG } };

  // Claude Code shortens the conversation at these words. At a status of 500 it sends the same request ten times.
  it.each([
    ['the first event of a stream', asEvent(anthropic), 200, SSE, '10159 tokens > 8192 maximum'],
    ['status 500', JSON.stringify(anthropic), 500, JSON_TYPE, '10159 tokens > 8192 maximum'],
    ['status 400', JSON.stringify(anthropic), 400, JSON_TYPE, '10159 tokens > 8192 maximum'],
    [
      'the words of llama.cpp',
      '{"error":"request (9000 tokens) exceeds the available context size (8192 tokens)"}',
      500,
      JSON_TYPE,
      '9000 tokens > 8192 maximum',
    ],
    [
      'the words of the embedded engine',
      '{"error":{"message":"This model\'s maximum context length is 8192 tokens, and the input has 9000 tokens."}}',
      400,
      JSON_TYPE,
      '9000 tokens > 8192 maximum',
    ],
    ['words without sizes', '{"error":"context length"}', 400, JSON_TYPE, 'context length'],
  ] as const)(
    'as %s is reported in the words of Anthropic',
    async (_how, text, status, headers, says) => {
      await using world = await failing(text, status, headers);
      const answer = await post(world.url, { ...STREAM, max_tokens: 1 }, MESSAGES);
      expect(answer.status).toBe(400);
      expect(answer.json()).toMatchObject({
        type: 'error',
        error: {
          type: 'invalid_request_error',
          message: expect.stringContaining(`prompt is too long: ${says}`),
        },
      });
      expect(world.attempts()).toBe(1);
    },
  );

  it('has the code of OpenAI, where LM Studio has begun a stream', async () => {
    const body = { error: { message: TOO_LONG } };
    await using world = await failing(asEvent(body), 200, SSE);
    const answer = await post(world.url);
    expect(answer.status).toBe(400);
    expect(answer.json().error).toMatchObject({
      type: 'invalid_request_error',
      code: 'context_length_exceeded',
      message: TOO_LONG,
    });
  });

  it("gets LM Studio's own answer with status 400", async () => {
    const body = JSON.stringify({ error: TOO_LONG });
    await using world = await failing(body, 400, JSON_TYPE);
    const answer = await post(world.url);
    expect([answer.status, answer.text]).toEqual([400, body]);
  });
});

it('a refusal as the first event of a stream is a refusal of the request, not of the endpoint', async () => {
  const event = 'event: error\ndata: {"error":{"message":"Model does not support images."}}\n\n';
  await using world = await open((response) => response.writeHead(200, SSE).end(event));
  const answer = await post(world.url);
  expect(answer.status).toBe(400);
  expect(answer.json().error).toMatchObject({
    code: 'invalid_request',
    message: 'Model does not support images.',
  });
});

describe('a request that may need a longer context than usual', () => {
  const wanted = { ...ANY_MODEL, minContextLengthTokens: 32_768 };
  const shorter = { ...ANY_MODEL, minContextLengthTokens: 16_384 };
  const nothing = (code: FailureCode) => (request: PlaceRequest) => {
    if (request.wanted.minContextLengthTokens === 32_768) {
      throw new SchedulingFailure(createFailure(code, 503, 'No.'));
    }
    return 'small';
  };
  const whole = (response: ServerResponse) => response.writeHead(200, SSE).end(EVENT + DONE);

  it('gets the usual one where nothing fits with the longer', async () => {
    await using world = await open(whole, {
      wanted,
      alternatives: [shorter],
      place: nothing('nothing_fits'),
    });
    const answer = await post(world.url);
    expect([answer.status, answer.headers['x-mai-model']]).toEqual([200, 'small']);
  });

  it('is refused for any other reason', async () => {
    await using world = await open(whole, {
      wanted,
      alternatives: [shorter],
      place: nothing('queue_full'),
    });
    expect((await post(world.url)).status).toBe(503);
    expect(world.attempts()).toBe(0);
  });
});

describe('a prompt that the resident has counted and refused', () => {
  const refusal = JSON.stringify({ error: TOO_LONG });
  /** A runtime that refuses the prompt for the first attempt, and the contexts that were asked for. */
  const openRefusing = async (longest: number, fits: boolean, refusals = 1) => {
    const contexts: (number | null)[] = [];
    let attempts = 0;
    const world = await open(
      (response) => {
        attempts += 1;
        if (attempts > refusals) response.writeHead(200, SSE).end(EVENT + DONE);
        else response.writeHead(400, { 'content-type': 'application/json' }).end(refusal);
      },
      {
        wanted: { ...ANY_MODEL, minContextLengthTokens: 8192 },
        longest,
        place: ({ wanted }) => {
          contexts.push(wanted.minContextLengthTokens);
          if (contexts.length > 1 && !fits) {
            throw new SchedulingFailure(createFailure('nothing_fits', 503, 'No.'));
          }
          return 'small';
        },
      },
    );
    return { world, contexts };
  };

  it('is sent again with a context that holds it', async () => {
    const { world: opened, contexts } = await openRefusing(32_768, true);
    await using world = opened;
    const answer = await post(world.url);
    expect([answer.status, answer.text]).toEqual([200, EVENT + DONE]);
    // 10,159 tokens and 1,024 of output, rounded up to a quarter of a power of two.
    expect(contexts).toEqual([8192, 12_288]);
    expect(answer.headers['x-mai-fallbacks']).toBe('1');
  });

  it.each([
    ['the models allow no longer context', 10_159, true, 1],
    ['no longer context fits', 32_768, false, 2],
  ])('is refused where %s', async (_why, longest, fits, asked) => {
    const { world: opened, contexts } = await openRefusing(longest, fits);
    await using world = opened;
    const answer = await post(world.url);
    expect([answer.status, answer.text]).toEqual([400, refusal]);
    expect(contexts).toHaveLength(asked);
  });

  it('is sent again once', async () => {
    const { world: opened, contexts } = await openRefusing(32_768, true, 9);
    await using world = opened;
    expect((await post(world.url)).status).toBe(400);
    expect(contexts).toHaveLength(2);
  });
});
