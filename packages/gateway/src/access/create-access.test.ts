import { createServer } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ask, askRaw, type Answer } from '../../test/ask.js';
import { createFakeClock } from '../../test/fakes/fake-clock.js';
import { listenOn } from '../../test/worlds/serve-through.js';
import { createAccess, type Access } from './create-access.js';
import { addKey, removeKey } from './keys/key-file.js';
import { NO_KEYS, openKeyStore, type KeyStore } from './keys/key-store.js';
import type { Scope } from './keys/scope.js';

let folder: string;
let closers: (() => Promise<void>)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-access-'));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(async () => {
  for (const close of closers) await close();
  closers = [];
});

interface Guarded {
  readonly url: string;
  readonly port: string;
  readonly access: Access;
}

/** A server that answers 200 where access admits a request, and else with the failure. */
async function guard(
  options: {
    readonly keys?: KeyStore;
    readonly allowHosts?: readonly string[];
    readonly allowOrigins?: readonly string[];
    readonly scope?: Scope | null;
    readonly clock?: ReturnType<typeof createFakeClock>;
  } = {},
): Promise<Guarded> {
  const access = createAccess({
    keys: options.keys ?? NO_KEYS,
    listenHost: '127.0.0.1',
    allowHosts: options.allowHosts ?? [],
    allowOrigins: options.allowOrigins ?? [],
    clock: options.clock ?? createFakeClock(),
  });
  const server = createServer((request, response) => {
    const preflight = access.preflight(request);
    if (preflight !== null) {
      response.writeHead(preflight.status, preflight.headers).end();
      return;
    }
    const scope = options.scope === undefined ? 'inference' : options.scope;
    void Promise.resolve(access.check(request, scope)).then((admission) => {
      const { headers } = admission;
      if (admission.kind === 'admitted') response.writeHead(200, headers);
      else response.writeHead(admission.failure.status, headers);
      response.end(JSON.stringify(admission));
    });
  });
  const url = await listenOn(server);
  closers.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  return { url, port: new URL(url).port, access };
}

const messageOf = (answer: Answer): string => answer.json().failure.message;

