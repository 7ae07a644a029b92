import { connect } from 'node:net';
import { openWorld, type GatewayWorld } from '../test/open-world.js';

jest.setTimeout(60_000);

const CHAT = '/v1/chat/completions';
const BODY = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Hi' }] });

let world: GatewayWorld;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** Sends bytes over one connection. Resolves with all that comes back once the gateway has closed the connection. */
function exchange(bytes: string): Promise<string> {
  const { hostname, port } = new URL(world.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('close', () => resolve(text));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.write(bytes, 'latin1');
  });
}

/** The status codes of the answers of one connection, in order. */
const statuses = (text: string): readonly number[] =>
  [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));

/** Sends a byte every 20 ms until the gateway closes the connection. */
function drip(start: string, rest: string, url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    let sent = 0;
    socket.setEncoding('latin1');
    socket.write(start, 'latin1');
    const timer = setInterval(() => socket.write(rest[sent++ % rest.length] ?? ' '), 20);
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(timer);
      resolve(text);
    });
  });
}

function head(...lines: readonly string[]): string {
  const { host } = new URL(world.url);
  return [`POST ${CHAT} HTTP/1.1`, `host: ${host}`, ...lines, '', ''].join('\r\n');
}

const received = (): number =>
  world.simulator.requests.filter(({ endpoint }) => endpoint === CHAT).length;

describe('a request whose length two servers could read differently', () => {
  const smuggled = 'GET /api/mai/status HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n';
  const length = Buffer.byteLength(BODY);
  const chunked = `${length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`;

  it.each([
    [
      'Content-Length and Transfer-Encoding',
      () => head('content-length: 5', 'transfer-encoding: chunked') + chunked + smuggled,
    ],
    [
      'two different Content-Length',
      () => head(`content-length: ${length}`, 'content-length: 5') + BODY + smuggled,
    ],
    [
      'two equal Content-Length',
      () => head(`content-length: ${length}`, `content-length: ${length}`) + BODY + smuggled,
    ],
    ['a list as Content-Length', () => head(`content-length: ${length}, 5`) + BODY + smuggled],
    ['a signed Content-Length', () => head(`content-length: +${length}`) + BODY + smuggled],
    ['a negative Content-Length', () => head('content-length: -1') + BODY + smuggled],
    ['a hexadecimal Content-Length', () => head('content-length: 0x10') + BODY + smuggled],
    [
      'an unknown coding after chunked',
      () => head('transfer-encoding: chunked, identity') + chunked + smuggled,
    ],
    ['a misspelt chunked', () => head('transfer-encoding: xchunked') + chunked + smuggled],
    [
      'Transfer-Encoding with a space before the colon',
      () => head('transfer-encoding : chunked') + chunked + smuggled,
    ],
    [
      'Transfer-Encoding on a folded line',
      () => head('x-a: b', ' transfer-encoding: chunked') + chunked + smuggled,
    ],
    [
      'a folded Transfer-Encoding',
      () => head('transfer-encoding:', ' chunked') + chunked + smuggled,
    ],
    [
      'bare line feeds in the head',
      () => head('content-length: 5').replaceAll('\r\n', '\n') + BODY + smuggled,
    ],
    [
      'a bare line feed before Transfer-Encoding',
      () => head(`content-length: ${length}`, 'x-a: b\ntransfer-encoding: chunked') + chunked,
    ],
    [
      'a bare carriage return in a value',
      () => head(`content-length: ${length}`, 'x-a: b\rtransfer-encoding: chunked') + BODY,
    ],
    ['a chunk with a signed size', () => head('transfer-encoding: chunked') + `+5\r\nhello\r\n`],
    [
      'a chunk that is longer than its size',
      () => head('transfer-encoding: chunked') + `2\r\n${BODY}\r\n0\r\n\r\n${smuggled}`,
    ],
    ['a null byte in a header', () => head(`content-length: ${length}`, 'x-a: b\0c') + BODY],
  ])('(%s) gets 400, closes the connection, and reaches no model', async (_what, bytes) => {
    const before = received();
    const text = await exchange(bytes());
    expect(statuses(text)).toEqual([400]);
    expect(received()).toBe(before);
  });
});

describe('a slow client', () => {
  it.each([
    ['its headers', () => `POST ${CHAT} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: `],
    ['its body', () => head('content-length: 100000')],
    ['the chunks of its body', () => `${head('transfer-encoding: chunked')}ffff\r\n`],
  ])('that drips %s is told 408 and loses its connection', async (_what, start) => {
    const listening = await world.gateway.listen({
      ...{ port: 0, headersTimeoutMs: 300, requestTimeoutMs: 600 },
    });
    const before = received();
    const ownHost = start().replace(new URL(world.url).host, new URL(listening.url).host);
    const text = await drip(ownHost, 'x', listening.url);
    expect(statuses(text)).toEqual([408]);
    expect(received()).toBe(before);
    await listening.close();
  });

  it('that drips its body holds up no other client', async () => {
    const slow = connect(Number(new URL(world.url).port), '127.0.0.1');
    slow.on('error', () => undefined);
    slow.write(head('content-length: 100000'));
    const answer = await fetch(`${world.url}${CHAT}`, { method: 'POST', body: BODY });
    expect(answer.status).toBe(200);
    slow.destroy();
  });
});

describe('a trick with the path', () => {
  it.each([
    '/v1/../api/mai/status',
    '/v1/%2e%2e/api/mai/status',
    '//api/mai/status',
    '/api//mai/status',
    '/api/mai/../mai/status',
    '/%61pi/mai/status',
    '/api%2fmai%2fstatus',
    '/API/MAI/status',
    '/api/mai/status/',
    '/api/mai/status%00',
    '/api/mai/status;a=b',
    '\\api\\mai\\status',
    'http://evil.example/api/mai/status',
    '*',
  ])('(%s) does not reach the state of the machine', async (path) => {
    const { host } = new URL(world.url);
    const text = await exchange(
      `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`,
    );
    expect([400, 403, 404, 405]).toContain(statuses(text)[0]);
    expect(text).not.toContain('"runtime"');
  });
});

describe('a header that a request tries to inject', () => {
  const evil = (text: string): boolean => /^x-evil:/im.test(text.split('\r\n\r\n')[0] ?? '');

  it.each([
    ['the name of the model', CHAT, { model: 'auto\r\nx-evil: 1' }],
    ['the name of a tier', CHAT, { model: 'auto:\nx-evil: 1' }],
    ['a query', `${CHAT}?a=%0d%0ax-evil:%201`, { model: 'auto' }],
    ['the path of a model', '/v1/models/%0d%0ax-evil:%201', { model: 'auto' }],
  ])('by %s is not in the answer', async (_what, path, fields) => {
    const { host } = new URL(world.url);
    const body = JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }], ...fields });
    const text = await exchange(
      `POST ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    expect(statuses(text)).toHaveLength(1);
    expect(evil(text)).toBe(false);
  });

  it('by an origin is not in the answer', async () => {
    const { host } = new URL(world.url);
    const text = await exchange(
      `GET /v1/models HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\norigin: http://${host}%0d%0ax-evil: 1\r\n\r\n`,
    );
    expect(statuses(text)).toEqual([403]);
    expect(evil(text)).toBe(false);
  });
});
