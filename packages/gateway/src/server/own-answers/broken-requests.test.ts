import { connect } from 'node:net';
import { askRaw } from '../../../test/ask.js';
import { listen, type Listening } from '../listen.js';

const HOST = 'Host: gateway\r\n';
const CLOSE = 'Connection: close\r\n';

let server: Listening;
beforeAll(async () => {
  server = await listen(
    (request, response) => {
      if (request.url !== '/stream') request.resume().on('end', () => response.end('served'));
      // A part of an answer whose end never comes.
      else response.write('data: first\n\n');
    },
    { port: 0, headersTimeoutMs: 100, requestTimeoutMs: 200 },
  );
});
afterAll(() => {
  server.destroy();
  return server.close();
});

interface Refusal {
  readonly status: number;
  readonly head: string;
  readonly body: unknown;
}

/** The only answer to these bytes, whose length must be as its head says. */
async function refusalOf(bytes: string): Promise<Refusal> {
  const text = await askRaw(server.url, bytes);
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const length = /^content-length: (\d+)$/im.exec(head)?.[1];
  expect(Number(length)).toBe(body.length);
  return { status: Number(text.slice(9, 12)), head: head.toLowerCase(), body: JSON.parse(body) };
}

describe('a request that the gateway never sees is refused with JSON in the form of OpenAI:', () => {
  test.each([
    ['no HTTP', 'hello\r\n\r\n', 400, /not valid HTTP/],
    ['TLS', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n', 400, /HTTPS/],
    [
      'two lengths',
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`,
      400,
      /two servers/,
    ],
    [
      'long headers',
      `GET / HTTP/1.1\r\n${HOST}X-Long: ${'a'.repeat(40_000)}\r\n\r\n`,
      431,
      /headers/,
    ],
    ['CONNECT', `CONNECT example.com:443 HTTP/1.1\r\n${HOST}\r\n`, 405, /not a proxy/],
    ['slow headers', `GET / HTTP/1.1\r\n${HOST}X-Slow: `, 408, /in time/],
    [
      'long chunk extensions',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(20_000)}\r\n`,
      413,
      /chunk extensions/,
    ],
  ])('%s', async (_what, bytes, status, message) => {
    const refusal = await refusalOf(bytes);
    expect(refusal.status).toBe(status);
    expect(refusal.head).toContain('content-type: application/json');
    expect(refusal.head).toContain('connection: close');
    expect(refusal.body).toMatchObject({ error: { message: expect.stringMatching(message) } });
  });
});

describe('the number of headers is bounded:', () => {
  // Host and Connection are two of them.
  const withHeaders = (count: number, path = '/'): string =>
    `GET ${path} HTTP/1.1\r\n${HOST}${CLOSE}${'X-One: 1\r\n'.repeat(count - 2)}\r\n`;

  test.each([199, 200])('%i are served', async (count) => {
    expect(await askRaw(server.url, withHeaders(count))).toMatch(/^HTTP\/1\.1 200 [^]*served/);
  });

  test.each([
    [201, '/v1/chat/completions', { error: { code: 'invalid_request' } }],
    [400, '/v1/messages', { type: 'error', error: { type: 'invalid_request_error' } }],
    [400, '/api/mai/status', { error: { code: 'INVALID_REQUEST' } }],
  ])('%i are refused in the form of %s', async (count, path, form) => {
    const refusal = await refusalOf(withHeaders(count, path));
    expect(refusal.status).toBe(431);
    expect(refusal.head).toContain('connection: close');
    expect(refusal.body).toMatchObject(form);
  });
});

describe('an expectation that the gateway can not meet is refused with 417 in the form of its path:', () => {
  const post = (path: string, expected = 'a-miracle'): string =>
    `POST ${path} HTTP/1.1\r\n${HOST}${CLOSE}Expect: ${expected}\r\nContent-Length: 2\r\n\r\n{}`;

  test.each([
    ['/v1/chat/completions', { error: { type: 'invalid_request_error', code: 'invalid_request' } }],
    ['/v1/messages', { type: 'error', error: { type: 'invalid_request_error' } }],
    ['/api/mai/yield', { error: { code: 'INVALID_REQUEST' } }],
    ['/nothing', { error: { code: 'invalid_request' } }],
  ])('%s', async (path, form) => {
    const refusal = await refusalOf(post(path));
    expect(refusal.status).toBe(417);
    expect(refusal.body).toMatchObject(form);
    expect(JSON.stringify(refusal.body)).toContain('a-miracle');
  });

  test('a long one is repeated in part', async () => {
    const { body } = await refusalOf(post('/', 'x'.repeat(9000)));
    expect(JSON.stringify(body).length).toBeLessThan(500);
  });
});

test.each([
  ['no HTTP', 'no HTTP\r\n\r\n'],
  ['CONNECT', `CONNECT example.com:443 HTTP/1.1\r\n${HOST}\r\n`],
])('%s that follows a request is never answered inside its answer', async (_what, bytes) => {
  const text = await new Promise<string>((resolve) => {
    const socket = connect(server.port, server.host);
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (received.endsWith('data: first\n\n\r\n')) socket.write(bytes);
    });
    socket.on('error', () => undefined).on('close', () => resolve(received));
    socket.write(`GET /stream HTTP/1.1\r\n${HOST}\r\n`);
  });
  expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  expect(text.endsWith('data: first\n\n\r\n')).toBe(true);
});
