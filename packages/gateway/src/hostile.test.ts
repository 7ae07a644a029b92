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
