import { fleetTls, pairedFleet, type PairedFleet } from '../../../test/paired-fleet.js';
import { rawNats, type RawNats } from '../../../test/raw-nats.js';
import { waitUntil } from '../../../test/wait-until.js';
import type { BucketEntry, NatsBucket, NatsMessage } from '../../nats/nats-door.js';
import type { FleetConnection } from '../../nats/connection.js';
import { readFleetIdentity } from '../identity.js';
import { followFleet } from '../hosts/follow-fleet.js';
import { openFleetBucket, tellAllowList } from '../hosts/tell-allow-list.js';

// The attacker is a host of the fleet, `mallory`, with a certificate and a user of its own. `desktop` holds the authority and
// `laptop` is another host.

jest.setTimeout(120_000);

const ONE_SERVER = { servers: [{ address: '127.0.0.1', host: 'desktop', keys: [] }] };
const STREAM = 'KV_mai_hosts';
const NEVER = AbortSignal.timeout(600_000);

let fleet: PairedFleet;
let desktop: FleetConnection;
let laptop: FleetConnection;
let bucket: NatsBucket;
let mallory: RawNats;
const entries: BucketEntry[] = [];
const ends: (() => void)[] = [];
/** The last state that the laptop has written. */
let honest: string;

beforeAll(async () => {
  fleet = await pairedFleet(['laptop', 'mallory']);
  desktop = await fleet.connect('desktop');
  laptop = await fleet.connect('laptop');
  await tellAllowList(desktop, fleet.folder('desktop'), NEVER);
  await desktop.bucket('mai_hosts', { replicas: 1, maxValueBytes: 100_000 });
  bucket = await laptop.bucket('mai_hosts', { replicas: 1, maxValueBytes: 100_000 });
  await bucket.watch((entry) => entries.push(entry));
});

afterAll(() => fleet[Symbol.asyncDispose]());

beforeEach(async () => {
  entries.length = 0;
  honest = `of the laptop ${Math.random()}`;
  await bucket.put('laptop', honest, 10_000);
  mallory = await rawNats(fleet.natsPort, await fleetTls(fleet.folder('mallory')));
  await waitUntil(() => newest('laptop') === honest, 'the watcher reads the entry');
});

afterEach(async () => {
  for (const end of ends.splice(0)) end();
  await mallory[Symbol.asyncDispose]();
});

/** Subscribes until the test ends. */
function subscribe(
  connection: FleetConnection,
  subject: string,
  onMessage: (message: NatsMessage) => void,
): void {
  ends.push(connection.subscribe(subject, onMessage));
}

function newest(host: string): string | null {
  const value = entries.findLast(({ key }) => key === host)?.value;
  return value === undefined || value === null ? null : Buffer.from(value).toString('utf8');
}

/** Waits until everything that mallory has sent had its effect: a later write of its own has come back to the watcher. */
async function settled(): Promise<void> {
  await mallory.settle();
  const mark = `mark ${Math.random()}`;
  mallory.publish('$KV.mai_hosts.mallory', mark);
  await waitUntil(() => newest('mallory') === mark, 'a later write has arrived');
}

