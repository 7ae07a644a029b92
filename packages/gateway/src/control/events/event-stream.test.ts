import { once } from 'node:events';
import { connect } from 'node:net';
import { fakeFleet, fleetHost, fleetReport } from '../../../test/fakes/fake-fleet.js';
import { decidedAt, LOADED } from '../../../test/fakes/fake-machine.js';
import { createFakeClock } from '../../../test/fakes/fake-clock.js';
import { serveControl, type ControlWorld } from '../../../test/worlds/serve-control.js';

interface Received {
  readonly id: string;
  readonly type: string;
  readonly data: any; // eslint-disable-line @typescript-eslint/no-explicit-any
}

/** Reads a stream as a browser does, until it is left. */
async function listen(url: string, lastEventId: string | null = null) {
  const leaving = new AbortController();
  const response = await fetch(`${url}/api/mai/events`, {
    signal: leaving.signal,
    headers: lastEventId === null ? {} : { 'last-event-id': lastEventId },
  });
  const received: Received[] = [];
  let text = '';
  let comments = 0;
  let ended = false;
  const reading = (async () => {
    const decoder = new TextDecoder();
    if (response.body === null) return;
    for await (const chunk of response.body) {
      text += decoder.decode(chunk);
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        const lines = text.slice(0, end).split('\n');
        text = text.slice(end + 2);
        const field = (name: string) =>
          lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? '';
        if (lines[0] === ':') comments += 1;
        else if (field('data') !== '') {
          received.push({ id: field('id'), type: field('event'), data: JSON.parse(field('data')) });
        }
      }
    }
    ended = true;
  })().catch(() => undefined);
  return {
    response,
    received,
    comments: () => comments,
    hasEnded: () => ended,
    leave: async () => {
      leaving.abort();
      await reading;
    },
  };
}

type Page = Awaited<ReturnType<typeof listen>>;

/** Looks every few milliseconds whether a condition has come true. The test's own limit ends it. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}

let marks = 0;

/** Resolves when a page has received all earlier events. A last event, which is then taken away, shows that. */
async function caughtUp(world: ControlWorld, page: Page): Promise<void> {
  marks += 1;
  const modelKey = `mark-${marks}`;
  // Equal progress in succession is sent once.
  const progressRatio = 0.25 + (marks % 2) / 2;
  const step = { type: 'loading', modelKey, instanceIdentifier: 'mark', progressRatio } as const;
  world.machine.emit({ type: 'switch-step', atMs: START, step });
  await until(() => page.received.some(({ data }) => data.modelKey === modelKey));
  const isMark = ({ data }: Received) => String(data.modelKey).startsWith('mark-');
  page.received.splice(0, Infinity, ...page.received.filter((one) => !isMark(one)));
}

/** Emits decisions, and resolves when the gateway has sent them. */
async function emit(world: ControlWorld, ...atMs: readonly number[]): Promise<void> {
  const witness = await listen(world.url);
  for (const one of atMs) world.machine.emit(decidedAt(one, `REASON_${one}`));
  await caughtUp(world, witness);
  await witness.leave();
}

const START = createFakeClock().nowMs();

test('events arrive as they happen, each with an id and its type', async () => {
  await using world = await serveControl({ clock: createFakeClock() });
  const page = await listen(world.url);
  expect(page.response.headers.get('content-type')).toContain('text/event-stream');
  expect(page.response.headers.get('x-accel-buffering')).toBe('no');
  await emit(world, START + 1);
  await caughtUp(world, page);
  expect(page.received.map(({ type }) => type)).toEqual(['sample', 'decided']);
  const [, decided] = page.received;
  expect(decided?.data).toMatchObject({ type: 'decided', modelKey: LOADED, id: decided?.id });
  await page.leave();
});

test('a decision that repeats the one before is not sent again', async () => {
  await using world = await serveControl({ clock: createFakeClock() });
  const page = await listen(world.url);
  world.machine.emit(decidedAt(START));
  world.machine.emit(decidedAt(START + 10));
  await caughtUp(world, page);
  expect(page.received.filter(({ type }) => type === 'decided')).toHaveLength(1);
  await page.leave();
});

test('a decision that repeats the one before is sent again once it is a new record of the log', async () => {
  await using world = await serveControl({ clock: createFakeClock() });
  const page = await listen(world.url);
  for (const [ms, id] of [
    [0, 'a'],
    [10, 'a'],
    [60_000, 'b'],
    [60_010, 'b'],
  ] as const) {
    world.machine.emit(decidedAt(START + ms, 'STEADY', id));
  }
  await caughtUp(world, page);
  const decided = page.received.filter(({ type }) => type === 'decided');
  expect(decided.map(({ data }) => data.atMs)).toEqual([START, START + 60_000]);
  await page.leave();
});

