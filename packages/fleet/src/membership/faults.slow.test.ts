import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

import { joinMembers } from '../../test/join-members.js';
import { startNatsServer, type TestNatsServer } from '../../test/nats-server.js';
import { ownLoad, ownState, sees } from '../../test/states.js';
import { waitUntil } from '../../test/wait-until.js';
import type { FleetConnection } from '../nats/connection.js';
import { ALL_HEARTBEATS, HOSTS_BUCKET } from '../nats/subjects.js';
import type { Members } from './members.js';

jest.setTimeout(180_000);

let server: TestNatsServer;
const ends: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  server = await startNatsServer();
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await server[Symbol.asyncDispose]();
});

const join = async (
  host: string,
): Promise<{ members: Members; connection: FleetConnection; tell(label: string): void }> => {
  const { members, connection, leave } = await joinMembers(server.url, host);
  ends.push(leave);
  return {
    members,
    connection,
    tell: (label) => {
      members.publish(ownState({ labels: { label } }));
      members.beat(ownLoad());
    },
  };
};

it('starts without a server, serves this host alone, and joins once the server is there', async () => {
  await server.kill();
  const [a, b] = [await join('a'), await join('b')];
  a.tell('alone');
  b.tell('alone');
  // A host knows its own state at once, without reading the bucket.
  expect(a.members.hosts()).toMatchObject([
    { state: { host: 'a', revision: 1, labels: { label: 'alone' } }, usable: true, silentMs: 0 },
  ]);
  expect(await a.members.ready({ deadlineMs: 500 })).toBe(false);
  await waitUntil(() => a.connection.fault !== null, 'the first attempt has failed');
  await expect(
    a.connection.request('mai.host.b.describe.a', '', { timeoutMs: 500, signal: null }),
  ).rejects.toMatchObject({ code: 'FLEET_UNREACHABLE' });
  await server.restart();
  await waitUntil(sees(a, 'b', 'alone'), 'a sees b');
  await waitUntil(sees(b, 'a', 'alone'), 'b sees a');
  await waitUntil(() => a.members.ready({ deadlineMs: 5000 }), 'a is ready');
  expect(a.connection.fault).toBeNull();
});

it('ends a request at once when the connection breaks, instead of waiting for its time to be over', async () => {
  const [a, b] = [await join('a'), await join('b')];
  // Nobody answers before the server is killed.
  b.connection.subscribe('mai.host.b.acquire.*', () => undefined);
  await waitUntil(() => b.members.ready({ deadlineMs: 5000 }), 'b is ready');
  await waitUntil(() => a.members.ready({ deadlineMs: 5000 }), 'a is ready');
  const pending = a.connection.request('mai.host.b.acquire.a', '', {
    timeoutMs: 3_600_000,
    signal: null,
  });
  const outcome = expect(pending).rejects.toMatchObject({
    code: 'FLEET_UNREACHABLE',
    message: expect.stringContaining('the connection broke'),
  });
  await server.kill();
  await outcome;
  await server.restart();
});

it('is not ready while the server hangs, though the client believes that it is connected', async () => {
  const a = await join('a');
  await waitUntil(() => a.members.ready({ deadlineMs: 5000 }), 'a is ready');
  server.signal('SIGSTOP');
  await waitUntil(
    async () => a.connection.connected && !(await a.members.ready({ deadlineMs: 300 })),
    'no round trip on a connection that seems open',
  );
  server.signal('SIGCONT');
  await waitUntil(() => a.members.ready({ deadlineMs: 5000 }), 'a is ready again');
});

it.each([
  ['with its store', false],
  ['with its store lost', true],
])('converges after the server was killed and is back %s', async (_what, loseStore) => {
  const [a, b] = [await join('a'), await join('b')];
  a.tell('before');
  b.tell('before');
  await waitUntil(sees(a, 'b', 'before'), 'a sees b');
  await waitUntil(sees(b, 'a', 'before'), 'b sees a');
  await server.kill();
  await waitUntil(() => !a.connection.connected, 'a has noticed');
  await waitUntil(() => !sees(a, 'b', 'before')(), 'b is stale for a');
  expect(await a.members.ready({ deadlineMs: 500 })).toBe(false);
  // A change while there is no server, then the server is back.
  b.tell('while away');
  await server.restart({ loseStore });
  await waitUntil(sees(a, 'b', 'while away'), 'a sees the change of b');
  await waitUntil(sees(b, 'a', 'before'), 'b sees a again');
  // Every watcher was opened again, and whoever comes later finds all states in the bucket.
  b.tell('afterwards');
  await waitUntil(sees(a, 'b', 'afterwards'), 'a sees a later change');
  const late = await join('late');
  await waitUntil(sees(late, 'a', 'before'), 'the late reader sees a');
  await waitUntil(sees(late, 'b', 'afterwards'), 'the late reader sees b');
});