describe('a paired host can not', () => {
  test.each([
    '>',
    '*',
    '$SYS.>',
    '$JS.>',
    '$KV.>',
    '$KV.mai_hosts.laptop',
    '_INBOX.>',
    '_INBOX_laptop.>',
    '_INBOX_laptop.*.*',
    'mai.>',
    'mai.host.>',
    'mai.host.laptop.*.*',
    'mai.host.laptop.acquire.laptop',
    '_R_.>',
  ])('subscribe to %s', async (subject) => {
    mallory.subscribe(subject);
    await mallory.settle();
    expect(mallory.errors).toEqual([
      `-ERR 'Permissions Violation for Subscription to "${subject}"'`,
    ]);
  });

  test('read an answer that another host gets', async () => {
    for (const subject of ['>', '_INBOX_laptop.>', '_INBOX.>', 'mai.host.>']) {
      mallory.subscribe(subject);
    }
    await mallory.settle();
    subscribe(desktop, 'mai.host.desktop.describe.*', ({ respond }) => respond?.('a secret'));
    await desktop.roundTrip({ deadlineMs: 30_000, signal: null });
    const answer = await laptop.request('mai.host.desktop.describe.laptop', '', {
      timeoutMs: 30_000,
      signal: null,
    });
    expect(Buffer.from(answer).toString('utf8')).toBe('a secret');
    await mallory.settle();
    expect(mallory.messages).toEqual([]);
  });

  test.each([
    ['$KV.mai_hosts.laptop', 'forged'],
    ['$KV.mai_fleet.allow_list', 'forged'],
    ['mai.heartbeat.laptop', '{}'],
    ['mai.host.desktop.release.laptop', '{}'],
    ['_INBOX_laptop.guessed', 'forged'],
    [`$JS.API.STREAM.PURGE.${STREAM}`, ''],
    [`$JS.API.STREAM.DELETE.${STREAM}`, ''],
    [`$JS.API.STREAM.MSG.DELETE.${STREAM}`, '{"seq":1}'],
    [`$JS.API.STREAM.UPDATE.${STREAM}`, '{}'],
    [`$JS.API.STREAM.CREATE.${STREAM}`, '{}'],
    ['$JS.API.STREAM.CREATE.mallory', '{"name":"mallory","subjects":["mai.>"]}'],
    [`$JS.API.STREAM.SNAPSHOT.${STREAM}`, '{}'],
    [`$JS.API.STREAM.RESTORE.${STREAM}`, '{}'],
    [`$JS.API.STREAM.MSG.GET.${STREAM}`, '{"seq":1}'],
    [`$JS.API.DIRECT.GET.${STREAM}.$KV.mai_hosts.laptop`, ''],
    ['$JS.API.STREAM.LIST', ''],
    [`$JS.API.CONSUMER.LIST.${STREAM}`, ''],
    [`$JS.API.CONSUMER.CREATE.${STREAM}`, '{}'],
    [`$JS.API.CONSUMER.DURABLE.CREATE.${STREAM}.mallory`, '{}'],
    ['$SYS.REQ.SERVER.PING', ''],
    ['$SYS.REQ.ACCOUNT.STORE.CONNZ', ''],
  ])('publish to %s', async (subject, data) => {
    mallory.publish(subject, data, '_INBOX_mallory.answer');
    await settled();
    expect(mallory.errors).toEqual([`-ERR 'Permissions Violation for Publish to "${subject}"'`]);
    expect(newest('laptop')).toBe(honest);
    expect((await bucket.progress()).position).toBeGreaterThan(0);
  });

  // nats-server does not check the subject to which it sends an answer, so a host tries to make the server publish to a subject
  // that the host itself may not use.
  const requests: readonly (readonly [string, string])[] = [
    ['$KV.mai_hosts.mallory', '{}'],
    ['$JS.API.INFO', ''],
    [`$JS.API.STREAM.INFO.${STREAM}`, ''],
    [`$JS.API.CONSUMER.DELETE.${STREAM}.none`, ''],
    [`$JS.API.CONSUMER.CREATE.${STREAM}.none.$KV.mai_hosts.mallory`, '{}'],
  ];
  test.each([
    `$JS.API.STREAM.PURGE.${STREAM}`,
    `$JS.API.STREAM.DELETE.${STREAM}`,
    `$JS.API.STREAM.CREATE.mallory`,
    '$KV.mai_hosts.laptop',
    '$KV.mai_fleet.allow_list',
  ])('make the server publish its answer to %s', async (reply) => {
    const list = await allowList();
    for (const [subject, data] of requests) mallory.publish(subject, data, reply);
    await settled();
    expect(newest('laptop')).toBe(honest);
    expect(await stored()).toContain('laptop');
    expect(await allowList()).toBe(list);
  });

  test.each([
    `$JS.API.STREAM.PURGE.${STREAM}`,
    `$JS.API.STREAM.DELETE.${STREAM}`,
    '$KV.mai_hosts.laptop',
    '$KV.mai_fleet.allow_list',
    'mai.heartbeat.laptop',
    'mai.host.laptop.release.desktop',
    'mai.host.laptop.acquire.desktop',
  ])('make a consumer deliver its entry to %s', async (target) => {
    const list = await allowList();
    const name = `evil${Math.random().toString(36).slice(2)}`;
    const heard: string[] = [];
    subscribe(laptop, 'mai.heartbeat.*', ({ subject }) => heard.push(subject));
    subscribe(laptop, 'mai.host.laptop.*.*', ({ subject }) => heard.push(subject));
    await laptop.roundTrip({ deadlineMs: 30_000, signal: null });
    mallory.subscribe('_INBOX_mallory.>');
    mallory.publish(
      `$JS.API.CONSUMER.CREATE.${STREAM}.${name}.$KV.mai_hosts.mallory`,
      JSON.stringify({
        stream_name: STREAM,
        config: {
          name,
          filter_subject: '$KV.mai_hosts.mallory',
          deliver_subject: target,
          deliver_policy: 'all',
          ack_policy: 'none',
        },
      }),
      '_INBOX_mallory.created',
    );
    await waitUntil(() => mallory.messages.length > 0, 'the server answers');
    mallory.publish('$KV.mai_hosts.mallory', '');
    await settled();
    await laptop.roundTrip({ deadlineMs: 30_000, signal: null });
    expect(heard).toEqual([]);
    expect(newest('laptop')).toBe(honest);
    expect(await stored()).toContain('laptop');
    expect(await allowList()).toBe(list);
  });

  test.each(['$KV.mai_hosts.laptop', '$KV.mai_hosts.desktop', 'mai.host.desktop.release.laptop'])(
    'make another host answer to %s',
    async (reply) => {
      const asked: string[] = [];
      subscribe(laptop, 'mai.host.laptop.describe.*', ({ subject, respond }) => {
        asked.push(subject);
        respond?.('forged');
      });
      subscribe(desktop, 'mai.host.desktop.*.*', ({ subject }) => asked.push(subject));
      await laptop.roundTrip({ deadlineMs: 30_000, signal: null });
      await desktop.roundTrip({ deadlineMs: 30_000, signal: null });
      mallory.publish('mai.host.laptop.describe.mallory', '', reply);
      await settled();
      await waitUntil(() => asked.length > 0, 'the laptop was asked');
      await laptop.roundTrip({ deadlineMs: 30_000, signal: null });
      await settled();
      expect(asked).toEqual(['mai.host.laptop.describe.mallory']);
      expect(newest('laptop')).toBe(honest);
      expect(newest('desktop')).toBe(null);
    },
  );

  test('put a list of its own in place of the allow-list, also where it could write to the bucket', async () => {
    const { allowList: before } = await readFleetIdentity(fleet.folder('laptop'));
    await using followed = await followFleet({
      connection: laptop,
      folder: fleet.folder('laptop'),
      onChange: () => undefined,
      onFault: (error) => {
        throw error;
      },
    });
    await waitUntil(
      () => followed.identity.allowList.revision > before.revision,
      'the laptop has heard that mallory has joined',
    );
    const kept = followed.identity.allowList;
    // The desktop writes in place of mallory, which may not. First an old list, then a forged one.
    const fleetBucket = await openFleetBucket(desktop, ONE_SERVER);
    const text = await allowList();
    const { content, signature } = JSON.parse(text ?? '');
    const forged = JSON.stringify({ ...JSON.parse(content), revision: 1_000, hosts: [] });
    await fleetBucket.put('allow_list', JSON.stringify({ content: forged, signature }), 10_000);
    await fleetBucket.put('allow_list', 'not a list', 10_000);
    await fleetBucket.put('allow_list', text ?? '', 10_000);
    await fleet.add('tower');
    await tellAllowList(desktop, fleet.folder('desktop'), NEVER);
    await waitUntil(
      () => followed.identity.allowList.revision > kept.revision,
      'the laptop has taken the next honest list',
    );
    expect(followed.identity.allowList.hosts.map(({ host }) => host)).toEqual([
      'desktop',
      'laptop',
      'mallory',
      'tower',
    ]);
  });
});

/** The allow-list as it is in the bucket. */
async function allowList(): Promise<string | null> {
  const fleetBucket = await openFleetBucket(desktop, ONE_SERVER);
  const seen: BucketEntry[] = [];
  const watcher = await fleetBucket.watch((entry) => seen.push(entry));
  await waitUntil(() => seen.length > 0, 'the bucket holds an allow-list');
  watcher.stop();
  const value = seen.at(-1)?.value ?? null;
  return value === null ? null : Buffer.from(value).toString('utf8');
}

/** Keys in the bucket of the states, as a new watcher reads them. */
async function stored(): Promise<string[]> {
  const seen: string[] = [];
  const watcher = await bucket.watch(({ key }) => seen.push(key));
  await waitUntil(() => seen.includes('mallory'), 'the watcher has read the bucket');
  watcher.stop();
  return seen;
}
