import { fleetTls, pairedFleet, type PairedFleet } from '../../../test/paired-fleet.js';
import { rawNats, type RawNats } from '../../../test/raw-nats.js';
import { waitUntil } from '../../../test/wait-until.js';
import type { NatsBucket } from '../../nats/nats-door.js';
import type { FleetConnection } from '../../nats/connection.js';

// The attacker is a host of the fleet, `mallory`. nats-server acts on some headers of a message.

jest.setTimeout(120_000);

let fleet: PairedFleet;
let desktop: FleetConnection;
let laptop: FleetConnection;
let bucket: NatsBucket;
let mallory: RawNats;

beforeAll(async () => {
  fleet = await pairedFleet(['laptop', 'mallory']);
  desktop = await fleet.connect('desktop');
  laptop = await fleet.connect('laptop');
  await desktop.bucket('mai_hosts', { replicas: 1, maxValueBytes: 100_000 });
  bucket = await laptop.bucket('mai_hosts', { replicas: 1, maxValueBytes: 100_000 });
  mallory = await rawNats(fleet.natsPort, await fleetTls(fleet.folder('mallory')));
});

afterAll(async () => {
  await mallory[Symbol.asyncDispose]();
  await fleet[Symbol.asyncDispose]();
});

/** Waits until everything that mallory has sent had its effect. */
async function settled(): Promise<void> {
  await mallory.settle();
  const before = (await bucket.progress()).position;
  mallory.publish('$KV.mai_hosts.mallory', 'later');
  await waitUntil(
    async () => (await bucket.progress()).position > before,
    'a later write is stored',
  );
}

test.each(['all', 'sub'])(
  'a write that replaces earlier ones (%s) leaves the entries of other hosts',
  async (rollup) => {
    await bucket.put('laptop', 'of the laptop', 10_000);
    mallory.publishHeader('$KV.mai_hosts.mallory', 'Nats-Rollup', rollup);
    await settled();
    expect((await bucket.keys()).toSorted()).toEqual(['laptop', 'mallory']);
  },
);

test.each(['mai.heartbeat.laptop', 'mai.host.laptop.release.desktop', '$KV.mai_hosts.laptop'])(
  'a message that asks for a trace sends none to %s',
  async (target) => {
    await bucket.put('laptop', 'of the laptop', 10_000);
    const heard: string[] = [];
    const ends = ['mai.heartbeat.*', 'mai.host.laptop.*.*'].map((subject) =>
      laptop.subscribe(subject, (message) => heard.push(message.subject)),
    );
    await laptop.roundTrip({ deadlineMs: 30_000, signal: null });
    const before = (await bucket.progress()).position;
    mallory.publishHeader('mai.heartbeat.mallory', 'Nats-Trace-Dest', target);
    await settled();
    await laptop.roundTrip({ deadlineMs: 30_000, signal: null });
    for (const end of ends) end();
    expect(heard.filter((subject) => subject === target)).toEqual([]);
    expect((await bucket.progress()).position).toBe(before + 1);
  },
);
