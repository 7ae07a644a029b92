import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { startSimulator } from '@mai/lmstudio-simulator';

import { answering, freePort, listen } from '../../test/faulty-servers.js';
import { handlesBackTo, openHandles } from '../../test/open-handles.js';
import { connect, type ConnectOptions } from '../index.js';

let userHome: string;
const before: Readonly<Record<string, number>> = openHandles();
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
const printed: string[] = [];

beforeAll(async () => {
  userHome = await mkdtemp(path.join(tmpdir(), 'mai adapter '));
  process.on('unhandledRejection', onUnhandled);
  for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    jest.spyOn(console, name).mockImplementation((...parts: unknown[]) => {
      printed.push(parts.map(String).join(' '));
    });
  }
});

afterEach(async () => {
  expect(await handlesBackTo(before)).toEqual({});
  expect(unhandled).toEqual([]);
  expect(printed).toEqual([]);
});

afterAll(async () => {
  jest.restoreAllMocks();
  process.off('unhandledRejection', onUnhandled);
  await rm(userHome, { recursive: true });
});

const failure = (options: ConnectOptions) =>
  connect({ userHome, env: {}, timeoutMs: 400, ...options }).then(
    async (client) => {
      await client.close();
      throw new Error('connected');
    },
    (error: unknown) => error,
  );

test('nothing listens on the given port', async () => {
  const port = await freePort();
  expect(await failure({ baseUrl: `127.0.0.1:${port}` })).toMatchObject({
    code: 'UNREACHABLE',
    state: 'not-installed',
    baseUrl: `ws://127.0.0.1:${port}`,
  });
});

test('nothing listens on any port of discovery (the SDK would end the process)', async () => {
  const ports = [await freePort(), await freePort()];
  expect(await failure({ ports })).toMatchObject({ code: 'UNREACHABLE', baseUrl: null });
});

test('a host that does not exist', async () => {
  expect(await failure({ baseUrl: 'http://does-not-exist.invalid:1234' })).toMatchObject({
    code: 'UNREACHABLE',
    state: 'wrong-host',
  });
});

test('a port that accepts and stays silent (the SDK would wait for ever)', async () => {
  await using server = await listen(() => undefined);
  expect(await failure({ baseUrl: `127.0.0.1:${server.port}` })).toMatchObject({
    code: 'UNREACHABLE',
  });
});

test('a port that accepts and closes the connection', async () => {
  await using server = await listen((socket) => socket.destroy());
  expect(await failure({ baseUrl: `127.0.0.1:${server.port}` })).toMatchObject({
    code: 'INCOMPATIBLE',
  });
});

test.each([
  ['a web page', '200 OK', '<html></html>'],
  ['JSON of something else', '200 OK', '{"status":"ok"}'],
  ['not found', '404 Not Found', '{}'],
  ['a server error', '500 Internal Server Error', ''],
])('a port that answers with %s', async (_, status, body) => {
  await using server = await listen(answering(status, body));
  const error = await failure({ baseUrl: `127.0.0.1:${server.port}` });
  expect(error).toMatchObject({ code: 'INCOMPATIBLE', state: 'something-else' });
  expect(String(error)).toContain(`http://127.0.0.1:${server.port} answers, but not as LM Studio`);
});