describe('host names', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['127.0.0.1:PORT', 200],
    ['127.9.9.9:PORT', 200],
    ['localhost:PORT', 200],
    ['LOCALHOST:PORT', 200],
    ['localhost.:PORT', 200],
    ['[::1]:PORT', 200],
    // A forwarded port.
    ['localhost', 200],
    ['localhost:1', 200],
    ['evil.example:PORT', 403],
    ['localhost.evil.example:PORT', 403],
    ['evil.example', 403],
    ['127.0.0.1.evil.example:PORT', 403],
    ['10.0.0.7:PORT', 403],
    ['2130706433:PORT', 403],
    ['0x7f.1:PORT', 403],
    ['localhost:PORT:PORT', 403],
    ['user@localhost:PORT', 403],
    ['localhost:PORT/', 403],
    ['localhost:PORT#x', 403],
  ];
  test.each(cases)('a request for the host %j is answered with %i', async (host, status) => {
    const { url, port } = await guard();
    const answer = await ask(url, { headers: { host: host.replaceAll('PORT', port) } });
    expect(answer.status).toBe(status);
  });

  test('the refusal names the option that allows the host', async () => {
    const { url } = await guard();
    const answer = await ask(url, { headers: { host: 'mai.lan:8080' } });
    expect(messageOf(answer)).toContain('--allow-host mai.lan:8080');
  });

  test('the refusal repeats nothing that a shell would run', async () => {
    const { url } = await guard();
    const answer = await ask(url, { headers: { host: '$(reboot);`x`' } });
    expect(messageOf(answer)).toContain("--allow-host '??reboot???x?'");
  });

  test('an allowed name holds for any port, and an allowed name with a port only for that port', async () => {
    const { url } = await guard({ allowHosts: ['mai.lan', 'box:8080'] });
    const statusFor = async (host: string) => (await ask(url, { headers: { host } })).status;
    expect(await statusFor('mai.lan')).toBe(200);
    expect(await statusFor('MAI.lan:99')).toBe(200);
    expect(await statusFor('box:8080')).toBe(200);
    expect(await statusFor('box:8081')).toBe(403);
    expect(await statusFor('not-mai.lan')).toBe(403);
  });

  test.each([
    'Host: localhost:PORT\r\nHost: evil.example',
    'Host: evil.example\r\nhost: localhost:PORT',
    'Host:',
  ])('a request with the lines %j is refused', async (lines) => {
    const { url, port } = await guard();
    const text = await askRaw(
      url,
      `GET / HTTP/1.1\r\n${lines.replaceAll('PORT', port)}\r\nConnection: close\r\n\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1.1 40[03] /);
  });

  test('a request for a full address, as a proxy gets it, is refused', async () => {
    const { url, port } = await guard();
    const answer = await ask(url, {
      path: 'http://evil.example/v1/models',
      headers: { host: `localhost:${port}` },
    });
    expect(answer.status).toBe(400);
  });
});

describe('origins', () => {
  test('the gateway’s own page is admitted, without CORS headers', async () => {
    const { url } = await guard();
    const answer = await ask(url, { headers: { origin: url } });
    expect(answer.status).toBe(200);
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });

  test.each(['http://evil.example', 'http://localhost:3000', 'null', 'file://', ''])(
    'a page of the origin %j is refused, and the refusal names the option',
    async (origin) => {
      const { url } = await guard();
      const answer = await ask(url, { headers: { origin } });
      expect(answer.status).toBe(403);
      expect(messageOf(answer)).toContain('--allow-origin');
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    },
  );

  test('a page over TLS is not the own page of a gateway without TLS', async () => {
    const { url } = await guard();
    const answer = await ask(url, { headers: { origin: url.replace('http:', 'https:') } });
    expect(answer.status).toBe(403);
  });

  test('an allowed origin may read the answer', async () => {
    const { url } = await guard({ allowOrigins: ['app://obsidian.md'] });
    const answer = await ask(url, { headers: { origin: 'app://obsidian.md' } });
    expect(answer.status).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBe('app://obsidian.md');
    expect(answer.headers.vary).toBe('origin');
    expect(answer.headers).not.toHaveProperty('access-control-allow-credentials');
  });

  test('a preflight of an allowed origin is answered, and that of another is refused', async () => {
    const { url } = await guard({ allowOrigins: ['http://localhost:3000'] });
    const preflight = (origin: string, asked = 'authorization, content-type') =>
      ask(url, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': asked,
        },
      });
    const allowed = await preflight('http://localhost:3000');
    expect(allowed.status).toBe(204);
    expect(allowed.headers['access-control-allow-headers']).toBe('authorization, content-type');
    expect(allowed.headers['access-control-allow-methods']).toContain('POST');
    expect((await preflight('http://evil.example')).status).toBe(403);
    const odd = await preflight('http://localhost:3000', 'x, y"; z');
    expect(odd.headers).not.toHaveProperty('access-control-allow-headers');
  });

  test('a request that a page of another site sends without an origin is refused', async () => {
    const { url } = await guard();
    const from = (site: string) => ask(url, { headers: { 'sec-fetch-site': site } });
    expect((await from('cross-site')).status).toBe(403);
    expect((await from('same-site')).status).toBe(403);
    expect((await from('same-origin')).status).toBe(200);
    expect((await from('none')).status).toBe(200);
  });

  test('a link of another site may open the page', async () => {
    const { url } = await guard({ scope: null });
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect((await ask(url, { headers })).status).toBe(200);
    expect((await ask(url, { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403);
  });
});

describe('keys', () => {
  async function withKeys(clock = createFakeClock()) {
    const file = path.join(await mkdtemp(path.join(folder, 'keys-')), 'keys.json');
    const inference = await addKey(file, { name: 'laptop', scopes: ['inference'], priority: 5 }, 1);
    const control = await addKey(file, { name: 'admin', scopes: ['control'] }, 2);
    return { file, clock, inference, control, keys: await openKeyStore(file, clock) };
  }

  test('each of the usual headers carries a key, and the key gives the client its priority', async () => {
    const { keys, inference } = await withKeys();
    const { url } = await guard({ keys });
    for (const headers of [
      { authorization: `Bearer ${inference}` },
      { authorization: `bearer   ${inference}` },
      { 'x-api-key': inference },
      { 'api-key': inference },
      { authorization: 'Bearer placeholder', 'x-api-key': inference },
    ]) {
      const answer = await ask(url, { headers });
      expect(answer.status).toBe(200);
      expect(answer.json().client).toEqual({ name: 'key laptop', priority: 5 });
    }
  });

  test.each([
    {},
    { authorization: 'Bearer' },
    { authorization: 'Basic bWFpOm1haQ==' },
    { authorization: 'Bearer mai-wrong' },
    { 'x-api-key': 'x'.repeat(10_000) },
    { 'x-api-key': '' },
    { cookie: 'mai-session=guess' },
    { cookie: 'mai-session=__proto__; mai-session' },
  ])('a request with %j is refused', async (headers: Record<string, string>) => {
    const { keys } = await withKeys();
    const { url } = await guard({ keys });
    expect((await ask(url, { headers })).status).toBe(401);
  });

  test('a key allows its scopes alone, and control includes reading', async () => {
    const { keys, inference, control } = await withKeys();
    const statusFor = async (key: string, scope: Scope) => {
      const { url } = await guard({ keys, scope });
      return (await ask(url, { headers: { 'x-api-key': key } })).status;
    };
    expect(await statusFor(inference, 'inference')).toBe(200);
    expect(await statusFor(inference, 'read')).toBe(403);
    expect(await statusFor(inference, 'control')).toBe(403);
    expect(await statusFor(control, 'control')).toBe(200);
    expect(await statusFor(control, 'read')).toBe(200);
    expect(await statusFor(control, 'inference')).toBe(403);
  });

  test('a removed key is refused, and without any key left the gateway stays closed', async () => {
    const { file, keys, clock, inference, control } = await withKeys();
    const { url } = await guard({ keys, clock });
    const status = async (key: string) =>
      (await ask(url, { headers: { 'x-api-key': key } })).status;
    expect(await status(inference)).toBe(200);
    await removeKey(file, 'laptop');
    await removeKey(file, 'admin');
    await clock.advance(1001);
    expect(await status(inference)).toBe(401);
    expect(await status(control)).toBe(401);
    expect((await ask(url)).status).toBe(401);
  });

  test('a new key is accepted while the gateway runs', async () => {
    const { file, keys, clock } = await withKeys();
    const { url } = await guard({ keys, clock });
    const added = await addKey(file, { name: 'phone', scopes: ['inference'] }, 3);
    await clock.advance(1001);
    expect((await ask(url, { headers: { 'x-api-key': added } })).status).toBe(200);
  });

  test('the first key of a gateway without keys is needed from then on', async () => {
    const clock = createFakeClock();
    const file = path.join(await mkdtemp(path.join(folder, 'keys-')), 'keys.json');
    const { url } = await guard({ keys: await openKeyStore(file, clock), clock });
    expect((await ask(url)).status).toBe(200);
    const added = await addKey(file, { name: 'laptop', scopes: ['inference'] }, 1);
    await clock.advance(1001);
    expect((await ask(url)).status).toBe(401);
    expect((await ask(url, { headers: { 'x-api-key': added } })).status).toBe(200);
  });

  test('many wrong keys make an address wait, and its right key is still found on loopback', async () => {
    const { keys, clock, inference } = await withKeys();
    const { url } = await guard({ keys, clock });
    const status = async (key: string) => {
      const answer = await ask(url, { headers: { 'x-api-key': key } });
      return { status: answer.status, waits: answer.json().failure?.retryAfterSeconds ?? null };
    };
    for (let guess = 0; guess < 10; guess += 1) {
      expect(await status(`mai-guess-${guess}`)).toEqual({ status: 401, waits: null });
    }
    await status('mai-guess-11');
    expect(await status('mai-guess-12')).toEqual({ status: 429, waits: 1 });
    await clock.advance(1000);
    expect(await status('mai-guess-13')).toEqual({ status: 401, waits: null });
    expect(await status('mai-guess-14')).toEqual({ status: 429, waits: 2 });
    expect((await status(inference)).status).toBe(200);
  });

  test('another address than loopback needs a key', async () => {
    const listen = (listenHost: string, keys: KeyStore, allowOrigins: readonly string[] = []) =>
      createAccess({ keys, listenHost, allowHosts: [], allowOrigins, clock: createFakeClock() });
    const { keys } = await withKeys();
    for (const host of ['0.0.0.0', '::', '192.168.1.4', 'mai.lan', '']) {
      expect(() => listen(host, NO_KEYS)).toThrow(
        expect.objectContaining({ code: 'KEY_REQUIRED' }),
      );
      expect(() => listen(host, keys)).not.toThrow();
    }
    for (const host of ['127.0.0.1', 'localhost', '::1', '[::1]', '127.0.0.2']) {
      expect(() => listen(host, NO_KEYS)).not.toThrow();
    }
    expect(() => listen('127.0.0.1', NO_KEYS, ['*'])).toThrow(
      expect.objectContaining({ code: 'KEY_REQUIRED' }),
    );
  });
});
