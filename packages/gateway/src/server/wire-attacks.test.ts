import { connect } from 'node:net';
import { askRaw } from '../../test/ask.js';
import { openWorld, type GatewayWorld } from '../../test/worlds/open-world.js';
import { parseTarget } from './request/request-target.js';

jest.setTimeout(60_000);

const CHAT = '/v1/chat/completions';
const BODY = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Hi' }] });

let world: GatewayWorld;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** The lines of a request to the gateway's own name, up to its body. */
function head(request: string, ...lines: readonly string[]): string {
  const { host } = new URL(world.url);
  return [`${request} HTTP/1.1`, `Host: ${host}`, ...lines, '', ''].join('\r\n');
}

const post = (...lines: readonly string[]): string => head(`POST ${CHAT}`, ...lines);
const send = (bytes: string): Promise<string> => askRaw(world.url, bytes);

/** The statuses of the answers of one connection. The next answer begins right behind the body of the one before. */
const statuses = (text: string): readonly number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

/** How many requests have reached a model. */
const received = (): number =>
  world.simulator.requests.filter(({ endpoint }) => endpoint === CHAT).length;

it('a request without a host is refused in the form of OpenAI, and a model never sees it', async () => {
  const before = received();
  const text = await send(
    `POST ${CHAT} HTTP/1.1\r\nConnection: close\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  );
  expect(statuses(text)).toEqual([400]);
  expect(text).toContain('"type":"invalid_request_error"');
  expect(received()).toBe(before);
});

describe('a request whose length two servers could read differently', () => {
  const length = Buffer.byteLength(BODY);
  const chunked = `${length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`;

  it.each([
    [
      'Content-Length and Transfer-Encoding',
      () => post('Content-Length: 5', 'Transfer-Encoding: chunked') + chunked,
    ],
    ['two different lengths', () => post(`Content-Length: ${length}`, 'Content-Length: 5') + BODY],
    [
      'two equal lengths',
      () => post(`Content-Length: ${length}`, `Content-Length: ${length}`) + BODY,
    ],
    ['a list of lengths', () => post(`Content-Length: ${length}, 5`) + BODY],
    ['a length with a sign', () => post(`Content-Length: +${length}`) + BODY],
    ['a negative length', () => post('Content-Length: -1') + BODY],
    ['a hexadecimal length', () => post('Content-Length: 0x10') + BODY],
    ['an encoding after chunked', () => post('Transfer-Encoding: chunked, identity') + chunked],
    ['a misspelt chunked', () => post('Transfer-Encoding: xchunked') + chunked],
    ['a vertical tab before chunked', () => post('Transfer-Encoding: \u000bchunked') + chunked],
    ['a space before the colon', () => post('Transfer-Encoding : chunked') + chunked],
    ['an encoding on a folded line', () => post('X-A: b', ' Transfer-Encoding: chunked') + chunked],
    ['a folded encoding', () => post('Transfer-Encoding:', ' chunked') + chunked],
    [
      'lines that end in a bare line feed',
      () => post('Content-Length: 5').replaceAll('\r\n', '\n') + BODY,
    ],
    [
      'a bare line feed in a value',
      () => post(`Content-Length: ${length}`, 'X-A: b\nTransfer-Encoding: chunked') + chunked,
    ],
    [
      'a bare carriage return in a value',
      () => post(`Content-Length: ${length}`, 'X-A: b\rTransfer-Encoding: chunked') + BODY,
    ],
    ['a null byte in a value', () => post(`Content-Length: ${length}`, 'X-A: b\0c') + BODY],
    ['a chunk size with a sign', () => `${post('Transfer-Encoding: chunked')}+5\r\nhello\r\n`],
    ['a chunk size in 0x', () => `${post('Transfer-Encoding: chunked')}0x0\r\n\r\n`],
    [
      'a chunk that is longer than its size',
      () => `${post('Transfer-Encoding: chunked')}2\r\n${BODY}\r\n0\r\n\r\n`,
    ],
  ])('(%s) gets 400, and neither it nor a hidden one is served', async (_what, start) => {
    const before = received();
    const text = await send(start() + head('GET /v1/models', 'X-Hidden: 1'));
    expect(statuses(text)).toEqual([400]);
    expect(text.toLowerCase()).toContain('connection: close');
    expect(received()).toBe(before);
  });
});

describe('the target of a request', () => {
  it.each([
    '/v1/../api/mai/status',
    '/v1/%2e%2e/api/mai/status',
    '/v1/models/../../api/mai/status',
    '//api/mai/status',
    '/api//mai/status',
    '/api/mai/../mai/status',
    '/%61pi/mai/status',
    '/api%2fmai%2fstatus',
    '/API/MAI/status',
    '/api/mai/status/',
    '/api/mai/status%00',
    '/api/mai/status;a=b',
    '/v1/%6dodels',
    '/v1/models;a=b',
    '/%2e%2e/%2e%2e/etc/passwd',
  ])('%s names no endpoint', async (path) => {
    const text = await send(head(`GET ${path}`, 'Connection: close'));
    expect(statuses(text)).toEqual([404]);
    expect(text).not.toContain('"runtime"');
    expect(text).not.toContain('"object":"list"');
    expect(text).not.toContain('root:');
  });

  it.each(['http://evil.example/v1/models', '*', '\\api\\mai\\status'])(
    '%s is refused, because it is not a path',
    async (target) => {
      const text = await send(head(`GET ${target}`, 'Connection: close'));
      expect(statuses(text)).toEqual([400]);
      expect(text).not.toContain('"object":"list"');
    },
  );

  it.each([
    'http://evil.example/v1/models',
    '//evil.example/v1/models',
    '*',
    '/..\\..\\etc\\passwd',
    '/v1/\u0000models',
    '/v1/models\r\nX-Injected: 1',
    '/v1/mo dels',
    '/v1/models\u007f',
    '',
  ])('%j is not a plain path', (url) => {
    expect(parseTarget(url)).toBeNull();
  });
});

describe('headers', () => {
  it.each([
    ['of more than 32 KiB', `X-Long: ${'a'.repeat(40_000)}`],
    [
      'of more than 32 KiB together',
      Array(40)
        .fill(`X-Long: ${'a'.repeat(1000)}`)
        .join('\r\n'),
    ],
  ])('%s are refused with 431', async (_what, line) => {
    expect(statuses(await send(head('GET /v1/models', line)))).toEqual([431]);
  });

  it.each([
    ['the name of a model', CHAT, { model: 'none\r\nX-Evil: 1' }, 404],
    ['the name of a tier', CHAT, { model: 'auto:\nX-Evil: 1' }, 404],
    ['a query', `${CHAT}?a=%0d%0aX-Evil:%201`, { model: 'auto' }, 200],
    ['the path of a model', '/v1/models/%0d%0aX-Evil:%201', { model: 'auto' }, 405],
  ])('of an answer contain no line from %s', async (_what, path, fields, status) => {
    const body = JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }], ...fields });
    const lines = ['Connection: close', `Content-Length: ${body.length}`];
    const text = await send(head(`POST ${path}`, ...lines) + body);
    expect(statuses(text)).toEqual([status]);
    expect(text.split('\r\n\r\n')[0]).not.toMatch(/^x-evil:/im);
  });

  it('of an answer contain no line from an origin', async () => {
    const { host } = new URL(world.url);
    const origin = `Origin: http://${host}%0d%0aX-Evil: 1`;
    const text = await send(head('GET /v1/models', 'Connection: close', origin));
    expect(statuses(text)).toEqual([403]);
    expect(text.split('\r\n\r\n')[0]).not.toMatch(/^x-evil:/im);
  });
});