test('a port that answers with something that is not HTTP', async () => {
  await using server = await listen((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
  expect(await failure({ baseUrl: `127.0.0.1:${server.port}` })).toMatchObject({
    code: 'INCOMPATIBLE',
  });
});

test('a proxy that asks for credentials', async () => {
  await using server = await listen(answering('401 Unauthorized', '{}'));
  expect(await failure({ baseUrl: `127.0.0.1:${server.port}` })).toMatchObject({
    code: 'UNAUTHORIZED',
  });
});

test('a server that sends the greeting but has no WebSocket', async () => {
  await using server = await listen(answering('200 OK', '{"lmstudio":true}'));
  expect(await failure({ baseUrl: `127.0.0.1:${server.port}` })).toMatchObject({
    code: 'UNREACHABLE',
  });
});

test('a token that is refused', async () => {
  await using simulator = await startSimulator();
  simulator.fault.rejectAuthentication({ text: 'Unknown token' });
  const error = await failure({ baseUrl: simulator.baseUrl, timeoutMs: 3000 });
  expect(error).toMatchObject({ code: 'UNAUTHORIZED', serverMessage: 'Unknown token' });
});

test('a token that is required and missing', async () => {
  const token = 'sk-lm-abcd1234:abcdefghij0123456789';
  await using simulator = await startSimulator({ world: { tokens: [token], requireToken: true } });
  expect(await failure({ baseUrl: simulator.baseUrl, timeoutMs: 3000 })).toMatchObject({
    code: 'UNAUTHORIZED',
  });
  for (const options of [{ apiToken: token }, { env: { LM_API_TOKEN: token } }]) {
    await using client = await connect({ baseUrl: simulator.baseUrl, userHome, ...options });
    expect((await client.listDownloaded()).models).not.toEqual([]);
  }
});

test('refuses a malformed token without repeating it', async () => {
  const error = await failure({ apiToken: 'sk-lm-secret' });
  expect(error).toMatchObject({ code: 'UNAUTHORIZED' });
  expect(String(error)).not.toContain('secret');
});

test('an authentication that is never answered', async () => {
  await using simulator = await startSimulator();
  simulator.fault.muteAuthentication();
  expect(await failure({ baseUrl: simulator.baseUrl })).toMatchObject({ code: 'TIMED_OUT' });
});

test('a WebSocket upgrade that is ignored or refused', async () => {
  await using simulator = await startSimulator();
  const ignored = simulator.fault.ignoreUpgrade();
  expect(await failure({ baseUrl: simulator.baseUrl })).toMatchObject({ code: 'TIMED_OUT' });
  ignored.clear();
  simulator.fault.refuseUpgrade();
  const refused = await failure({ baseUrl: simulator.baseUrl });
  expect(refused).toMatchObject({ code: 'INCOMPATIBLE' });
  expect(String(refused)).toContain('refuses WebSocket connections (HTTP 404)');
});

test('a request for the version that is not answered, and a malformed version', async () => {
  await using simulator = await startSimulator();
  const hanging = simulator.fault.hang({ endpoint: 'version' });
  expect(await failure({ baseUrl: simulator.baseUrl })).toMatchObject({ code: 'TIMED_OUT' });
  hanging.clear();
  simulator.fault.invalidResult({ endpoint: 'version' });
  expect(await failure({ baseUrl: simulator.baseUrl, timeoutMs: 60_000 })).toMatchObject({
    code: 'INCOMPATIBLE',
  });
});

test('connects where a protocol warning precedes the answer', async () => {
  await using simulator = await startSimulator();
  simulator.fault.protocolWarning();
  await using client = await connect({ baseUrl: simulator.baseUrl, userHome });
  expect((await client.listDownloaded()).models).not.toEqual([]);
});

test('a cancellation before or while connecting', async () => {
  const reason = new Error('no longer');
  expect(await failure({ signal: AbortSignal.abort(reason) })).toBe(reason);
  await using server = await listen(() => undefined);
  const cancel = new AbortController();
  const connecting = failure({
    baseUrl: `127.0.0.1:${server.port}`,
    signal: cancel.signal,
    timeoutMs: 60_000,
  });
  setTimeout(() => cancel.abort(reason), 30);
  expect(await connecting).toBe(reason);
});

test('throws a TypeError for a malformed address', async () => {
  expect(await failure({ baseUrl: 'ftp://x' })).toBeInstanceOf(TypeError);
});

test('a hundred connections, failed and successful, leave no open handle', async () => {
  await using simulator = await startSimulator();
  const port = await freePort();
  for (let cycle = 0; cycle < 25; cycle++) {
    const client = await connect({ baseUrl: simulator.baseUrl, userHome });
    await client.listResidents();
    await client.close();
    await failure({ baseUrl: `127.0.0.1:${port}` });
    const rejecting = simulator.fault.rejectAuthentication();
    await failure({ baseUrl: simulator.baseUrl, timeoutMs: 3000 });
    rejecting.clear();
    const mute = simulator.fault.hang({ endpoint: 'version' });
    await failure({ baseUrl: simulator.baseUrl, timeoutMs: 5 });
    mute.clear();
  }
  for (let turn = 0; turn < 50 && simulator.connections() > 0; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(simulator.connections()).toBe(0);
});