test('a page that comes back gets exactly the events that it missed', async () => {
  await using world = await serveControl({ clock: createFakeClock() });
  const first = await listen(world.url);
  await emit(world, START);
  await caughtUp(world, first);
  await first.leave();
  await emit(world, START + 2000, START + 4000);
  const second = await listen(world.url, first.received.at(-1)?.id ?? '');
  await caughtUp(world, second);
  expect(second.received.map(({ type, data }) => [type, data.atMs])).toEqual([
    ['sample', START + 2000],
    ['decided', START + 2000],
    ['sample', START + 4000],
    ['decided', START + 4000],
  ]);
  await second.leave();
});

test.each(['another.1', 'x', '../..', '9'.repeat(400), '.', 'a.-1', 'a.1e400'])(
  'after the unknown event %j the page is told to read everything again',
  async (lastId) => {
    await using world = await serveControl({ clock: createFakeClock() });
    const page = await listen(world.url, lastId);
    await caughtUp(world, page);
    expect(page.received.map(({ type }) => type)).toEqual(['reset']);
    await page.leave();
  },
);

test('a page that was away for too long is told to read everything again', async () => {
  await using world = await serveControl({ clock: createFakeClock() });
  const first = await listen(world.url);
  await emit(world, START);
  await caughtUp(world, first);
  await first.leave();
  await emit(world, ...Array.from({ length: 1001 }, (_, index) => START + index));
  const second = await listen(world.url, first.received.at(-1)?.id ?? '');
  await caughtUp(world, second);
  expect(second.received[0]?.type).toBe('reset');
  await second.leave();
});

test('a quiet stream gets a heartbeat, and the queue is sent when it changes', async () => {
  const clock = createFakeClock();
  await using world = await serveControl({ clock });
  const page = await listen(world.url);
  for (let second = 0; second < 31; second += 1) {
    await clock.advance(1000);
  }
  await caughtUp(world, page);
  expect(page.comments()).toBe(2);
  const queue = () => page.received.filter(({ type }) => type === 'queue');
  expect(queue().map(({ data }) => [data.running, data.waiting])).toEqual([[2, 1]]);
  world.queue.state = { ...world.queue.state, waiting: 5 };
  await clock.advance(1000);
  await caughtUp(world, page);
  expect(queue().at(-1)?.data.waiting).toBe(5);
  await page.leave();
});

test('a change of the fleet is sent once, and the age of a heartbeat does not count as a change', async () => {
  const clock = createFakeClock();
  let report = fleetReport();
  await using world = await serveControl({
    clock,
    parts: { fleet: { ...fakeFleet(), report: () => report } },
  });
  const page = await listen(world.url);
  const told = async (): Promise<number> => {
    await clock.advance(1000);
    await caughtUp(world, page);
    return page.received.filter(({ type }) => type === 'fleet').length;
  };
  expect(await told()).toBe(1);
  report = { ...report, hosts: report.hosts.map((one) => ({ ...one, silentMs: 1700 })) };
  expect(await told()).toBe(1);
  report = { ...report, hosts: [fleetHost('laptop', { condition: 'silent' })] };
  expect(await told()).toBe(2);
  report = { ...report, placements: [] };
  expect(await told()).toBe(3);
  expect(await told()).toBe(3);
  await page.leave();
});

test('the progress of a load is sent in steps of a hundredth', async () => {
  await using world = await serveControl({ clock: createFakeClock() });
  const page = await listen(world.url);
  for (const progressRatio of [0.101, 0.102, 0.109, 0.11, 0.5, 1]) {
    world.machine.emit({
      type: 'switch-step',
      atMs: START,
      step: { type: 'loading', modelKey: 'a', instanceIdentifier: 'mai/a', progressRatio },
    });
  }
  await caughtUp(world, page);
  expect(page.received.map(({ data }) => data.progressRatio)).toEqual([0.101, 0.11, 0.5, 1]);
  await page.leave();
});

test('the gateway ends its streams when it stops, and leaves no timer', async () => {
  const clock = createFakeClock();
  const world = await serveControl({ clock });
  const page = await listen(world.url);
  await world.control[Symbol.asyncDispose]();
  await until(() => page.hasEnded());
  expect(clock.pending).toBe(0);
  await world[Symbol.asyncDispose]();
});

test('streams beyond the bound are refused, and one that ends makes room', async () => {
  await using world = await serveControl({ clock: createFakeClock() });
  const { hostname, port } = new URL(world.url);
  const open = () => {
    const socket = connect(Number(port), hostname);
    socket.write(`GET /api/mai/events HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
    socket.on('error', () => undefined);
    return socket;
  };
  const sockets = Array.from({ length: 64 }, open);
  await Promise.all(sockets.map((socket) => once(socket, 'data')));
  expect((await fetch(`${world.url}/api/mai/events`)).status).toBe(503);
  sockets[0]?.destroy();
  // The gateway notices the end of the connection a moment later.
  let page = await listen(world.url);
  while (page.response.status !== 200) page = await listen(world.url);
  await page.leave();
  for (const socket of sockets) socket.destroy();
});
