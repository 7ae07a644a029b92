import { jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';

import { startNatsServer, type TestNatsServer } from '../../test/nats-server.js';
import { ownLoad, ownState } from '../../test/states.js';
import { waitUntil } from '../../test/wait-until.js';
import { askLeases } from '../leases/ask-leases.js';
import { serveLeases } from '../leases/serve-leases.js';
import { openMembers, type Members } from '../membership/members.js';
import { connectFleet, type FleetConnection } from './connection.js';
import { heartbeatSubject, hostPermissions, HOSTS_BUCKET, inboxPrefix } from './subjects.js';

jest.setTimeout(120_000);

const userOf = (host: string): string => {
  const { publish, subscribe, responses } = hostPermissions(host);
  return `{ user: ${host}, password: secret, permissions: {
    publish: { allow: ${JSON.stringify(publish)} }
    subscribe: { allow: ${JSON.stringify(subscribe)} }
    allow_responses: { max: ${responses.max}, expires: "${responses.expiresSeconds}s" }
  } }`;
};

const credentials = (user: string) => ({ user, password: 'secret', tls: null });

let server: TestNatsServer;
const ends: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  server = await startNatsServer({
    config: `authorization { users: [ ${['a', 'b', 'thief'].map(userOf).join(', ')},
      { user: watcher, password: secret } ] }`,
  });
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await server[Symbol.asyncDispose]();
});

const join = async (host: string): Promise<{ link: FleetConnection; members: Members }> => {
  const link = await connectFleet({
    servers: [server.url],
    host,
    credentials: credentials(host),
  });
  const members = openMembers({ connection: link, watch: true });
  members.publish(ownState());
  members.beat(ownLoad());
  ends.push(async () => {
    await members[Symbol.asyncDispose]();
    await link[Symbol.asyncDispose]();
  });
  return { link, members };
};

const login = async (user: string): Promise<NatsConnection> => {
  const nats = await connect({
    servers: server.url,
    user,
    pass: 'secret',
    inboxPrefix: inboxPrefix(user),
  });
  ends.push(async () => nats.close());
  return nats;
};

it('lets hosts do all that the fleet needs', async () => {
  const [a, b] = [await join('a'), await join('b')];
  const sees = (members: Members, host: string) => () =>
    members.hosts().some(({ state, usable }) => state.host === host && usable);
  await waitUntil(sees(a.members, 'b'), 'a sees b');
  await waitUntil(sees(b.members, 'a'), 'b sees a');
  await waitUntil(() => a.members.ready({ deadlineMs: 5000 }), 'a is ready');

  const leases = serveLeases(
    b.link,
    {
      acquire: async () => ({
        resident: {
          modelKey: 'm',
          instanceIdentifier: 'm',
          tier: 'small' as const,
          capabilities: [],
          contextLengthTokens: null,
          decisionId: null,
        },
        lost: new AbortController().signal,
        release: async () => undefined,
      }),
      expectedMs: async () => 0,
      refusalOf: () => ({ reason: 'FAILED', message: '', figures: {} }),
    },
    { epoch: b.members.epoch },
  );
  const asker = askLeases(a.link);
  ends.push(async () => {
    await asker[Symbol.asyncDispose]();
    await leases[Symbol.asyncDispose]();
  });
  await b.link.roundTrip({ deadlineMs: 5000, signal: null });
  const answer = await asker.acquire(
    'b',
    {
      capabilities: [],
      minContextLengthTokens: null,
      tiers: null,
      chain: null,
      modelKey: null,
      instanceIdentifier: null,
      failed: [],
      requestId: '',
    },
    { deadlineMs: 10_000 },
  );
  expect(answer.kind).toBe('granted');
});

it.each([
  ['heartbeats of another host', heartbeatSubject('a')],
  ['the state of another host', `$KV.${HOSTS_BUCKET}.a`],
  ['requests in the name of another host', 'mai.host.b.acquire.a'],
  ['answers to another host', `${inboxPrefix('a')}.1`],
  ['a purge of the bucket', `$JS.API.STREAM.PURGE.KV_${HOSTS_BUCKET}`],
  ['a deletion of the bucket', `$JS.API.STREAM.DELETE.KV_${HOSTS_BUCKET}`],
  ['a change of the bucket', `$JS.API.STREAM.UPDATE.KV_${HOSTS_BUCKET}`],
  ['a deletion of one message', `$JS.API.STREAM.MSG.DELETE.KV_${HOSTS_BUCKET}`],
  ['a stream of its own', '$JS.API.STREAM.CREATE.OTHER'],
])('does not let a host publish %s', async (_what, subject) => {
  const watcher = await login('watcher');
  const heard: string[] = [];
  watcher.subscribe('>', {
    callback: (_error, message) => {
      heard.push(message.subject);
    },
  });
  await watcher.flush();
  const thief = await login('thief');
  thief.publish(subject, '{}');
  thief.publish(heartbeatSubject('thief'), '{}');
  await thief.flush();
  await waitUntil(() => heard.includes(heartbeatSubject('thief')), 'the allowed message');
  expect(heard).not.toContain(subject);
});

it.each([
  ['everything', '>'],
  ['the answers to another host', `${inboxPrefix('a')}.>`],
  ['requests to another host', 'mai.host.a.>'],
  ['the events of JetStream', '$JS.EVENT.>'],
])('does not let a host subscribe to %s', async (_what, subject) => {
  const thief = await login('thief');
  const refused = await new Promise<boolean>((resolve) => {
    thief.subscribe(subject, { callback: (error) => resolve(error !== null) });
    void thief.flush().then(() => setTimeout(() => resolve(false), 5000).unref());
  });
  expect(refused).toBe(true);
});

it('does not let a host purge a key of another host', async () => {
  const a = await join('a');
  const watcher = await login('watcher');
  const kv = await new Kvm(watcher).open(HOSTS_BUCKET);
  await waitUntil(() => kv.get('a').then(Boolean, () => false), 'the state of a');
  const thief = await login('thief');
  const theirs = await new Kvm(thief).open(HOSTS_BUCKET);
  await expect(theirs.purge('a')).rejects.toThrow();
  const manager = await jetstreamManager(thief);
  await expect(manager.streams.purge(`KV_${HOSTS_BUCKET}`)).rejects.toThrow();
  expect((await kv.get('a'))?.operation).toBe('PUT');
  expect(a.members.hosts()).toHaveLength(1);
});
