import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';

import { startNatsServer, type TestNatsServer } from '../../test/nats-server.js';
import { waitUntil } from '../../test/wait-until.js';

// Behaviour of NATS that this package is built around. Where a newer server behaves better, a test says so by failing.

jest.setTimeout(120_000);

let server: TestNatsServer;
let nats: NatsConnection;

beforeEach(async () => {
  server = await startNatsServer();
  nats = await connect({ servers: server.url, reconnectTimeWait: 100, maxReconnectAttempts: -1 });
});

afterEach(async () => {
  await nats.close();
  await server[Symbol.asyncDispose]();
});

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const isOlderThan211 = (): boolean => {
  const [major = 0, minor = 0] = (nats.info?.version ?? '').split('.').map(Number);
  return major < 2 || (major === 2 && minor < 11);
};

it('accepts a time to live for one key and ignores it, and the status of the bucket shows this', async () => {
  if (!isOlderThan211()) return;
  const kv = await new Kvm(nats).create('short', { markerTTL: 1000 });
  await kv.create('key', 'value', '1s');
  expect((await kv.status()).markerTTL).toBe(0);
  await sleep(3000);
  expect((await kv.get('key'))?.string()).toBe('value');
});

it('sends no event to a watcher when the time to live of the bucket removes an entry', async () => {
  const kv = await new Kvm(nats).create('short', { ttl: 1000 });
  const events: string[] = [];
  const watcher = await kv.watch();
  void (async () => {
    for await (const { key, operation } of watcher) events.push(`${operation} ${key}`);
  })();
  await kv.put('key', 'value');
  await waitUntil(async () => (await kv.get('key')) === null, 'the entry is removed');
  await sleep(500);
  watcher.stop();
  expect(events).toEqual(['PUT key']);
});

it('says that the last replayed entry is an update', async () => {
  const kv = await new Kvm(nats).create('hosts');
  await kv.put('a', '1');
  await kv.put('b', '2');
  const watcher = await kv.watch();
  const seen: [string, boolean][] = [];
  for await (const { key, isUpdate } of watcher) {
    seen.push([key, isUpdate]);
    if (seen.length === 2) break;
  }
  expect(seen).toEqual([
    ['a', false],
    ['b', true],
  ]);
});

it('delivers an entry again to each watcher that resumes at the revision of the entry', async () => {
  const kv = await new Kvm(nats).create('hosts');
  const revision = await kv.put('a', '1');
  for (let turn = 0; turn < 2; turn += 1) {
    const watcher = await kv.watch({ resumeFromRevision: revision });
    for await (const entry of watcher) {
      expect([entry.key, entry.revision]).toEqual(['a', revision]);
      break;
    }
  }
});

it('leaves a watcher silent after the server lost its store, without an error', async () => {
  const kv = await new Kvm(jetstream(nats)).create('hosts');
  await kv.put('a', '1');
  const seen: string[] = [];
  const watcher = await kv.watch();
  void (async () => {
    for await (const { key } of watcher) seen.push(key);
  })();
  await waitUntil(() => seen.length === 1, 'the entry is replayed');
  await server.restart({ loseStore: true });
  await waitUntil(
    () =>
      nats.flush().then(
        () => true,
        () => false,
      ),
    'the client is connected again',
  );
  const again = await new Kvm(jetstream(nats)).create('hosts');
  await again.put('b', '2');
  await sleep(1500);
  // The entry is there, and the watcher neither delivers it nor ends.
  expect((await again.get('b'))?.string()).toBe('2');
  expect(seen).toEqual(['a']);
  watcher.stop();
});

it('lets a client believe that it is connected while the server hangs', async () => {
  server.signal('SIGSTOP');
  try {
    const answers = async () =>
      (await Promise.race([nats.flush().then(() => true), sleep(500)])) === true;
    await waitUntil(async () => !(await answers()), 'the server hangs');
    nats.publish('anything', 'is accepted');
    expect(nats.isClosed()).toBe(false);
  } finally {
    server.signal('SIGCONT');
  }
});

it('may serve a read from a copy, which lags behind a write', async () => {
  // `get` of the client asks any server with a copy, so this package reads with a watcher and never relies on `get`.
  const kv = await new Kvm(nats).create('hosts');
  await kv.put('a', '1');
  const manager = await jetstreamManager(nats);
  const { config } = await manager.streams.info('KV_hosts');
  expect(config.allow_direct).toBe(true);
});
