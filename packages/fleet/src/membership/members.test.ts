import { connect } from '@nats-io/transport-node';
import { Kvm, type KV } from '@nats-io/kv';

import { joinMembers } from '../../test/join-members.js';
import { movedClock } from '../../test/moved-clock.js';
import { startNatsServer, type TestNatsServer } from '../../test/nats-server.js';
import { ownLoad, ownState } from '../../test/states.js';
import { waitUntil } from '../../test/wait-until.js';
import { connectFleet } from '../nats/connection.js';
import { heartbeatSubject, HOSTS_BUCKET } from '../nats/subjects.js';
import { encodeHostState } from '../state/host-state-codec.js';
import type { KnownHost } from '../state/known-host.js';
import { openMembers, type Members, type MembersOptions } from './members.js';

jest.setTimeout(120_000);

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
  options: Partial<MembersOptions> = {},
): Promise<Members & { leave(): Promise<void> }> => {
  const { members, leave } = await joinMembers(server.url, host, options);
  ends.push(leave);
  return Object.assign(members, { leave });
};

/** Ends without a good-bye message, like a killed process. */
const crash = async (host: string): Promise<{ members: Members; crash: () => Promise<void> }> => {
  const connection = await connectFleet({ servers: [server.url], host, credentials: null });
  const members = openMembers({ connection, watch: false });
  ends.push(async () => members[Symbol.asyncDispose]());
  return { members, crash: async () => connection[Symbol.asyncDispose]() };
};

const find = (members: Members, host: string): KnownHost | undefined =>
  members.hosts().find(({ state }) => state.host === host);

const isUsable = (members: Members, host: string) => () => find(members, host)?.usable === true;

const raw = async () => {
  const connection = await connect({ servers: server.url });
  ends.push(async () => connection.close());
  return connection;
};

/** The bucket, once a host has created it. */
const hostsBucket = async (nats: Awaited<ReturnType<typeof raw>>): Promise<KV> => {
  const kv = await new Kvm(nats).open(HOSTS_BUCKET);
  const isThere = () => kv.status().then(Boolean, () => false);
  await waitUntil(isThere, 'the bucket is created');
  return kv;
};

const tell = (members: Members, labels: Record<string, string> = {}): void => {
  members.publish(ownState({ labels }));
  members.beat(ownLoad());
};

it('shows each host to the other with its state and its load', async () => {
  const [a, b] = [await join('a'), await join('b')];
  tell(a);
  b.publish(ownState({ address: 'https://10.0.0.8:8899' }));
  b.beat(ownLoad({ running: 2, queued: 1, residents: { 'qwen3-8b': 3 } }));
  await waitUntil(isUsable(a, 'b'), 'a sees b');
  await waitUntil(isUsable(b, 'a'), 'b sees a');
  await waitUntil(() => find(a, 'b')?.heartbeat !== null, 'a hears the heartbeat of b');
  expect(find(a, 'b')).toMatchObject({
    kind: 'mai',
    state: { host: 'b', epoch: b.epoch, revision: 1, address: 'https://10.0.0.8:8899' },
    heartbeat: { host: 'b', running: 2, queued: 1, residents: { 'qwen3-8b': 3 }, ready: true },
  });
  expect(a.hosts().map(({ state }) => state.host)).toEqual(['a', 'b']);
});

it('does not use a host whose state was only replayed on opening', async () => {
  const gone = await crash('gone');
  gone.members.publish(ownState());
  const first = await join('first');
  await waitUntil(() => find(first, 'gone') !== undefined, 'the state is stored');
  await gone.crash();

  const reader = await join('reader');
  await waitUntil(() => find(reader, 'gone') !== undefined, 'the reader has read what is stored');
  expect(find(reader, 'gone')).toMatchObject({ silentMs: null, usable: false });
});

it('does not use a host whose entry alone is replayed, although the client marks that entry as an update', async () => {
  const gone = await crash('gone');
  gone.members.publish(ownState());
  const kv = await hostsBucket(await raw());
  await waitUntil(async () => (await kv.get('gone')) !== null, 'the state is stored');
  await gone.crash();
  const entries = await kv.watch();
  for await (const entry of entries) {
    // Nothing is written, yet the client marks the last replayed entry as an update.
    expect(entry.isUpdate).toBe(true);
    break;
  }
  const reader = await join('reader');
  await waitUntil(() => find(reader, 'gone') !== undefined, 'the reader has read what is stored');
  expect(find(reader, 'gone')?.usable).toBe(false);
});

it('stops using a host that is silent by the clock of the reader, and uses it again once it is heard', async () => {
  const clock = movedClock();
  const reader = await join('reader', { clock });
  const other = await crash('other');
  tell(other.members);
  await waitUntil(isUsable(reader, 'other'), 'the host is heard');
  await other.crash();
  clock.move(7000);
  await waitUntil(() => !isUsable(reader, 'other')(), 'the host is stale');
  expect(find(reader, 'other')?.silentMs).toBeGreaterThan(6000);

  const again = await join('other');
  tell(again);
  await waitUntil(isUsable(reader, 'other'), 'the restarted host is heard');
  expect(find(reader, 'other')?.state.epoch).toBe(again.epoch);
});

it('reports the change to silence without a message', async () => {
  const reader = await join('reader', { staleAfterMs: 3000 });
  const other = await crash('other');
  tell(other.members);
  await waitUntil(isUsable(reader, 'other'), 'the host is heard');
  await other.crash();
  const stop = new AbortController();
  for await (const names of reader.changes(stop.signal)) {
    if (names.includes('other') && !isUsable(reader, 'other')()) break;
  }
  expect(isUsable(reader, 'other')()).toBe(false);
});