describe('a client that sends its request byte by byte', () => {
  /** Sends a byte every 20 ms until the gateway closes the connection. */
  function drip(start: string, url: string): Promise<string> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve) => {
      const socket = connect(Number(port), hostname);
      let text = '';
      socket.setEncoding('latin1');
      socket.write(start, 'latin1');
      const timer = setInterval(() => socket.write('x'), 20);
      socket.on('data', (chunk: string) => (text += chunk));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        clearInterval(timer);
        resolve(text);
      });
    });
  }

  it.each([
    ['its headers', () => `${post().trimEnd()}\r\nX-Slow: `],
    ['its body', () => post('Content-Length: 100000')],
    ['the chunks of its body', () => `${post('Transfer-Encoding: chunked')}ffff\r\n`],
  ])('(%s) is told 408 after the limit and loses its connection', async (_what, start) => {
    const limits = { headersTimeoutMs: 300, requestTimeoutMs: 600 };
    const listening = await world.gateway.listen({ port: 0, ...limits });
    const before = received();
    const { host } = new URL(world.url);
    const text = await drip(start().replace(host, new URL(listening.url).host), listening.url);
    expect(statuses(text)).toEqual([408]);
    expect(received()).toBe(before);
    await listening.close();
  });

  it('takes no place in the queue, and holds up no other client', async () => {
    const slow = connect(Number(new URL(world.url).port), '127.0.0.1');
    slow.on('error', () => undefined);
    await new Promise((resolve) => slow.write(`${post('Content-Length: 100000')}{`, resolve));
    const answer = await fetch(`${world.url}${CHAT}`, { method: 'POST', body: BODY });
    expect(answer.status).toBe(200);
    await answer.text();
    expect(world.gateway.state().waiting).toBe(0);
    expect(world.gateway.state().lanes.reduce((sum, { running }) => sum + running, 0)).toBe(0);
    slow.destroy();
  });
});
