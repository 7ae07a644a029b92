import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { askRaw } from '../../test/ask.js';
import { openWorld, type GatewayWorld } from '../../test/open-world.js';
import { parseTarget } from './request-target.js';

jest.setTimeout(60_000);

let world: GatewayWorld;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const HOST = 'Host: localhost:PORT';
const POST = `POST /v1/chat/completions HTTP/1.1\r\n${HOST}\r\n`;
/** A request that an attacker hides in the body of the first one. */
const HIDDEN = `GET /v1/models HTTP/1.1\r\n${HOST}\r\nX-Hidden: 1\r\n\r\n`;

/** Sends bytes with the gateway's own port in place of PORT. */
function send(bytes: string): Promise<string> {
  return askRaw(world.url, bytes.replaceAll('PORT', new URL(world.url).port));
}

function answers(text: string): readonly string[] {
  return text.match(/^HTTP\/1\.1 \d{3}/gm) ?? [];
}

describe('a request whose length two servers can read differently', () => {
  it.each([
    [
      'Content-Length and Transfer-Encoding',
      `${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['two lengths', `${POST}Content-Length: 0\r\nContent-Length: 60\r\n\r\n`],
    ['a length with a sign', `${POST}Content-Length: +0\r\n\r\n`],
    ['a list of lengths', `${POST}Content-Length: 0, 60\r\n\r\n`],
    [
      'an encoding that is not the last',
      `${POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    ],
    ['an encoding with a vertical tab', `${POST}Transfer-Encoding: \u000bchunked\r\n\r\n0\r\n\r\n`],
    ['a space before the colon', `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
    ['an unknown encoding', `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['a folded line', `${POST}X-Folded: one\r\n two\r\nContent-Length: 0\r\n\r\n`],
    ['a line that ends in a bare LF', `${POST}X-Bare: one\nContent-Length: 0\r\n\r\n`],
    ['a bare CR in a value', `${POST}X-Bare: one\rContent-Length: 0\r\n\r\n`],
    [
      'a chunk size that is not hexadecimal',
      `${POST}Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n`,
    ],
    ['a NUL in a value', `${POST}X-Nul: a\u0000b\r\nContent-Length: 0\r\n\r\n`],
  ])('(%s) is refused, and nothing after it is answered', async (_name, start) => {
    const served = world.simulator.requests.length;
    const text = await send(start + HIDDEN);
    expect(answers(text)).toEqual(['HTTP/1.1 400']);
    expect(text.toLowerCase()).toContain('connection: close');
    expect(text).not.toContain('"object":"list"');
    expect(world.simulator.requests.slice(served).map(({ endpoint }) => endpoint)).not.toContain(
      '/v1/chat/completions',
    );
  });
});

describe('headers', () => {
  it('of more than 32 KiB are refused with 431', async () => {
    const text = await send(
      `GET /v1/models HTTP/1.1\r\n${HOST}\r\nX-Long: ${'a'.repeat(40_000)}\r\n\r\n`,
    );
    expect(answers(text)).toEqual(['HTTP/1.1 431']);
  });

  it('of an answer contain no line that a request has put there', async () => {
    const model = 'none\\r\\nX-Injected: 1';
    const body = `{"model":"${model}","messages":[{"role":"user","content":"Hi"}]}`;
    const text = await send(
      `${POST}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(answers(text)).toEqual(['HTTP/1.1 404']);
    expect(text).not.toMatch(/^x-injected/im);
  });
});

describe('the target of a request', () => {
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

  it.each([
    '/v1/chat/../models',
    '/v1//models',
    '/v1/%6dodels',
    '/V1/models',
    '/v1/models/../../api/mai/status',
    '/v1/models;a=b',
    '/%2e%2e/%2e%2e/etc/passwd',
  ])('%s names no endpoint', async (path) => {
    const text = await send(`GET ${path} HTTP/1.1\r\n${HOST}\r\nConnection: close\r\n\r\n`);
    expect(answers(text)).toHaveLength(1);
    expect(answers(text)[0]).toMatch(/ (404|405)$/);
    expect(text).not.toContain('root:');
  });
});

describe('a slow client', () => {
  it.each([
    ['headers', `GET /healthz HTTP/1.1\r\n${HOST}\r\nX-Slow: `],
    ['its body', `${POST}Content-Length: 1000\r\n\r\n{`],
  ])('that drips %s holds no place, and others are served', async (_what, start) => {
    const { hostname, port } = new URL(world.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(start.replaceAll('PORT', port));
    for (let sent = 0; sent < 5; sent += 1) {
      await sleep(20);
      socket.write('a');
    }
    expect(world.gateway.state().waiting).toBe(0);
    expect((await fetch(`${world.url}/healthz`)).status).toBe(200);
    socket.destroy();
  });
});
