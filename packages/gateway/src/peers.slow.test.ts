import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from 'node:tls';
import { ask } from '../test/ask.js';
import { makeAuthority, makeCertificate, type TestCertificate } from '../test/certificates.js';
import { openFront as openFrontOf, type FrontOptions } from '../test/worlds/open-front.js';
import { LARGE, openWorld, SMALL, type GatewayWorld } from '../test/worlds/open-world.js';
import { ANY_MODEL } from './ports/serving-port.js';
import { createGateway, type Gateway, type Listening } from './index.js';

jest.setTimeout(60_000);

let folder: string;
let authority: TestCertificate;
let hostA: TestCertificate;
let hostB: TestCertificate;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-peers-'));
  authority = await makeAuthority(folder, 'authority');
  hostA = await makeCertificate(folder, 'authority', 'host-a');
  hostB = await makeCertificate(folder, 'authority', 'host-b');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let world: GatewayWorld;
/** The gateway of host-b for other hosts, and where it listens. */
let peer: Gateway;
let listening: Listening;
/** Names of the admitted hosts by fingerprint, and the leases that host-b honours, with the resident of each. */
let admitted: Map<string, string>;
let honoured: Map<string, string>;
/** Instance identifier of the resident of `lease-1`. */
let leased: string;
/** Ends the leases. */
let ending: AbortController;
beforeEach(async () => {
  world = await openWorld();
  admitted = new Map([[hostA.fingerprint, 'host-a']]);
  leased = await load(world, LARGE);
  honoured = new Map([['lease-1', leased]]);
  ending = new AbortController();
  peer = await createGateway(
    { serving: world.host.serving },
    {
      host: '0.0.0.0',
      peers: {
        hostOf: (fingerprint) => admitted.get(fingerprint) ?? null,
        residentOf: (lease, host) => (host === 'host-a' ? (honoured.get(lease) ?? null) : null),
        endOf: () => ending.signal,
      },
    },
  );
  const tls = { cert: hostB.cert, key: hostB.key, clientCa: authority.cert };
  listening = await peer.listen({ port: 0, tls });
});
afterEach(async () => {
  await peer[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const CHAT = { model: LARGE, messages: [{ role: 'user', content: 'Hello' }] };

/** Loads a model as a host does before it gives a lease. Returns the instance identifier. */
async function load({ host }: GatewayWorld, modelKey: string): Promise<string> {
  const lease = await host.serving.acquire({ ...ANY_MODEL, modelKey });
  await lease.release();
  return lease.instanceIdentifier;
}

/** The requests that LM Studio has got. */
const answered = (): number =>
  world.simulator.requests.filter(({ endpoint }) => endpoint === '/v1/chat/completions').length;

interface Asked {
  /** Default: the resident of `lease-1`. Undefined: none. */
  readonly model?: string | undefined;
  readonly client?: TestCertificate | null;
  readonly lease?: string | null;
  readonly path?: string;
  readonly method?: string;
  readonly port?: number;
}

/** Status of an answer to a request that a program sends straight to host-b; an error code where there was none. */
function askPeer(asked: Asked = {}): Promise<number | string> {
  const { client = hostA, lease = 'lease-1', path: target, method = 'POST' } = asked;
  const { port = listening.port } = asked;
  const model = 'model' in asked ? asked.model : leased;
  return new Promise((resolve) => {
    const request = httpsRequest(
      {
        host: '127.0.0.1',
        port,
        method,
        path: target ?? '/v1/chat/completions',
        headers: {
          'content-type': 'application/json',
          ...(lease === null ? {} : { 'x-mai-lease': lease }),
        },
        agent: false,
        ca: authority.cert,
        servername: 'host-b',
        ...(client === null ? {} : { cert: client.cert, key: client.key }),
      },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
        response.on('error', () => resolve('cut'));
      },
    );
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    request.end(method === 'POST' ? JSON.stringify({ ...CHAT, model }) : undefined);
  });
}

const openFront = (options: Partial<FrontOptions> = {}) =>
  openFrontOf({ host: world.host, authority, client: hostA, port: listening.port, ...options });

const askFront = (url: string, body: object = CHAT, headers: Record<string, string> = {}) =>
  ask(url, {
    method: 'POST',
    path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

test('an answer comes from the gateway of another host, over TLS with certificates on both sides', async () => {
  const front = await openFront();
  const answer = await askFront(front.url);
  expect(answer.status).toBe(200);
  expect(answer.headers).toMatchObject({ 'x-mai-host': 'host-b', 'x-mai-model': LARGE });
  expect(answer.headers['x-mai-fallbacks']).toBe('0');
  expect(answer.json().choices[0].message.content).toEqual(expect.any(String));
  const streamed = await askFront(front.url, { ...CHAT, stream: true });
  expect(streamed.text.trimEnd()).toMatch(/data: \[DONE\]$/);
  await front.gateway[Symbol.asyncDispose]();
});

test('a request whose lease is not honoured goes to the next resident', async () => {
  const front = await openFront({ lease: 'lease-of-another-epoch' });
  const answer = await askFront(front.url);
  expect(answer.status).toBe(200);
  expect(answer.headers['x-mai-fallbacks']).toBe('1');
  expect(answer.headers['x-mai-host']).toBeUndefined();
  await front.gateway[Symbol.asyncDispose]();
});

test('another host that answers at the address of host-b gets no request', async () => {
  const front = await openFront({ serverName: 'host-c' });
  const answer = await askFront(front.url);
  expect(answer.headers['x-mai-fallbacks']).toBe('1');
  await front.gateway[Symbol.asyncDispose]();
});

test('an answer of a host whose lease is lost ends, instead of waiting for a connection that nobody closes', async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  if (address === null || typeof address === 'string') throw new Error('No port.');
  const { port } = address;
  const lost = new AbortController();
  const front = await openFront({
    change: (lease) => ({
      ...lease,
      baseUrl: `http://127.0.0.1:${port}`,
      lost: lost.signal,
    }),
  });
  silent.once('connection', () => lost.abort(new Error('The host is gone.')));
  const answer = await askFront(front.url);
  expect([answer.status, answer.headers['x-mai-fallbacks']]).toEqual([200, '1']);
  await front.gateway[Symbol.asyncDispose]();
  silent.close();
});

test('an answer without a stream that breaks off in the middle is got elsewhere', async () => {
  let connections = 0;
  const breaking = createServer((socket) => {
    connections += 1;
    socket.once('data', () => {
      socket.write(
        'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n',
      );
      socket.write('{"id":"chatcmpl-1","object":"chat.completion","choices":[');
      setTimeout(() => socket.destroy(), 50);
    });
  });
  await new Promise<void>((resolve) => breaking.listen(0, '127.0.0.1', resolve));
  const address = breaking.address();
  if (address === null || typeof address === 'string') throw new Error('No port.');
  const baseUrl = `http://127.0.0.1:${address.port}`;
  const front = await openFront({
    change: (lease) => ({
      ...lease,
      baseUrl,
      peer: lease.peer && { ...lease.peer, host: 'host-c' },
    }),
  });
  const answer = await askFront(front.url);
  expect([answer.status, answer.headers['x-mai-fallbacks'], connections]).toEqual([200, '1', 1]);
  expect(answer.json().choices).toHaveLength(1);
  await front.gateway[Symbol.asyncDispose]();
  breaking.close();
});

test('a running request ends with its lease, and its connection with it', async () => {
  const slow = await openWorld(
    {},
    { speed: 1, world: { machine: { promptTokensPerSecond: 0.2 } } },
  );
  const model = await load(slow, LARGE);
  const rules = { hostOf: () => 'host-a', residentOf: () => model };
  await using gateway = await createGateway(
    { serving: slow.host.serving },
    { peers: { ...rules, endOf: () => ending.signal } },
  );
  const tls = { cert: hostB.cert, key: hostB.key, clientCa: authority.cert };
  const { port } = await gateway.listen({ port: 0, tls });
  const answer = askPeer({ port, model });
  while (!slow.simulator.requests.some(({ endpoint }) => endpoint === '/v1/chat/completions'))
    await new Promise((resolve) => setTimeout(resolve, 20));
  ending.abort(new Error('The lease has ended.'));
  expect(await answer).toEqual(expect.stringMatching(/RESET|hang up/i));
  await slow[Symbol.asyncDispose]();
});

test("a client's own lease header does not reach the other host", async () => {
  const front = await openFront({ lease: 'void' });
  const answer = await askFront(front.url, CHAT, { 'x-mai-lease': 'lease-1' });
  expect(answer.headers['x-mai-fallbacks']).toBe('1');
  await front.gateway[Symbol.asyncDispose]();
});

describe('the gateway for other hosts', () => {
  test('serves a listed host with a lease', async () => {
    expect(await askPeer()).toBe(200);
  });

  test.each([
    ['another model', SMALL],
    ['the key of the leased model', LARGE],
    ['auto', 'auto'],
    ['auto with conditions', 'auto:small'],
    ['a resident with other letters', LARGE.toUpperCase()],
    ['no model', undefined],
    ['an empty name', ''],
  ])(
    'serves the resident of the lease only, and loads nothing for a request that names %s',
    async (_what, model) => {
      if (model === leased) throw new Error('The test needs another name.');
      expect(await askPeer({ model })).toBe(403);
      expect(world.residents()).toEqual([LARGE]);
      expect(answered()).toBe(0);
    },
  );

  test('loads nothing where the resident of a lease is gone', async () => {
    await world.host.unload({ target: leased });
    expect(world.residents()).toEqual([]);
    expect(await askPeer()).toBe(404);
    expect(world.residents()).toEqual([]);
  });

  test.each<[string, () => Promise<Asked>, number | RegExp]>([
    [
      'a client without a certificate',
      async () => ({ client: null }),
      /CERT|RESET|EPROTO|hang up/i,
    ],
    [
      'a certificate of the fleet that is not listed',
      async () => ({ client: await makeCertificate(folder, 'authority', 'host-x') }),
      /RESET|EPIPE|hang up/i,
    ],
    [
      'a certificate of another authority with the name of a listed host',
      async () => {
        await makeAuthority(folder, 'other');
        return { client: await makeCertificate(folder, 'other', 'host-a') };
      },
      /CERT|RESET|UNKNOWN_CA|EPROTO|hang up/i,
    ],
    ['a request without a lease', async () => ({ lease: null }), 409],
    ['a request with a lease that has ended', async () => ({ lease: 'lease-0' }), 409],
    ['the list of models', async () => ({ path: '/v1/models', method: 'GET' }), 403],
    ['the control API', async () => ({ path: '/api/mai/v1/status', method: 'GET' }), 403],
    ['the metrics', async () => ({ path: '/metrics', method: 'GET' }), 403],
    ['the page', async () => ({ path: '/', method: 'GET' }), 403],
  ])('refuses %s', async (_name, asked, expected) => {
    const outcome = await askPeer(await asked());
    if (typeof expected === 'number') expect(outcome).toBe(expected);
    else expect(outcome).toEqual(expect.stringMatching(expected));
    expect(answered()).toBe(0);
  });

  test('refuses a host from the moment of its removal, and ends its open connections', async () => {
    expect(await askPeer()).toBe(200);
    const open = connect({
      port: listening.port,
      host: '127.0.0.1',
      servername: 'host-b',
      ca: authority.cert,
      cert: hostA.cert,
      key: hostA.key,
    });
    const closed = once(open, 'close');
    open.on('error', () => undefined);
    // The answer shows that the gateway has admitted the connection.
    open.write('GET / HTTP/1.1\r\nHost: host-b\r\n\r\n');
    const [bytes] = await once(open, 'data');
    expect(String(bytes)).toMatch(/^HTTP\/1\.1 403 /);
    listening.endRefused();
    expect(open.destroyed).toBe(false);
    admitted.delete(hostA.fingerprint);
    listening.endRefused();
    await closed;
    expect(await askPeer()).toEqual(expect.stringMatching(/RESET|EPIPE|hang up/i));
  });

  test('takes connections while its last requests run, so that their hosts see that it is there, and none afterwards', async () => {
    const slow = await openWorld({}, { speed: 2, world: { answers: { textTokens: 300 } } });
    const model = await load(slow, LARGE);
    const gateway = await createGateway(
      { serving: slow.host.serving },
      { peers: { hostOf: () => 'host-a', residentOf: () => model } },
    );
    const tls = { cert: hostB.cert, key: hostB.key, clientCa: authority.cert };
    const { port } = await gateway.listen({ port: 0, tls });
    const running = askPeer({ port, model });
    while (!slow.simulator.requests.some(({ endpoint }) => endpoint === '/v1/chat/completions'))
      await new Promise((resolve) => setTimeout(resolve, 20));
    const drained = gateway.drain();
    expect(await askPeer({ port, model, path: '/healthz', method: 'GET' })).toBe(403);
    expect(await askPeer({ port, model })).toBe(503);
    expect(await running).toBe(200);
    await drained;
    expect(await askPeer({ port, model, path: '/healthz', method: 'GET' })).toBe('ECONNREFUSED');
    await slow[Symbol.asyncDispose]();
  });

  test('refuses a removed host also where it resumes an earlier TLS session', async () => {
    const options = {
      port: listening.port,
      host: '127.0.0.1',
      servername: 'host-b',
      ca: authority.cert,
      cert: hostA.cert,
      key: hostA.key,
    };
    const resume = async (session?: Buffer): Promise<[answer: string, session: Buffer | null]> => {
      const socket = connect(session === undefined ? options : { ...options, session });
      let kept: Buffer | null = null;
      let answer = '';
      socket.on('session', (given: Buffer) => (kept = given));
      socket.on('data', (bytes) => (answer += String(bytes)));
      socket.on('error', () => undefined);
      socket.write('GET / HTTP/1.1\r\nHost: host-b\r\nConnection: close\r\n\r\n');
      await new Promise((resolve) => socket.once('close', resolve));
      return [answer, kept];
    };
    const [answer, session] = await resume();
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    if (session === null) throw new Error('The server gave no session.');
    expect((await resume(session))[0]).toMatch(/^HTTP\/1\.1 403 /);
    admitted.delete(hostA.fingerprint);
    expect((await resume(session))[0]).toBe('');
  });

  test('needs certificates of clients where it listens', async () => {
    const { cert, key } = hostB;
    await expect(peer.listen({ port: 0 })).rejects.toMatchObject({ code: 'FILE_UNUSABLE' });
    await expect(peer.listen({ port: 0, tls: { cert, key } })).rejects.toMatchObject({
      code: 'FILE_UNUSABLE',
    });
  });
});
