import { once } from 'node:events';
import { connect } from 'node:net';
import { GIB, LARGE, openWorld, VISION, type GatewayWorld } from '../test/worlds/open-world.js';
import { answersOf, idle, loadsOf, until } from '../test/worlds/watch-world.js';
import { isWhole, talk } from '../test/talk.js';

jest.setTimeout(90_000);

const CHAT = '/v1/chat/completions';
const ASK = { model: 'auto', messages: [{ role: 'user' as const, content: 'Hello' }] };
const STREAM = { ...ASK, stream: true };
/** Answers of 2,000 tokens, which take seconds. */
const LONG_ANSWERS = { speed: 20, world: { answers: { textTokens: 2000 } } };

describe('a client that leaves', () => {
  it.each([
    ['before the first byte of a stream', STREAM, false],
    ['after the first byte of a stream', STREAM, true],
    ['before the first byte of an answer without a stream', ASK, false],
  ])('%s ends the request in LM Studio at once', async (_when, body, afterFirst) => {
    await using world = await openWorld({}, LONG_ANSWERS);
    const warm = talk(world.url, CHAT, STREAM);
    await warm.first;
    warm.leave();
    await world.simulator.seen('disconnect');
    if (!afterFirst) world.simulator.fault.slowFirstToken({ delayMs: 60_000 });
    const count = answersOf(world);
    const talking = talk(world.url, CHAT, body);
    if (afterFirst) await talking.first;
    else await world.simulator.seen(CHAT, count + 1);
    talking.leave();
    // An answer that is not cancelled leaves no such entry. bench/gateway/departures.mjs measures how soon it comes.
    await world.simulator.seen('disconnect', 2);
    await idle(world);
  });

  it('while more of its requests wait on the same connection leaves nothing running', async () => {
    await using world = await openWorld({}, LONG_ANSWERS);
    await talk(world.url, CHAT, { ...ASK, max_tokens: 1 }).end;
    world.simulator.fault.slowFirstToken({ delayMs: 60_000 });
    const { host, hostname, port } = new URL(world.url);
    const body = JSON.stringify(ASK);
    const request = `POST ${CHAT} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const socket = connect(Number(port), hostname);
    socket.write(request.repeat(20));
    await world.simulator.seen(CHAT, 2);
    expect(runningIn(world)).toBe(1);
    socket.resetAndDestroy();
    await world.simulator.seen('disconnect');
    await idle(world);
    expect(answersOf(world)).toBe(2);
  });

  it('by sending more requests at once than a client may loses its connection', async () => {
    await using world = await openWorld({}, LONG_ANSWERS);
    await talk(world.url, CHAT, { ...ASK, max_tokens: 1 }).end;
    world.simulator.fault.slowFirstToken({ delayMs: 60_000 });
    const { host, hostname, port } = new URL(world.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined).resume();
    socket.write(`GET /v1/models HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(200));
    const body = JSON.stringify(ASK);
    socket.write(
      `POST ${CHAT} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${body.length}\r\n\r\n${body}`.repeat(
        200,
      ),
    );
    await once(socket, 'close');
    await idle(world);
  });

  it('by closing its sending direction alone counts as gone, as with most servers, and gets no answer', async () => {
    await using world = await openWorld({}, LONG_ANSWERS);
    await talk(world.url, CHAT, { ...ASK, max_tokens: 1 }).end;
    world.simulator.fault.slowFirstToken({ delayMs: 60_000 });
    const { host, hostname, port } = new URL(world.url);
    const body = JSON.stringify(STREAM);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    socket.write(
      `POST ${CHAT} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    await world.simulator.seen(CHAT, 2);
    socket.end();
    await world.simulator.seen('disconnect');
    let received = '';
    socket.on('data', (bytes: Buffer) => (received += bytes.toString()));
    await once(socket, 'close');
    expect(received).toBe('');
    await idle(world);
  });

  it.each([
    ['a stream', STREAM],
    ['an answer without a stream', ASK],
  ])('while the model of %s is loaded ends the load in LM Studio at once', async (_what, body) => {
    await using world = await openWorld({}, { speed: 10 });
    await warmUp(world);
    const talking = talk(world.url, CHAT, { ...body, model: VISION });
    await world.simulator.seen('loadModel', 2);
    talking.leave();
    await world.simulator.seen('channelSend');
    const cancelled = world.simulator.requests.find(({ endpoint }) => endpoint === 'channelSend');
    expect(cancelled?.parameter).toEqual({ type: 'cancel' });
    await until(() => world.gateway.state().waiting === 0);
    expect(isWhole(await talk(world.url, CHAT, { ...ASK, model: VISION }).end)).toBe(true);
    expect(loadsOf(world)).toEqual([LARGE, VISION, VISION]);
    expect(world.residents()).toEqual([LARGE, VISION]);
    await idle(world);
  });

  it('during a second attempt does not cancel the load, so that it gets the model in spite of its own time limit', async () => {
    await using world = await openWorld({}, { speed: 10 });
    await warmUp(world);
    for (const attempt of [1, 2]) {
      const talking = talk(world.url, CHAT, { ...ASK, model: VISION });
      await world.simulator.seen('loadModel', attempt + 1);
      talking.leave();
      await until(() => world.gateway.state().waiting === 0);
    }
    expect(isWhole(await talk(world.url, CHAT, { ...ASK, model: VISION }).end)).toBe(true);
    expect(loadsOf(world)).toEqual([LARGE, VISION, VISION]);
    await idle(world);
  });

  it('during a load for which another model was unloaded brings that model back', async () => {
    await using world = await openWorld({}, { speed: 10 });
    await warmUp(world);
    world.machine.othersBytes = 14 * GIB;
    const talking = talk(world.url, CHAT, { ...ASK, model: VISION });
    await world.simulator.seen('loadModel', 2);
    expect(world.residents()).toEqual([]);
    talking.leave();
    await until(() => world.residents().includes(LARGE));
    expect(loadsOf(world)).toEqual([LARGE, VISION, LARGE]);
    await idle(world);
  });

  it('while the autopilot loads the model for itself frees its place only', async () => {
    await using world = await openWorld({}, { speed: 10 });
    const talking = talk(world.url, CHAT, ASK);
    await world.simulator.seen('loadModel');
    await until(() => world.gateway.state().waiting === 1);
    talking.leave();
    await until(() => world.gateway.state().waiting === 0);
    expect(world.residents()).toEqual([]);
    expect(isWhole(await talk(world.url, CHAT, ASK).end)).toBe(true);
    expect(loadsOf(world)).toEqual([LARGE]);
    expect(answersOf(world)).toBe(1);
    await idle(world);
  });

  it('while it waits for a load that others also wait for, only frees its place in the queue', async () => {
    await using world = await openWorld({}, { speed: 10 });
    const staying = talk(world.url, CHAT, ASK);
    const leaving = [ASK, STREAM].map((body) => talk(world.url, CHAT, body));
    await until(() => world.gateway.state().waiting === 3);
    for (const one of leaving) one.leave();
    await until(() => world.gateway.state().waiting <= 1);
    expect(isWhole(await staying.end)).toBe(true);
    expect(loadsOf(world)).toHaveLength(1);
    await idle(world);
  });
});

/** Loads the large model, and waits until no request holds it. */
async function warmUp(world: GatewayWorld): Promise<void> {
  expect(isWhole(await talk(world.url, CHAT, ASK).end)).toBe(true);
  await idle(world);
}

function runningIn({ gateway }: GatewayWorld): number {
  return gateway.state().lanes.reduce((sum, { running }) => sum + running, 0);
}