it('writes and reads nothing again after a reconnect to a server that has kept the states', async () => {
  const [a, b] = [await join('a'), await join('b')];
  a.tell('before');
  b.tell('before');
  await waitUntil(sees(a, 'b', 'before'), 'a sees b');
  const bucket = await b.connection.bucket(HOSTS_BUCKET, { replicas: 1, maxValueBytes: 1 });
  const before = await bucket.progress();
  let connections = 0;
  b.connection.onConnected(() => (connections += 1));
  // The server is not answering for longer than the client waits for two pings.
  server.signal('SIGSTOP');
  await waitUntil(() => !b.connection.connected, 'b has noticed');
  server.signal('SIGCONT');
  await waitUntil(() => connections === 2, 'b is connected again');
  await waitUntil(() => b.members.ready({ deadlineMs: 5000 }), 'b watches again');
  b.tell('afterwards');
  await waitUntil(sees(a, 'b', 'afterwards'), 'a sees the change of b');
  const after = await bucket.progress();
  expect(after).toEqual({ created: before.created, position: before.position + 1 });
});

it('converges after an operator has deleted the bucket of the states', async () => {
  const [a, b] = [await join('a'), await join('b')];
  a.tell('before');
  b.tell('before');
  await waitUntil(sees(a, 'b', 'before'), 'a sees b');
  const operator = await connect({ servers: server.url });
  ends.push(async () => operator.close());
  await (await jetstreamManager(operator)).streams.delete(`KV_${HOSTS_BUCKET}`);
  // Hosts that have heard each other go on, because heartbeats need no bucket.
  expect(a.members.hosts().every(({ usable }) => usable)).toBe(true);
  b.tell('afterwards');
  await waitUntil(sees(a, 'b', 'afterwards'), 'a sees the change of b', 60_000);
  const late = await join('late');
  await waitUntil(sees(late, 'a', 'before'), 'a late reader sees a', 60_000);
  await waitUntil(sees(late, 'b', 'afterwards'), 'a late reader sees b', 60_000);
});

it('hears a host that is there for a few seconds at a time, each time as a new start', async () => {
  const a = await join('a');
  a.tell('steady');
  const epochs = new Set<string>();
  for (let start = 1; start <= 4; start += 1) {
    const { members, leave } = await joinMembers(server.url, 'b');
    members.publish(ownState({ labels: { label: `start ${start}` } }));
    members.beat(ownLoad());
    await waitUntil(sees(a, 'b', `start ${start}`), `a sees start ${start} of b`);
    epochs.add(members.epoch);
    await leave();
    await waitUntil(() => !sees(a, 'b', `start ${start}`)(), `b is gone after start ${start}`);
  }
  expect(epochs.size).toBe(4);
});

it('drops heartbeats while it is disconnected instead of sending them late', async () => {
  const a = await join('a');
  a.tell('before');
  await waitUntil(() => a.connection.connected, 'a is connected');
  await server.kill();
  await waitUntil(() => !a.connection.connected, 'a has noticed');
  for (let running = 1; running <= 50; running += 1) {
    // Each change of `ready` sends a heartbeat at once.
    a.members.beat(ownLoad({ running, ready: running % 2 === 0 }));
  }
  await server.restart();
  const listener = await connect({ servers: server.url });
  ends.push(async () => listener.close());
  const running: number[] = [];
  listener.subscribe(ALL_HEARTBEATS, {
    callback: (_error, message) => {
      running.push(message.json<{ r: number }>().r);
    },
  });
  await listener.flush();
  await waitUntil(() => running.length >= 2, 'heartbeats arrive again');
  expect(new Set(running)).toEqual(new Set([50]));
});