it('says good-bye, so that others stop at once', async () => {
  const [reader, other] = [await join('reader', { staleAfterMs: 600_000 }), await join('other')];
  tell(other);
  await waitUntil(isUsable(reader, 'other'), 'the host is heard');
  await other.leave();
  await waitUntil(() => !isUsable(reader, 'other')(), 'the host has left');
});

it('writes a state on change only, and at most once a second', async () => {
  const host = await join('host', { watch: false });
  const reader = await join('reader');
  tell(host);
  await waitUntil(isUsable(reader, 'host'), 'the state is stored');
  const kv = await hostsBucket(await raw());
  const positionAt = async () => (await kv.status()).streamInfo.state.last_seq;
  const before = await positionAt();
  for (let turn = 0; turn < 100; turn += 1) host.publish(ownState());
  for (let turn = 0; turn < 100; turn += 1) host.publish(ownState({ labels: { turn: `${turn}` } }));
  host.publish(ownState({ labels: { turn: '99' } }));
  await waitUntil(() => find(reader, 'host')?.state.labels['turn'] === '99', 'the last state');
  // 100 changes within a moment are one or two writes.
  expect((await positionAt()) - before).toBeLessThanOrEqual(2);
});

it('keeps the newest state when an older revision is delivered again', async () => {
  const reader = await join('reader');
  const epoch = '00000000000000aa';
  const kv = await hostsBucket(await raw());
  const put = (revision: number, label: string) =>
    kv.put(
      'other',
      encodeHostState({ ...ownState({ labels: { label } }), host: 'other', epoch, revision }),
    );
  await waitUntil(() => reader.ready({ deadlineMs: 1000 }), 'the reader watches');
  await put(2, 'new');
  await waitUntil(() => find(reader, 'other')?.state.revision === 2, 'the new state');
  await put(1, 'old');
  await put(2, 'again');
  await put(3, 'last');
  await waitUntil(() => find(reader, 'other')?.state.revision === 3, 'the last state');
  expect(find(reader, 'other')?.state.labels).toEqual({ label: 'last' });
});

it('ignores late messages of an epoch that has ended', async () => {
  const reader = await join('reader');
  const nats = await raw();
  const beat = (e: string, s: number) =>
    nats.publish(
      heartbeatSubject('other'),
      JSON.stringify({ e, s, v: 0, r: s, q: 0, i: {}, p: null, y: 1 }),
    );
  const kv = await hostsBucket(nats);
  const [old, next] = ['00000000000000aa', '00000000000000bb'];
  await waitUntil(() => reader.ready({ deadlineMs: 1000 }), 'the reader watches');
  const put = (epoch: string) =>
    kv.put('other', encodeHostState({ ...ownState(), host: 'other', epoch, revision: 1 }));
  await put(old);
  beat(old, 1);
  await waitUntil(() => find(reader, 'other')?.heartbeat?.epoch === old, 'the old epoch');
  await put(next);
  beat(next, 1);
  await waitUntil(() => find(reader, 'other')?.heartbeat?.epoch === next, 'the new epoch');
  beat(old, 99);
  beat(next, 2);
  await waitUntil(() => find(reader, 'other')?.heartbeat?.sequence === 2, 'the next heartbeat');
  expect(find(reader, 'other')).toMatchObject({
    state: { epoch: next },
    heartbeat: { running: 2 },
  });
});

it('refuses what it cannot read and says why', async () => {
  const refused: string[] = [];
  const reader = await join('reader', {
    onRefused: (host, reason) => refused.push(`${host}: ${reason}`),
  });
  const nats = await raw();
  const kv = await hostsBucket(nats);
  await waitUntil(() => reader.ready({ deadlineMs: 1000 }), 'the reader watches');
  await kv.put('one', 'not json');
  await kv.put(
    'two',
    encodeHostState({ ...ownState(), host: 'three', epoch: '00000000000000aa', revision: 1 }),
  );
  nats.publish(heartbeatSubject('four'), 'x'.repeat(1000));
  await waitUntil(() => refused.length === 3, 'all are refused');
  expect(refused.sort()).toEqual([
    'four: heartbeat: 1000 bytes, and at most 256 are read',
    'one: state: not JSON',
    'two: state: host: three, but its key is two',
  ]);
  expect(reader.hosts()).toEqual([]);
});

it('asks a host itself for a state that the bucket does not deliver', async () => {
  const [reader, other] = [await join('reader'), await join('other')];
  tell(other);
  await waitUntil(isUsable(reader, 'other'), 'the host is heard');
  const kv = await hostsBucket(await raw());
  await kv.delete('other');
  await waitUntil(() => find(reader, 'other') === undefined, 'the entry is deleted');
  await waitUntil(isUsable(reader, 'other'), 'the host has answered');
});

it('reads no states of others when it does not watch', async () => {
  const [host, other] = [await join('host', { watch: false }), await join('other')];
  tell(host);
  tell(other);
  await waitUntil(isUsable(other, 'host'), 'the host is heard');
  expect(host.hosts().map(({ state }) => state.host)).toEqual(['host']);
  expect(await host.ready({ deadlineMs: 5000 })).toBe(true);
});

it('shows devices of LM Link as hosts without Mai', async () => {
  const host = await join('host', { watch: false });
  tell(host);
  host.setLinkDevices([
    { ...ownState({ guests: null }), host: 'laptop', epoch: '00000000000000cc', revision: 1 },
  ]);
  expect(find(host, 'laptop')).toMatchObject({ kind: 'lm-link', heartbeat: null });
  host.setLinkDevices([]);
  expect(find(host, 'laptop')).toBeUndefined();
});
