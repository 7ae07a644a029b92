import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { FakeService } from '../../../test/fake-service.js';
import { HELLO, openRawClient } from '../../../test/raw-client.js';
import { connectControl } from '../client/connect-control.js';
import type { ControlClient } from '../client/control-client.js';
import { publishNote, readNote } from '../wire/endpoint.js';
import { PROTOCOL_VERSION } from '../wire/messages.js';
import { serveControl, type ControlServer, type ServeControlOptions } from './serve-control.js';

const ANY = { capabilities: [], minContextLengthTokens: null, tiers: null };
const posix = process.platform === 'win32' ? test.skip : test;

let folder: string;
let file: string;
let service: FakeService;
let server: ControlServer;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'mai-'));
  file = path.join(folder, 'control.json');
  service = new FakeService();
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const serve = async (options: Partial<ServeControlOptions> = {}) => {
  server = await serveControl(service, { path: file, ...options });
};
const connect = async (): Promise<ControlClient> => {
  const client = await connectControl({ path: file });
  if (client === null) throw new Error('Nobody listens.');
  return client;
};
const until = async (isSo: () => boolean) => {
  while (!isSo()) await sleep(5);
};
const isOf = (id: number) => (line: Readonly<Record<string, unknown>>) => line['id'] === id;

describe('the endpoint of a server', () => {
  posix('is a socket in the folder of the note, and both have mode 0600', async () => {
    await serve();
    expect(path.dirname(server.endpoint)).toBe(folder);
    expect((await stat(server.endpoint)).mode & 0o777).toBe(0o600);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const { endpoint } = server;
    expect(await readNote(file)).toEqual({ endpoint, processId: process.pid, modelFolders: [] });
  });

  posix('is in a private temporary folder where the path would be too long', async () => {
    file = path.join(folder, 'x'.repeat(120), 'control.json');
    await serve();
    expect(Buffer.byteLength(server.endpoint)).toBeLessThanOrEqual(100);
    const parent = await stat(path.dirname(server.endpoint));
    expect(parent.mode & 0o777).toBe(0o700);
    expect((await stat(server.endpoint)).mode & 0o777).toBe(0o600);
    const client = await connect();
    await (await client.acquire(ANY)).release();
    await client.close();
  });

  test('is removed with its note when the server closes', async () => {
    await serve();
    await server.close();
    await server.close();
    expect(await readdir(folder)).toEqual([]);
    expect(await connectControl({ path: file })).toBeNull();
  });

  test('stops listening when the server closes, also where the note cannot be read', async () => {
    await serve();
    const note = await readNote(file);
    await rm(file);
    await mkdir(file);
    await expect(server.close()).rejects.toMatchObject({ code: 'EISDIR' });
    server = { ...server, close: () => Promise.resolve() };
    await rm(file, { recursive: true });
    if (note !== null) await publishNote(file, note);
    expect(await connectControl({ path: file })).toBeNull();
  });

  test('a second server replaces the first: clients find the second, also after the first has closed', async () => {
    await serve();
    const first = server;
    const client = await connect();
    const other = new FakeService();
    server = await serveControl(other, { path: file });
    await first.close();
    await until(() => client.lost.aborted);
    const next = await connect();
    const lease = await next.acquire(ANY);
    expect([service.held, other.held]).toEqual([0, 1]);
    await lease.release();
    await next.close();
  });

  test('clients find exactly one of two servers that start at the same time', async () => {
    const services = [new FakeService(), new FakeService()];
    const servers = await Promise.all(services.map((one) => serveControl(one, { path: file })));
    const note = await readNote(file);
    const index = servers.findIndex(({ endpoint }) => endpoint === note?.endpoint);
    const client = await connect();
    await client.acquire(ANY);
    expect(services.map(({ held }) => held)).toEqual([0, 1].map((one) => Number(one === index)));
    await client.close();
    // Closing the other server must not remove the socket and the note of this server.
    server = servers[index] ?? server;
    await servers[1 - index]?.close();
    await (await connect()).close();
  });

  posix('replaces the socket of a killed process', async () => {
    const program = `
      const net = require('node:net'), fs = require('node:fs');
      const endpoint = process.argv[1] + '/mai-0123456789ab.sock';
      net.createServer((socket) => {
        socket.write(JSON.stringify({ type: 'welcome', protocol: ${PROTOCOL_VERSION}, processId: process.pid }) + '\\n');
        socket.on('data', () => undefined);
      }).listen(endpoint, () => {
        fs.writeFileSync(process.argv[1] + '/control.json', JSON.stringify({ endpoint, processId: process.pid }));
        console.log('up');
      });`;
    const child = spawn(process.execPath, ['-e', program, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const client = await connect();
    const call = client.state().catch((error: unknown) => error);
    child.kill('SIGKILL');
    expect(await call).toMatchObject({
      name: 'HostError',
      code: 'AUTOPILOT_LOST',
      processId: child.pid,
      message: expect.stringContaining(String(child.pid)),
    });
    await expect(client.state()).rejects.toMatchObject({ code: 'AUTOPILOT_LOST' });
    expect(client.lost.aborted).toBe(true);
    expect(await connectControl({ path: file })).toBeNull();
    expect(await readdir(folder)).toContain('mai-0123456789ab.sock');
    await serve();
    expect((await readdir(folder)).sort()).toEqual([
      'control.json',
      path.basename(server.endpoint),
    ]);
    await (await connect()).close();
  });
});

describe('leases', () => {
  test('end when the process of their client is killed', async () => {
    await serve();
    const program = `
      const socket = require('node:net').connect(process.argv[1]);
      const send = (message) => socket.write(JSON.stringify(message) + '\\n');
      send({ type: 'hello', protocol: ${PROTOCOL_VERSION}, processId: process.pid });
      send({ type: 'call', id: 1, method: 'acquire', params: ${JSON.stringify(ANY)} });
      socket.on('data', (data) => String(data).includes('result') && console.log('leased'));`;
    const child = spawn(process.execPath, ['-e', program, server.endpoint], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    expect(service.held).toBe(1);
    child.kill('SIGKILL');
    await until(() => service.held === 0);
  });

  test('end when the server closes', async () => {
    await serve();
    const client = await connect();
    const lease = await client.acquire(ANY);
    await server.close();
    await until(() => lease.lost.aborted);
    expect(lease.lost.reason).toMatchObject({ code: 'AUTOPILOT_LOST' });
    expect(service.held).toBe(0);
    await lease.release();
  });

  test('are released where the client has cancelled the call before they arrive', async () => {
    await serve();
    const client = await connect();
    const controller = new AbortController();
    const acquiring = client.acquire(ANY, { signal: controller.signal });
    // The server has the call already, so its answer and the cancellation are sent at the same time.
    controller.abort(new Error('enough'));
    await expect(acquiring).rejects.toThrow('enough');
    await client.state();
    await until(() => service.held === 0);
    await client.close();
  });

  test('are not given to a waiting client that has disconnected', async () => {
    service.blocks = true;
    await serve();
    const client = await connect();
    const acquiring = expect(client.acquire(ANY)).rejects.toMatchObject({ code: 'AUTOPILOT_LOST' });
    await until(() => service.waiting === 1);
    await client.close();
    await until(() => service.waiting === 0);
    await acquiring;
  });
});

describe('messages that break the protocol', () => {
  test.each([
    ['a line without end', () => 'x'.repeat(70_000)],
    ['a line that is not JSON', () => 'not json\n'],
    ['a line that is not a message', () => '{"type":"hello"}\n'],
    ['an array', () => '[]\n'],
    ['binary data', () => Buffer.from([0xff, 0x00, 0x0a, 0xfe])],
    ['a call before the hello', () => '{"type":"call","id":1,"method":"state","params":null}\n'],
    ['a second hello', () => `${JSON.stringify(HELLO)}\n${JSON.stringify(HELLO)}\n`],
    [
      'a call number that is in use',
      () =>
        [HELLO, ...[1, 1].map((id) => ({ type: 'call', id, method: 'acquire', params: ANY }))]
          .map((message) => `${JSON.stringify(message)}\n`)
          .join(''),
    ],
  ])('%s ends the connection of that client only', async (_name, bytes) => {
    service.blocks = true;
    await serve();
    const client = await connect();
    const raw = await openRawClient(file);
    raw.socket.write(bytes());
    await raw.closed;
    expect(await client.state()).toMatchObject({ status: 'running' });
    await until(() => service.waiting === 0);
    await client.close();
  });

  test.each([
    ['an unknown method', 'format', null, 'no method "format"'],
    ['a method name that every object inherits', 'toString', null, 'no method "toString"'],
    ['no parameters', 'acquire', null, 'parameters'],
    ['an unknown tier', 'acquire', { ...ANY, tiers: ['huge'] }, 'parameters'],
    ['a negative size', 'yieldMemory', { name: 'x', bytes: -1, pools: 'all' }, 'parameters'],
    ['a name that is not text', 'pin', 7, 'parameters'],
    [
      'a load without candidates',
      'load',
      { candidates: [], identifier: null, ttlMs: null, timeoutMs: null },
      'parameters',
    ],
    [
      'an unload without a list',
      'unload',
      { instanceIdentifiers: 'all', force: true },
      'parameters',
    ],
  ])('%s gives an error', async (_name, method, params, message) => {
    await serve();
    const raw = await openRawClient(file);
    raw.send(HELLO, { type: 'call', id: 7, method, params });
    expect(await raw.line(isOf(7))).toMatchObject({
      type: 'error',
      error: { '@mai/error': { message: expect.stringContaining(message) } },
    });
    raw.socket.destroy();
  });

  test('a connection without a hello is closed', async () => {
    await serve({ helloWithinMs: 50 });
    await (
      await openRawClient(file)
    ).closed;
  });

  test('a hello with another version of the protocol is refused with an error', async () => {
    await serve();
    const raw = await openRawClient(file);
    raw.send({ ...HELLO, protocol: PROTOCOL_VERSION + 1 });
    await raw.closed;
    expect(raw.lines).toMatchObject([
      { type: 'refused', error: { '@mai/error': { facts: { code: 'AUTOPILOT_INCOMPATIBLE' } } } },
    ]);
  });

  test('a connection above the limit is refused with an error', async () => {
    await serve({ connectionsMax: 2 });
    const clients = [await connect(), await connect()];
    await expect(connect()).rejects.toMatchObject({ name: 'HostError', code: 'AUTOPILOT_BUSY' });
    await clients[0]?.close();
    await sleep(20);
    await (await connect()).close();
    await clients[1]?.close();
  });

  test.each([
    [255, 'given'],
    [256, 'refused'],
  ])('a client with %i leases asks for one more lease, which is %s', async (count, verdict) => {
    await serve();
    const client = await connect();
    const leases = await Promise.all(Array.from({ length: count }, () => client.acquire(ANY)));
    expect(service.held).toBe(count);
    const last = client.acquire(ANY);
    if (verdict === 'given') expect(await last).toMatchObject({ modelKey: 'model' });
    else
      await expect(last).rejects.toMatchObject({ code: 'AUTOPILOT_BUSY', processId: process.pid });
    expect(service.held).toBe(256);
    await leases[0]?.release();
    expect(service.held).toBe(255);
    await client.acquire(ANY);
    await client.close();
  });

  test('a client with all its leases can still make every other call', async () => {
    await serve({ leasesMax: 1 });
    const client = await connect();
    await client.acquire(ANY);
    await expect(client.acquire(ANY)).rejects.toMatchObject({ code: 'AUTOPILOT_BUSY' });
    expect(await client.state()).toMatchObject({ status: 'running' });
    const answer = { delivery: null };
    expect(await client.pin('model')).toMatchObject(answer);
    expect(await client.unpin(['model'])).toMatchObject(answer);
    const game = { name: 'game', bytes: 1, pools: 'all', sinceMs: 0 } as const;
    expect(await client.yieldMemory({ ...game, untilMs: null, processId: null })).toMatchObject(
      answer,
    );
    expect(await client.endYield(['game'])).toMatchObject(answer);
    for await (const { type } of client.events()) {
      expect(type).toBe('started');
      break;
    }
    await client.close();
  });

  test.each([
    ['a line break', 'a\nb'],
    ['a command of a terminal', 'a\u001b[2Jb'],
    ['a line separator', 'a\u2028b'],
    ['a mark that changes the direction', 'a\u202eb'],
    ['half of a character', 'a\ud800b'],
    ['301 characters', 'n'.repeat(301)],
  ])('a text that is kept and shown is refused with %s, and removed', async (_, text) => {
    await serve();
    const client = await connect();
    const kept = { bytes: 1, pools: 'all', sinceMs: 0, untilMs: null, processId: null } as const;
    const candidate = { modelKey: 'model', kind: null, loadConfig: DEFAULT_LOAD_CONFIG };
    const limits = { ttlMs: null, timeoutMs: null };
    const refused = { name: 'HostError', code: 'INVALID_REQUEST' };
    for (const call of [
      client.yieldMemory({ ...kept, name: text }),
      client.pin(text),
      client.load({ candidates: [candidate], identifier: text, ...limits }),
    ]) {
      const error: unknown = await call.catch((reason: unknown) => reason);
      expect(error).toMatchObject(refused);
      expect(String(error)).not.toContain(text);
    }
    // An earlier version may have kept such a text.
    expect(await client.endYield([text])).toMatchObject({ delivery: null });
    expect(await client.unpin([text])).toMatchObject({ delivery: null });
    await client.close();
  });

  test('a waiting acquire counts as a lease, but not as an open call', async () => {
    service.blocks = true;
    await serve({ callsMax: 1, leasesMax: 2 });
    const client = await connect();
    const waiting = [client.acquire(ANY), client.acquire(ANY)];
    await until(() => service.waiting === 2);
    await expect(client.acquire(ANY)).rejects.toMatchObject({ code: 'AUTOPILOT_BUSY' });
    expect(await client.state()).toMatchObject({ status: 'running' });
    const lost = waiting.map((one) =>
      expect(one).rejects.toMatchObject({ code: 'AUTOPILOT_LOST' }),
    );
    await client.close();
    await Promise.all(lost);
  });

  test('a call above the limit of open calls is refused with an error, but a lease is given', async () => {
    await serve({ callsMax: 1 });
    const client = await connect();
    const events = client.events()[Symbol.asyncIterator]();
    await events.next();
    await expect(client.state()).rejects.toMatchObject({ code: 'AUTOPILOT_BUSY' });
    await (await client.acquire(ANY)).release();
    await events.return?.();
    await client.close();
  });

  test('the server takes no event from the service while the client does not read', async () => {
    await serve();
    const raw = await openRawClient(file);
    raw.socket.pause();
    raw.send(HELLO, { type: 'call', id: 1, method: 'events', params: null });
    let before = -1;
    while (service.eventsRead !== before || before === 0) {
      before = service.eventsRead;
      await sleep(100);
    }
    // The system's socket buffers hold a few megabytes, and each event has a hundred kilobytes.
    expect(service.eventsRead).toBeLessThan(100);
    const client = await connect();
    expect(await client.state()).toMatchObject({ status: 'running' });
    await client.close();
    raw.socket.destroy();
  });

  test('the server stops reading calls while the client does not read the answers', async () => {
    service.answer = { status: 'running', pins: [], padding: 'x'.repeat(100_000) };
    await serve();
    const raw = await openRawClient(file);
    raw.socket.pause();
    raw.send(HELLO);
    const calls = 3000;
    const ids = Array.from({ length: calls }, (_, index) => index + 1);
    raw.send(...ids.map((id) => ({ type: 'call', id, method: 'state', params: null })));
    await until(() => service.statesRead > 0);
    await sleep(200);
    const readAtFirst = service.statesRead;
    expect(readAtFirst).toBeLessThan(calls / 4);
    raw.socket.resume();
    await until(() => raw.lines.length > calls);
    expect(service.statesRead).toBeGreaterThan(readAtFirst);
    // After the welcome, each call has one answer. Calls above the limit are answered with an error.
    expect(
      raw.lines
        .slice(1)
        .map(({ id }) => Number(id))
        .sort((a, b) => a - b),
    ).toEqual(ids);
    raw.socket.destroy();
  });
});

test('a slow reader of events loses the oldest events and does not delay other calls', async () => {
  await serve();
  const client = await connect();
  const events = client.events()[Symbol.asyncIterator]();
  await events.next();
  await until(() => service.eventsRead > 1100);
  expect(await client.state()).toMatchObject({ status: 'running' });
  const next = await events.next();
  if (next.done === true) throw new Error('The events have ended.');
  expect(next.value.atMs).toBeGreaterThan(2);
  await events.return?.();
  await client.close();
});

test('connecting fails when the server does not answer the hello', async () => {
  await serve();
  const { createServer } = await import('node:net');
  const { writeFile } = await import('node:fs/promises');
  const silent = createServer(() => undefined);
  const endpoint =
    process.platform === 'win32'
      ? `\\\\.\\pipe\\mai-${process.pid}`
      : path.join(folder, 'silent.sock');
  await new Promise<void>((resolve) => silent.listen(endpoint, () => resolve()));
  await writeFile(file, JSON.stringify({ endpoint, processId: 4711 }));
  await expect(connectControl({ path: file, welcomeWithinMs: 50 })).rejects.toMatchObject({
    code: 'AUTOPILOT_LOST',
    processId: 4711,
    message: expect.stringContaining('does not answer'),
  });
  const controller = new AbortController();
  const reason = new Error('enough');
  const connecting = connectControl({ path: file, signal: controller.signal });
  setTimeout(() => controller.abort(reason), 20);
  await expect(connecting).rejects.toBe(reason);
  silent.close();
});
