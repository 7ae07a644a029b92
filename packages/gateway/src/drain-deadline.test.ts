import { createServer, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { isToldFailure, talk, type Ending } from '../test/talk.js';
import { listenOn } from '../test/worlds/serve-through.js';
import { openEchoWorld, type EchoWorld } from '../test/worlds/echo-world.js';
import { createFakeClock } from '../test/fakes/fake-clock.js';
import { createFakeMachine } from '../test/fakes/fake-machine.js';
import { serveControl } from '../test/worlds/serve-control.js';
import { createGateway, type ControlPort } from './index.js';

jest.setTimeout(20_000);

const HELLO = [{ role: 'user' as const, content: 'Hello' }];
const CHAT = { model: 'auto', messages: HELLO };
const MESSAGES = { ...CHAT, max_tokens: 50 };
const RESPONSES = { model: 'auto', input: 'Hello' };

/** The first event of a stream of each protocol. */
const STARTS = [
  [
    '/v1/chat/completions',
    CHAT,
    'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n',
    'data: {"error":{',
  ],
  [
    '/v1/messages',
    MESSAGES,
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n',
    'event: error\ndata: {"type":"error"',
  ],
  [
    '/v1/responses',
    RESPONSES,
    'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"Hi"}\n\n',
    'event: error\ndata: {"type":"error"',
  ],
] as const;

/** How a request ended that has got `start` of its answer when the deadline of the drain comes. */
async function endingOf(path: string, body: object, start: string | null): Promise<Ending> {
  const isStream = 'stream' in body;
  let asked: () => void = () => undefined;
  const arrived = new Promise<void>((resolve) => (asked = resolve));
  await using world = await openEchoWorld({}, (response) => {
    asked();
    if (start === null) return;
    const type = isStream ? 'text/event-stream' : 'application/json';
    response.writeHead(200, { 'content-type': type }).write(start);
  });
  const talking = talk(world.url, path, body);
  await (start === null ? arrived : talking.first);
  await world.gateway.drain(0);
  return talking.end;
}

describe('a request that still runs at the deadline of a drain', () => {
  it.each(STARTS)('of %s whose stream has begun gets an error event', async (...row) => {
    const [path, body, start, error] = row;
    const ending = await endingOf(path, { ...body, stream: true }, start);
    expect(ending.text.slice(0, start.length)).toBe(start);
    const event = ending.text.slice(start.length);
    expect(event.slice(0, error.length)).toBe(error);
    expect(event).toContain('Mai is stopping.');
    expect(isToldFailure(ending)).toBe(true);
  });

  it.each(STARTS)(
    'of %s without a byte of its stream gets 503 with Retry-After',
    async (...row) => {
      const [path, body] = row;
      const ending = await endingOf(path, { ...body, stream: true }, null);
      expect(ending).toMatchObject({ status: 503, broken: false, headers: { 'retry-after': '5' } });
      expect(JSON.parse(ending.text).error.message).toContain('Mai is stopping.');
    },
  );

  it('and does not stream gets 503 with Retry-After', async () => {
    const ending = await endingOf('/v1/chat/completions', CHAT, null);
    expect(ending).toMatchObject({ status: 503, broken: false, headers: { 'retry-after': '5' } });
    expect(JSON.parse(ending.text).error.code).toBe('stopping');
  });

  it('and has a part of its JSON document sees a broken connection, because nothing else can follow', async () => {
    const ending = await endingOf('/v1/chat/completions', CHAT, `{"id":"${'c'.repeat(600)}`);
    expect(ending).toMatchObject({ status: 200, broken: true });
  });

  it('ends in the runtime, too', async () => {
    let closed: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (closed = resolve));
    await using world = await openEchoWorld({}, (response) => response.once('close', closed));
    const talking = talk(world.url, '/v1/chat/completions', CHAT);
    while (world.received.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await world.gateway.drain(0);
    await Promise.all([ended, talking.end]);
  });

  it('does not hold the end up where its client does not read', async () => {
    const event = `data: ${JSON.stringify({ choices: [{ delta: { content: 'x'.repeat(65_536) } }] })}\n\n`;
    let isStuck: () => void = () => undefined;
    const stuck = new Promise<void>((resolve) => (isStuck = resolve));
    await using world = await openEchoWorld({}, (response) => flood(response, event, isStuck));
    const { hostname, port } = new URL(world.url);
    const body = JSON.stringify({ ...CHAT, stream: true });
    // Without a reader, only the system's buffers take bytes.
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await stuck;
    await world.gateway.drain(0);
    socket.destroy();
  });

  it('gets its error where the gateway is mounted in another server', async () => {
    await using world = await openEchoWorld({}, () => undefined);
    await using gateway = await mounted(world);
    const talking = talk(gateway.url, '/v1/chat/completions', CHAT);
    while (world.received.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await gateway.drain();
    expect(await talking.end).toMatchObject({ status: 503, broken: false });
  });
});

/** How long nobody reads before a stream counts as stuck. */
const STUCK_MS = 200;

/** Writes the event again and again, as fast as it is read. Calls `isStuck` once nobody reads any more. */
function flood(response: ServerResponse, event: string, isStuck: () => void): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let timer = setTimeout(isStuck, STUCK_MS);
  const write = (): void => {
    clearTimeout(timer);
    while (!response.destroyed && response.write(event));
    timer = setTimeout(isStuck, STUCK_MS);
  };
  response.on('drain', write);
  write();
}

/** A gateway in a server of somebody else, with the runtime of the world. */
async function mounted({ serving }: EchoWorld) {
  const gateway = await createGateway({ serving });
  const server = createServer(gateway.handle);
  const url = await listenOn(server);
  return {
    url,
    drain: () => gateway.drain(0),
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

it('a call of the control API that is ended gets 503 and the reason', async () => {
  let called: () => void = () => undefined;
  const calling = new Promise<void>((resolve) => (called = resolve));
  const load: ControlPort['load'] = (_wanted, { signal } = {}) => {
    called();
    return new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('The load was cancelled.')));
    });
  };
  await using world = await serveControl({
    parts: { machine: { ...createFakeMachine().port, load } },
  });
  const answered = fetch(`${world.url}/api/mai/load`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"model":"test/large"}',
  });
  await calling;
  world.control.endAll();
  const answer = await answered;
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('5');
  expect(await answer.json()).toMatchObject({ error: { code: 'STOPPING' } });
});

it('a runtime that accepts questions and never answers does not hold up the end', async () => {
  const clock = createFakeClock();
  let asked = false;
  const status: ControlPort['status'] = () => {
    asked = true;
    return new Promise(() => undefined);
  };
  const machine = { ...createFakeMachine().port, status };
  await using world = await serveControl({ clock, parts: { machine } });
  await clock.advance(1000);
  expect(asked).toBe(true);
  // Does not resolve while it waits for the status.
  await world.control[Symbol.asyncDispose]();
});
